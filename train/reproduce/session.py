"""The parts of a run, built from its options: device, data, networks, checkpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.errors import UsageError, WeightsError
from lifter.checkpoint import load_lifter
from lifter.config import ModelConfig
from lifter.model import TemporalConvNet
from lifter.published.pickles import read_published
from train.datasets.registry import load_dataset
from train.devices import usable_device
from train.motion_data import Clip, MotionData, subsample
from train.reproduce.evaluate import Mirror
from train.reproduce.options import Options


@dataclass(frozen=True)
class Session:
    """A run's options, with the data set and the device that they name."""

    options: Options
    data: MotionData
    device: torch.device

    @property
    def mirror(self) -> Mirror:
        """How the data set's poses are mirrored."""
        return Mirror(self.data.keypoint_flip, self.data.skeleton.flip_order)

    @property
    def test_mirror(self) -> Mirror | None:
        """`mirror` for test-time augmentation; None if the options switch that off."""
        return None if self.options.no_test_time_augmentation else self.mirror

    def clips(self, option: str) -> list[Clip]:
        """The clips of some subjects, downsampled; those of `subjects_train` cut to the subset.

        Args:
            option: `subjects_train`, `subjects_test` or `subjects_unlabeled`.

        Raises:
            UsageError: The option names no subject, or one that the data set doesn't have.
        """
        o = self.options
        flag = "--" + option.replace("_", "-")
        if not o.names(option):
            raise UsageError(f"{flag}: names no subject")
        clips = self.data.select(flag, o.names(option), o.names("actions"))
        return subsample(clips, o.subset if option == "subjects_train" else 1.0, o.downsample)

    def labelled_clips(self, option: str) -> list[Clip]:
        """Those of `clips` that have ground truth and at least one frame.

        Raises:
            UsageError: There are none.
        """
        labelled = [clip for clip in self.clips(option) if clip.joints_m is not None and len(clip)]
        if not labelled:
            raise UsageError(
                f"--{option.replace('_', '-')}: {getattr(self.options, option)} "
                "have no ground truth"
            )
        return labelled

    def network(self, joints: int) -> TemporalConvNet:
        """A new network for the data set's keypoints, with random weights, on the device.

        Args:
            joints: The joints that it predicts; 1 for a trajectory network.
        """
        o = self.options
        keypoints, features = self.data.clips[0].keypoints.shape[1:]
        config = ModelConfig(
            keypoints, features, joints, o.filter_widths, o.channels, o.causal, o.dense, o.dropout
        )
        return TemporalConvNet(config).to(self.device)

    @property
    def checkpoint_dir(self) -> Path:
        """The folder from which checkpoints are read and into which they are written."""
        return Path(self.options.checkpoint)


def open_session(options: Options) -> Session:
    """Load the data set and choose the device."""
    data = load_dataset(options.dataset, options.keypoints, Path(options.data_dir))
    return Session(options, data, usable_device(options.device))


def load_networks(session: Session, name: str) -> tuple[TemporalConvNet, TemporalConvNet | None]:
    """Read a checkpoint, ours or VideoPose3D's.

    The networks' shape comes from the options, as in VideoPose3D.

    Args:
        session: The run.
        name: The file's name in the checkpoint directory.

    Returns:
        The pose network and, if the checkpoint has one, the trajectory network.

    Raises:
        WeightsError: The file cannot be read, or its networks have another shape.
    """
    path = session.checkpoint_dir / name
    pose = session.network(len(session.data.skeleton))
    if path.suffix == ".safetensors":
        stored, _ = load_lifter(path)
        load_weights(path, pose, stored.state_dict())
        return pose, None
    content = read_published(path)
    load_weights(path, pose, content["model_pos"])
    if content.get("model_traj") is None:
        return pose, None
    trajectory = session.network(1)
    load_weights(path, trajectory, content["model_traj"])
    return pose, trajectory


def load_weights(path: Path, model: TemporalConvNet, state: dict[str, Any]) -> None:
    """Copy a checkpoint's tensors into a network.

    Args:
        path: The checkpoint, for the error message.
        model: The network.
        state: The tensors by the names of the network's parameters.

    Raises:
        WeightsError: Names or shapes differ from the network's.
    """
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(
            f"{path}: does not fit -arc, -ch, --dense or the 2D keypoints ({reason})"
        ) from error
