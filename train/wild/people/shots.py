"""What a detector said of filmed people, and what is true: to train on, and to measure with."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.camera import pixels_to_rays
from core.errors import InputError
from core.skeletons import COCO_17, H36M_17
from core.types import Floats, Intrinsics, LifterInput
from lifter.normalize import person_windows, tilted
from lifter.side_swaps import settle_sides
from train.motion_data import bridge_gaps
from train.wild.detector_errors import PLACED_M, PLAIN_SCORE, placement_spread
from train.wild.mocap import MOCAP_JOINTS
from train.wild.motion_bank import pelvis_frame

FPS = 30.0
MIN_SCORE = 0.1
"""As in the application: below it a keypoint counts as not seen."""
_ROLL_RAD = (
    0.3  # what was filmed upright serves as filmed by a tilted camera too, normally distributed
)
_PLAIN_SCORES = (
    0.3  # share of windows whose confidences say nothing: other detectors' say other things
)
_LENS_KNOWN = (
    0.4  # share of windows whose field of view the lifter is told rightly, as in synthesis
)


@dataclass(frozen=True)
class Shots:
    """S shots of T frames: what a detector said, NaN where it saw nobody, and what is true.

    keypoints (S, T, 17, 2) px; scores (S, T, 17); keypoints_3d (S, T, 17, 3) as in `Detections`; points (S, T, 22, 3)
    metres in camera space, in the order of `train.wild.people.posing.POINTS`; cameras (S, 4): fx, fy, cx, cy px.
    """

    keypoints: Floats
    scores: Floats
    keypoints_3d: Floats
    points: Floats
    cameras: Floats

    @classmethod
    def load(cls, *folders: Path) -> "Shots":
        """All that `python -m train film` left in some folders."""
        files = []
        for folder in folders:
            paths = sorted(folder.glob("shots_*.npz"))
            if not paths:
                raise InputError(f"{folder}: no shots of `python -m train film` in it")
            files += [dict(np.load(path, allow_pickle=False)) for path in paths]
        return cls(
            **{
                name: np.concatenate([file[name] for file in files])
                for name in cls.__dataclass_fields__
            }
        )

    def save(self, path: Path) -> None:
        """Write them whole or not at all."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez_compressed(
                file, **{name: value.astype(np.float32) for name, value in vars(self).items()}
            )
        partial.replace(path)

    def sequences(self) -> Iterator[tuple[LifterInput, Intrinsics, Floats, Floats]]:
        """Each shot in which somebody was seen, as a lifter takes it; the true `MOCAP_JOINTS` (T, 18, 3) in camera
        space; and the detector's own 3D (T, 17, 3) as it was, its sides not settled."""
        for keypoints, scores, points, truth, camera in zip(*vars(self).values(), strict=True):
            seen = ~np.isnan(keypoints[..., 0]) & (scores >= MIN_SCORE)
            if not seen.any():
                continue
            fx, fy, cx, cy = camera.astype(float).tolist()
            times = np.arange(len(keypoints)) / FPS
            detected = np.where(seen[..., None], keypoints.astype(np.float64), np.nan)
            scores = np.where(seen, scores, 0.0)
            detected, scores, settled = settle_sides(detected, scores, points, times, MIN_SCORE)
            sequence = LifterInput(times, bridge_gaps(detected), scores, settled, FPS, COCO_17)
            joints = truth[:, : len(MOCAP_JOINTS)].astype(np.float64)
            yield sequence, Intrinsics(fx, fy, cx, cy, "given"), joints, points


