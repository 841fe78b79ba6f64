"""Errors of a network on clips with ground truth, per action and averaged: a table for people, JSON for programs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.camera import project_distorted
from core.errors import OutputError
from core.types import Floats
from lifter.model import TemporalConvNet
from train import metrics
from train.motion_data import Clip


@dataclass(frozen=True)
class Errors:
    """The four errors of the literature, in millimetres; the last per frame."""

    mpjpe: float
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float


@dataclass(frozen=True)
class Mirror:
    """How to mirror what goes into a network and what comes out, to average both predictions."""

    keypoints: list[int]
    joints: list[int]


def predict(model: TemporalConvNet, keypoints: Floats, mirror: Mirror | None = None) -> Floats:
    """One prediction a frame, (T, K, features) → (T, J, 3); beyond its ends the sequence stands still."""
    device = next(model.parameters()).device
    padded = pad_ends(torch.from_numpy(keypoints).to(device), *model.config.padding)[None]
    if mirror is not None:
        padded = torch.cat([padded, flip(padded, mirror.keypoints)])
    with torch.inference_mode():
        predicted = model(padded)
        if mirror is not None:
            predicted = (predicted[:1] + flip(predicted[1:], mirror.joints)) / 2
    result: Floats = predicted[0].float().cpu().numpy()
    return result


def pad_ends(sequence: Tensor, before: int, after: int) -> Tensor:
    """(T, K, features) with the first and the last frame repeated."""
    flat = sequence.flatten(1).T[None]  # (1, K · features, T), as `pad` wants it
    return F.pad(flat, (before, after), mode="replicate")[0].T.reshape(-1, *sequence.shape[1:])


def flip(points: Tensor, order: list[int]) -> Tensor:
    """(…, K, D) mirrored: x negated, left and right swapped by `order`."""
    flipped = points[..., order, :]
    flipped[..., 0] *= -1
    return flipped


def evaluate(model: TemporalConvNet, clips: Iterable[Clip], mirror: Mirror | None) -> Errors:
    """Mean errors over clips with ground truth, each clip weighing as much as it has frames."""
    model.eval()
    errors, frames = [], []
    for clip in clips:
        assert clip.joints_m is not None
        errors.append(astuple(_clip_errors(predict(model, clip.keypoints, mirror), clip.joints_m)))
        frames.append(len(clip))
    return Errors(*np.average(errors, axis=0, weights=frames).tolist())


def _clip_errors(predicted: Floats, target: Floats) -> Errors:
    return Errors(
        1000 * float(metrics.mpjpe(predicted, target)),
        1000 * float(metrics.p_mpjpe(predicted, target)),
        1000 * float(metrics.n_mpjpe(predicted, target)),
        1000 * float(metrics.mean_velocity_error(predicted, target)) if len(target) > 1 else 0.0,
    )


def clip_errors(
    pose: TemporalConvNet, trajectory: TemporalConvNet | None, clips: list[Clip]
) -> dict[str, float]:
    """Mean errors over whole clips: `3d` and `traj` (metres) where there is ground truth, `2d` (screen coordinates)."""
    totals: dict[str, float] = {}
    frames: dict[str, int] = {}
    for clip in clips:
        if len(clip):
            for name, error in _errors(pose, trajectory, clip):
                totals[name] = totals.get(name, 0.0) + float(error) * len(clip)
                frames[name] = frames.get(name, 0) + len(clip)
    return {name: total / frames[name] for name, total in totals.items()}


def _errors(
    pose: TemporalConvNet, trajectory: TemporalConvNet | None, clip: Clip
) -> Iterator[tuple[str, float | Floats]]:
    joints_m = predict(pose, clip.keypoints)
    if clip.joints_m is not None:
        yield "3d", metrics.mpjpe(joints_m, clip.joints_m)
    if trajectory is None:
        return
    root_m = predict(trajectory, clip.keypoints)
    if clip.root_m is not None:
        yield "traj", metrics.mpjpe(root_m[:, 0], clip.root_m)
    if clip.camera.lens is not None:
        seen = project_distorted((joints_m + root_m)[None], clip.camera.lens[None])[0]
        yield "2d", metrics.mpjpe(seen, clip.keypoints[..., :2])


def evaluate_actions(
    model: TemporalConvNet, clips: Sequence[Clip], mirror: Mirror | None
) -> dict[str, Errors]:
    """The errors of each action; takes such as `Walking` and `Walking 1` count as one."""
    names = dict.fromkeys(map(_action, clips))
    return {
        name: evaluate(model, [clip for clip in clips if _action(clip) == name], mirror)
        for name in names
    }


def _action(clip: Clip) -> str:
    return clip.action.split(" ")[0]


def average(actions: dict[str, Errors]) -> Errors:
    """The mean over actions, however long each is."""
    return Errors(*np.mean([astuple(errors) for errors in actions.values()], axis=0).tolist())


def table(title: str, actions: dict[str, Errors]) -> str:
    """The errors as lines of text."""
    width = max(len(name) for name in (title, "average", *actions))
    lines = [f"{title:<{width}}    MPJPE  P-MPJPE  N-MPJPE    MPJVE   mm"]
    for name, e in (*actions.items(), ("average", average(actions))):
        lines.append(
            f"{name:<{width}} {e.mpjpe:8.1f} {e.p_mpjpe:8.1f} {e.n_mpjpe:8.1f} {e.mpjve:8.2f}"
        )
    return "\n".join(lines)


def write_report(path: Path, groups: dict[str, dict[str, Errors]], facts: dict[str, Any]) -> None:
    """Write `facts` and every group's errors as JSON; a group is a subject, or "all" of them."""
    report = {
        "unit": "mm",
        **facts,
        "errors": {
            group: {
                "actions": {name: asdict(errors) for name, errors in actions.items()},
                "average": asdict(average(actions)),
            }
            for group, actions in groups.items()
        },
    }
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(report, indent=1) + "\n")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
