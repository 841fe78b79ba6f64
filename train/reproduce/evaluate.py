"""Errors of a network on clips with ground truth, for each action and averaged."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.camera import project_distorted
from core.types import Floats
from lifter.model import TemporalConvNet
from train import metrics
from train.motion_data import Clip


@dataclass(frozen=True)
class PoseErrors:
    """The four errors of the literature, see `train.metrics`."""

    mpjpe: float
    """Millimetres, as the next two."""
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float
    """Millimetres per frame."""


@dataclass(frozen=True)
class Mirror:
    """The permutations that mirror a network's input and output, `mirrored[i] = original[p[i]]`."""

    keypoints: list[int]
    joints: list[int]


def predict(model: TemporalConvNet, keypoints: Floats, mirror: Mirror | None = None) -> Floats:
    """Predict every frame of a sequence; beyond its ends, the first and last frame are repeated.

    Args:
        model: The network.
        keypoints: (T, K, features) screen coordinates.
        mirror: If given, the mean of the prediction and of the mirrored prediction of the mirrored
            keypoints is returned (Pavllo et al., CVPR 2019, section 5.3).

    Returns:
        (T, J, 3) metres, fp32.
    """
    device = next(model.parameters()).device
    # (1, T + R − 1, K, features) for receptive field R: one output for each of T frames.
    padded = pad_ends(torch.from_numpy(keypoints).to(device), *model.config.padding)[None]
    if mirror is not None:
        padded = torch.cat([padded, flip(padded, mirror.keypoints)])
    with torch.inference_mode():
        predicted = model(padded)  # (1 or 2, T, J, 3)
        if mirror is not None:
            # The mirrored prediction is mirrored back before the mean is taken.
            predicted = (predicted[:1] + flip(predicted[1:], mirror.joints)) / 2
    result: Floats = predicted[0].float().cpu().numpy()
    return result


def pad_ends(sequence: Tensor, before: int, after: int) -> Tensor:
    """Repeat the first frame of (T, K, features) `before` times and the last `after` times."""
    flat = sequence.flatten(1).T[None]  # (1, K · features, T), as `pad` wants it
    return F.pad(flat, (before, after), mode="replicate")[0].T.reshape(-1, *sequence.shape[1:])


def flip(points: Tensor, order: list[int]) -> Tensor:
    """(…, K, D) mirrored: x negated, left and right swapped by `order`."""
    flipped = points[..., order, :]
    flipped[..., 0] *= -1
    return flipped


def evaluate(model: TemporalConvNet, clips: Iterable[Clip], mirror: Mirror | None) -> PoseErrors:
    """Mean errors of a network; each clip weighs as much as it has frames.

    Args:
        model: The pose network; it is set to evaluation.
        clips: Clips with ground truth.
        mirror: See `predict`.
    """
    model.eval()
    errors, frames = [], []
    for clip in clips:
        assert clip.joints_m is not None
        errors.append(astuple(_pose_errors(predict(model, clip.keypoints, mirror), clip.joints_m)))
        frames.append(len(clip))
    return PoseErrors(*np.average(errors, axis=0, weights=frames).tolist())


def _pose_errors(predicted: Floats, target: Floats) -> PoseErrors:
    """The errors of one clip, both (T, J, 3) metres."""
    return PoseErrors(
        1000 * float(metrics.mpjpe(predicted, target)),
        1000 * float(metrics.p_mpjpe(predicted, target)),
        1000 * float(metrics.n_mpjpe(predicted, target)),
        1000 * float(metrics.mean_velocity_error(predicted, target)) if len(target) > 1 else 0.0,
    )


def evaluate_actions(
    model: TemporalConvNet, clips: Sequence[Clip], mirror: Mirror | None
) -> dict[str, PoseErrors]:
    """`evaluate` for each action; takes such as `Walking` and `Walking 1` count as one action."""
    names = dict.fromkeys(map(_action, clips))
    return {
        name: evaluate(model, [clip for clip in clips if _action(clip) == name], mirror)
        for name in names
    }


def _action(clip: Clip) -> str:
    return clip.action.split(" ")[0]


def average(actions: dict[str, PoseErrors]) -> PoseErrors:
    """The mean over actions, each with the same weight."""
    return PoseErrors(*np.mean([astuple(errors) for errors in actions.values()], axis=0).tolist())


def validation_errors(
    pose: TemporalConvNet, trajectory: TemporalConvNet | None, clips: list[Clip]
) -> dict[str, float]:
    """The mean errors that are logged after each epoch; each clip weighs as much as it has frames.

    Args:
        pose: The pose network.
        trajectory: The trajectory network, if there is one.
        clips: Clips with or without ground truth.

    Returns:
        `3d`: MPJPE, metres. `traj`: the root's mean distance, metres. `2d`: the mean distance of
        projected joints and keypoints, screen coordinates. Those that cannot be computed are
        missing.
    """
    totals: dict[str, float] = {}
    frames: dict[str, int] = {}
    for clip in clips:
        if len(clip):
            for name, error in _validation_terms(pose, trajectory, clip):
                totals[name] = totals.get(name, 0.0) + float(error) * len(clip)
                frames[name] = frames.get(name, 0) + len(clip)
    return {name: total / frames[name] for name, total in totals.items()}


def _validation_terms(
    pose: TemporalConvNet, trajectory: TemporalConvNet | None, clip: Clip
) -> Iterator[tuple[str, float | Floats]]:
    """The errors of one clip by name."""
    joints_m = predict(pose, clip.keypoints)
    if clip.joints_m is not None:
        yield "3d", metrics.mpjpe(joints_m, clip.joints_m)
    if trajectory is None:
        return
    root_m = predict(trajectory, clip.keypoints)  # (T, 1, 3)
    if clip.root_m is not None:
        yield "traj", metrics.mpjpe(root_m[:, 0], clip.root_m)
    if clip.camera.lens is not None:
        # π(X + t), as in `train.reproduce.losses.projection_loss`.
        projected = project_distorted((joints_m + root_m)[None], clip.camera.lens[None])[0]
        yield "2d", metrics.mpjpe(projected, clip.keypoints[..., :2])