class FilmedWindows:
    """Draws training batches out of shots; `generator` decides what.

    What lies before a shot's first frame and after its last, where a window reaches beyond them, is in one half of the
    windows that frame again, as where the application pads, and in the other half the shot backwards.
    """

    def __init__(
        self, shots: Shots, frames: int, centre_frame: int, generator: torch.Generator
    ) -> None:
        columns = [
            (pixels_to_rays(sequence.keypoints, camera), sequence.scores, truth)
            for sequence, camera, truth, _ in shots.sequences()
        ]
        rays, self.scores, self.joints = (
            torch.from_numpy(np.stack(column)).float().to(generator.device)
            for column in zip(*columns, strict=True)
        )
        self.rays = rays + _misplaced(rays, self.scores, self.joints)
        self._spread = placement_spread(generator.device)
        self._steps = torch.arange(frames, device=generator.device) - centre_frame
        self._centre_frame = centre_frame
        self._generator = generator

    def window(
        self, shot: Tensor, frame: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Indices of shots and frames (B, T) around frames (B,) of shots (B,)."""
        length = self.joints.shape[1]
        steps = frame[:, None] + self._steps
        backwards = length - 1 - ((steps % (2 * length - 2)) - (length - 1)).abs()
        pad = torch.rand(len(shot), 1, generator=generator, device=steps.device) < 0.5
        return shot[:, None], torch.where(pad, steps.clamp(0, length - 1), backwards)

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Network input (size, T, 18, 3) and the target (size, 17, 3): metres from the pelvis, virtual camera axes."""
        count, length = self.joints.shape[:2]
        device = self._generator.device
        shot = torch.randint(count, (size,), generator=self._generator, device=device)
        frame = torch.randint(length, (size,), generator=self._generator, device=device)
        at = self.window(shot, frame, self._generator)
        angle = torch.randn(size, 1, 1, generator=self._generator, device=device) * _ROLL_RAD
        focal = torch.exp(0.25 * torch.randn(size, generator=self._generator, device=device))
        known = torch.rand(size, generator=self._generator, device=device) < _LENS_KNOWN
        placed = (
            torch.randn(size, 1, len(COCO_17), 2, generator=self._generator, device=device)
            * self._spread
        )
        rays = (
            self.rays[at]
            + placed / self.joints[shot, frame, 0, 2].clamp(min=1.0)[:, None, None, None]
        )
        rays = tilted(rays, angle) * focal.masked_fill(known, 1.0)[:, None, None, None]
        plain = torch.rand(size, 1, 1, generator=self._generator, device=device) < _PLAIN_SCORES
        scores = torch.where(plain & (self.scores[at] > 0), PLAIN_SCORE, self.scores[at])
        windows, rotation = person_windows(rays, scores, self._centre_frame)
        pose = self.joints[shot, frame, : len(H36M_17)]
        target = tilted(pose - pose[:, :1], angle[:, 0])
        return windows, target @ rotation.transpose(1, 2)


def _misplaced(rays: Tensor, scores: Tensor, truth: Tensor) -> Tensor:
    """By how much keypoints (S, T, 17, 2) must move to lie on the body as those of synthetic people do, on average.

    A detector's idea of a joint and that of the filmed people's skeleton are a few centimetres apart, the same way all
    the time; windows of other anatomy than the rest would teach that those who look filmed have it. scores (S, T, 17),
    truth (S, T, 18, 3).
    """
    named = dict(zip(MOCAP_JOINTS, truth.unbind(2), strict=True))
    right, forward, up = pelvis_frame(truth).unbind(-1)
    moves = torch.zeros_like(rays)
    for limb, parent in _PARENTS.items():
        both = COCO_17.indices((f"left_{limb}", f"right_{limb}"))
        axes, found = [], []
        for side, keypoint, sign in zip("lr", both, (-1.0, 1.0), strict=True):
            joint, ray = named[f"{side}_{limb}"], rays[:, :, keypoint]
            inward = (
                torch.nn.functional.normalize(named[f"{side}_{parent}"] - joint, dim=-1)
                if parent
                else up
            )
            along = torch.stack([sign * right, forward, inward], -1)  # (S, T, 3, 3), columns
            depth = joint[..., 2:]
            axes.append(
                (along[..., :2, :] - ray[..., None] * along[..., 2:, :]) / depth[..., None]
            )  # ray per metre
            found.append(ray - joint[..., :2] / depth)
        seen = scores[:, :, both] > _SURE
        per_metre, off = (
            torch.stack(axes, 2),
            torch.stack(found, 2),
        )  # (S, T, 2, 2, 3), (S, T, 2, 2)
        near = seen & (off.norm(dim=-1) * truth[:, :, :1, 2] < _ASTRAY_M)
        if near.sum() < _ENOUGH:
            continue
        place = torch.linalg.lstsq(
            per_metre[near].flatten(0, 1), off[near].flatten()[:, None]
        ).solution[:, 0]
        wanted = place.new_tensor(PLACED_M.get(limb, (0.0, 0.0, 0.0)))
        moves[:, :, both] = per_metre @ (wanted - place)
    return moves


_PARENTS = {
    "shoulder": None,
    "elbow": "shoulder",
    "wrist": "elbow",
    "hip": None,
    "knee": "hip",
    "ankle": "knee",
}
_SURE, _ASTRAY_M, _ENOUGH = 0.6, 0.15, 100
"""Keypoints that tell where a detector means a joint to be: score, distance in metres, and how many there must be."""
