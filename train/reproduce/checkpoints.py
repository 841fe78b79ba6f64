"""Checkpoints of a training run: VideoPose3D's `.bin` with its keys, and safetensors for use."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import OutputError, WeightsError, one_line
from core.files import written_whole
from lifter.checkpoint import LifterSpec, save_lifter
from lifter.published.pickles import read_published
from train.reproduce.generators import BatchSampler
from train.reproduce.networks import Networks
from train.reproduce.session import Session, load_weights


@dataclass
class TrainingState:
    """Everything that changes while networks are trained, and that a checkpoint keeps."""

    networks: Networks
    optimizer: torch.optim.Adam
    labelled: BatchSampler
    unlabelled: BatchSampler | None
    """None in supervised training."""
    epoch: int = 0
    """How many epochs are done."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Each epoch's errors by name, metres and screen coordinates."""

    @property
    def learning_rate(self) -> float:
        """The optimizer's present learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    def decay_learning_rate(self, factor: float) -> None:
        """Multiply the learning rate by `factor`, after an epoch."""
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


def write_checkpoint(session: Session, state: TrainingState) -> None:
    """Write `epoch_N.bin` and `epoch_N.safetensors` into the checkpoint directory.

    Raises:
        OutputError: The system refuses to write.
    """
    path = session.checkpoint_dir / f"epoch_{state.epoch}.bin"
    trajectory = state.networks.trajectory
    content: dict[str, Any] = {
        "epoch": state.epoch,
        "lr": state.learning_rate,
        "random_state": state.labelled.state()[0],
        "optimizer": state.optimizer.state_dict(),
        "model_pos": state.networks.pose.state_dict(),
        "model_traj": None if trajectory is None else trajectory.state_dict(),
        "random_state_semi": None,
        "history": state.history,
    }
    if state.unlabelled is not None:
        content["random_state_semi"], content["batches_semi"] = state.unlabelled.state()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # An open file: given a path, torch stores its (random) name in the archive.
        with written_whole(path) as partial, partial.open("wb") as file:
            torch.save(content, file)
        save_lifter(path.with_suffix(".safetensors"), state.networks.pose, _spec(session, state))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error


def _spec(session: Session, state: TrainingState) -> LifterSpec:
    """The header of the safetensors file."""
    o, data = session.options, session.data
    training = {
        "data_set": o.dataset,
        "keypoints": o.keypoints,
        "subjects": o.names("subjects_train"),
        "unlabelled_subjects": o.names("subjects_unlabeled"),
        "epochs": state.epoch,
        "errors": state.history[-1] if state.history else {},
    }
    return LifterSpec(
        state.networks.pose.config,
        data.keypoint_skeleton,
        data.skeleton,
        (data.fps or 0.0) / o.downsample,
        "screen",
        training,
    )


def resume(session: Session, state: TrainingState) -> None:
    """Restore the checkpoint that `--resume` names, ours or VideoPose3D's.

    Args:
        session: The run.
        state: Networks, optimizer and samplers of the run, which take over the checkpoint's state.

    Raises:
        WeightsError: The checkpoint cannot be read, or isn't one of such a run.
    """
    path = session.checkpoint_dir / session.options.resume
    if path.suffix == ".safetensors":
        raise WeightsError(f"{path}: holds no optimizer to go on with, use the .bin beside it")
    content = read_published(path)
    try:
        _restore(path, state, content)
    except WeightsError:
        raise
    except Exception as error:  # the entries may be anything
        raise WeightsError(f"{path}: cannot be trained on ({one_line(error)})") from error


def _restore(path: Path, state: TrainingState, content: dict[str, Any]) -> None:
    """Take over a checkpoint's entries."""
    load_weights(path, state.networks.pose, content["model_pos"])
    if state.networks.trajectory is not None:
        if content.get("model_traj") is None:
            raise WeightsError(f"{path}: has no trajectory network, so it wasn't trained with -sun")
        load_weights(path, state.networks.trajectory, content["model_traj"])
    # Some of VideoPose3D's checkpoints hold no optimizer; these are trained on with a new one.
    if content.get("optimizer") is not None:
        _restore_optimizer(path, state.optimizer, content["optimizer"])
        state.labelled.restore(_random_state(path, content["random_state"]), 0)
        if state.unlabelled is not None:
            random = _random_state(path, content["random_state_semi"])
            state.unlabelled.restore(random, int(content.get("batches_semi", 0)))
    rate = float(content["lr"])
    if not 0 < rate < np.inf:
        raise ValueError(f"a learning rate of {rate}")
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.epoch = int(content["epoch"])
    state.history = list(content.get("history", []))


def _restore_optimizer(path: Path, optimizer: torch.optim.Adam, state: dict[str, Any]) -> None:
    """Load an optimizer's state, except for the implementation that the other machine chose."""
    implementation = {"fused": optimizer.defaults["fused"], "foreach": None}
    groups = [{**group, **implementation} for group in state["param_groups"]]
    try:
        optimizer.load_state_dict({**state, "param_groups": groups})
    except (ValueError, KeyError) as error:
        raise WeightsError(f"{path}: its optimizer belongs to other networks ({error})") from error
    for parameter, kept in optimizer.state.items():
        if any(kept[name].shape != parameter.shape for name in ("exp_avg", "exp_avg_sq")):
            raise WeightsError(f"{path}: its optimizer belongs to other networks (another shape)")
        for name, value in kept.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                # in the parameter's order in memory, which fused optimizers take for granted
                kept[name] = torch.empty_like(parameter).copy_(value)


def _random_state(path: Path, value: Any) -> np.random.RandomState:
    """The generator that a checkpoint holds; `WeightsError` where it holds none."""
    if not isinstance(value, np.random.RandomState):
        raise WeightsError(f"{path}: has no random state, so the order of examples cannot go on")
    return value
