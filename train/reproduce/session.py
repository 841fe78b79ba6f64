"""What a run is made of, put together from its options: device, data, networks, checkpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.errors import UsageError, WeightsError
from lifter.checkpoint import load_lifter, read_published
from lifter.model import ModelConfig, TemporalConvNet
from train.datasets.registry import load_dataset
from train.devices import usable_device
from train.motion_data import Clip, MotionData, thin
from train.reproduce.evaluate import Mirror
from train.reproduce.options import Options


@dataclass(frozen=True)
class Session:
    """A run's options, and what they stand for."""

    options: Options
    data: MotionData
    device: torch.device

    @property
    def mirror(self) -> Mirror:
        """How the data set's poses are mirrored."""
        return Mirror(self.data.keypoint_flip, self.data.skeleton.flip_order)

    @property
    def mirror_if_wanted(self) -> Mirror | None:
        """The same for testing, unless the options say that mirrored predictions don't count."""
        return None if self.options.no_test_time_augmentation else self.mirror

    def clips(self, flag: str) -> list[Clip]:
        """The clips that `subjects_train`, `subjects_test` or `subjects_unlabeled` names.

        Downsampling concerns all of them, only the training set is cut to its subset.
        """
        o = self.options
        dashed = "--" + flag.replace("_", "-")
        if not o.names(flag):
            raise UsageError(f"{dashed}: names no subject")
        clips = self.data.select(dashed, o.names(flag), o.names("actions"))
        return thin(clips, o.subset if flag == "subjects_train" else 1.0, o.downsample)

    def labelled_clips(self, flag: str) -> list[Clip]:
        """Those of `clips` that have ground truth and a frame left."""
        labelled = [clip for clip in self.clips(flag) if clip.joints_m is not None and len(clip)]
        if not labelled:
            raise UsageError(
                f"--{flag.replace('_', '-')}: {getattr(self.options, flag)} have no ground truth"
            )
        return labelled

    def network(self, joints: int) -> TemporalConvNet:
        """A fresh network that fits data and options, to `joints` joints."""
        o = self.options
        keypoints, features = self.data.clips[0].keypoints.shape[1:]
        config = ModelConfig(
            keypoints, features, joints, o.filter_widths, o.channels, o.causal, o.dense, o.dropout
        )
        return TemporalConvNet(config).to(self.device)

    @property
    def checkpoint_dir(self) -> Path:
        """Where checkpoints lie and go."""
        return Path(self.options.checkpoint)


def open_session(options: Options) -> Session:
    """Load the data set and choose the device."""
    data = load_dataset(options.dataset, options.keypoints, Path(options.data_dir))
    return Session(options, data, usable_device(options.device))


def load_networks(session: Session, name: str) -> tuple[TemporalConvNet, TemporalConvNet | None]:
    """The pose network and, if it has one, the trajectory network of a checkpoint in the checkpoint directory.

    The network's shape comes from the options, as in VideoPose3D; `WeightsError` if the checkpoint has another.
    """
    path = session.checkpoint_dir / name
    pose = session.network(len(session.data.skeleton))
    if path.suffix == ".safetensors":
        stored, _ = load_lifter(path)
        fill(path, pose, stored.state_dict())
        return pose, None
    content = read_published(path)
    fill(path, pose, content["model_pos"])
    if content.get("model_traj") is None:
        return pose, None
    trajectory = session.network(1)
    fill(path, trajectory, content["model_traj"])
    return pose, trajectory


def fill(path: Path, model: TemporalConvNet, state: dict[str, Any]) -> None:
    """Load a checkpoint's tensors."""
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(
            f"{path}: does not fit -arc, -ch, --dense or the 2D keypoints ({reason})"
        ) from error
