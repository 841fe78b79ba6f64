"""Checkpoints of a training run: VideoPose3D's `.bin` with its keys, and our safetensors beside it for use."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import OutputError, WeightsError
from lifter.checkpoint import LifterSpec, read_published, save_lifter
from train.reproduce.generators import Shuffled
from train.reproduce.networks import Networks
from train.reproduce.session import Session, fill


@dataclass
class Progress:
    """All that changes while a network is trained."""

    networks: Networks
    optimizer: torch.optim.Adam
    labelled: Shuffled
    unlabelled: Shuffled | None
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    """Each epoch's errors by name."""

    @property
    def learning_rate(self) -> float:
        """The optimizer's at present."""
        return float(self.optimizer.param_groups[0]["lr"])


def write_checkpoint(session: Session, progress: Progress) -> None:
    """Write `epoch_N.bin` and `epoch_N.safetensors` into the checkpoint directory."""
    path = session.checkpoint_dir / f"epoch_{progress.epoch}.bin"
    trajectory = progress.networks.trajectory
    content: dict[str, Any] = {
        "epoch": progress.epoch,
        "lr": progress.learning_rate,
        "random_state": progress.labelled.state()[0],
        "optimizer": progress.optimizer.state_dict(),
        "model_pos": progress.networks.pose.state_dict(),
        "model_traj": None if trajectory is None else trajectory.state_dict(),
        "random_state_semi": None,
        "history": progress.history,
    }
    if progress.unlabelled is not None:
        content["random_state_semi"], content["batches_semi"] = progress.unlabelled.state()
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, partial)
        partial.replace(path)
        save_lifter(
            path.with_suffix(".safetensors"), progress.networks.pose, _spec(session, progress)
        )
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error


def _spec(session: Session, progress: Progress) -> LifterSpec:
    o, data = session.options, session.data
    training = {
        "data_set": o.dataset,
        "keypoints": o.keypoints,
        "subjects": o.names("subjects_train"),
        "unlabelled_subjects": o.names("subjects_unlabeled"),
        "epochs": progress.epoch,
        "errors": progress.history[-1] if progress.history else {},
    }
    return LifterSpec(
        progress.networks.pose.config,
        data.keypoint_skeleton,
        data.skeleton,
        (data.fps or 0.0) / o.downsample,
        "screen",
        training,
    )


def resume(session: Session, progress: Progress) -> None:
    """Go on from the checkpoint that `--resume` names, ours or VideoPose3D's."""
    path = session.checkpoint_dir / session.options.resume
    if path.suffix == ".safetensors":
        raise WeightsError(f"{path}: holds no optimizer to go on with, use the .bin beside it")
    content = read_published(path)
    fill(path, progress.networks.pose, content["model_pos"])
    if progress.networks.trajectory is not None:
        if content.get("model_traj") is None:
            raise WeightsError(f"{path}: has no trajectory network, so it wasn't trained with -sun")
        fill(path, progress.networks.trajectory, content["model_traj"])
    if content.get("optimizer") is not None:
        _restore_optimizer(path, progress.optimizer, content["optimizer"])
        progress.labelled.restore(_random_state(path, content["random_state"]), 0)
        if progress.unlabelled is not None:
            random = _random_state(path, content["random_state_semi"])
            progress.unlabelled.restore(random, int(content.get("batches_semi", 0)))
    for group in progress.optimizer.param_groups:
        group["lr"] = float(content["lr"])
    progress.epoch = int(content["epoch"])
    progress.history = list(content.get("history", []))


def _restore_optimizer(path: Path, optimizer: torch.optim.Adam, state: dict[str, Any]) -> None:
    how = {
        "fused": optimizer.defaults["fused"],
        "foreach": None,
    }  # to compute is this machine's affair
    groups = [{**group, **how} for group in state["param_groups"]]
    try:
        optimizer.load_state_dict({**state, "param_groups": groups})
    except (ValueError, KeyError) as error:
        raise WeightsError(f"{path}: its optimizer belongs to other networks ({error})") from error


def _random_state(path: Path, value: Any) -> np.random.RandomState:
    if not isinstance(value, np.random.RandomState):
        raise WeightsError(f"{path}: has no random state, so the order of examples cannot go on")
    return value
