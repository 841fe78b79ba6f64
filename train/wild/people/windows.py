"""Training batches of what a detector made of filmed people."""

import numpy as np
import torch
from torch import Tensor

from core.camera import pixels_to_rays
from core.skeletons import COCO_21, H36M_21
from lifter.normalize import person_windows, tilted
from train.wild.motion.bank import pelvis_frame
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.people.shots import Shots
from train.wild.synthesis.detector import FOCAL_SPREAD, PLAIN_SCORE
from train.wild.synthesis.keypoints import KEYPOINT_OFFSETS_M, foot_axes, keypoint_bias_m
from train.wild.synthesis.recipe import Recipe
from train.wild.synthesis.tensors import RandomTensors

_ROLL_RAD = 0.3  # standard deviation; what was filmed upright serves for tilted cameras too
_PLAIN_SCORES = 0.3  # share of windows with `PLAIN_SCORE`: other detectors mean other things
_LENS_KNOWN = Recipe.lens_known  # share of windows with the right focal length

_PARENTS = {
    "shoulder": None, "elbow": "shoulder", "wrist": "elbow",
    "hip": None, "knee": "hip", "ankle": "knee", "heel": "foot", "toe": "foot",
}  # fmt: skip
_SURE, _NEAR_M, _ENOUGH = 0.6, 0.15, 100
"""Keypoints that show where a detector means a joint to be: their least score, their largest
distance from the joint, and how many there must be."""


class FilmedWindows:
    """Draws training batches out of shots.

    A window may reach beyond the first or last frame of its shot. There, half of the windows repeat
    that frame, as the application pads, and half play the shot backwards.

    Attributes:
        rays: (S, T, 21, 2) viewing rays, moved onto the joints as synthetic ones lie (`_shifts`).
        scores: (S, T, 21).
        joints: (S, T, 22, 3) true positions in camera space, metres.
    """

    def __init__(
        self, shots: Shots, frames: int, centre_frame: int, generator: torch.Generator
    ) -> None:
        """Load shots onto the generator's device.

        Args:
            shots: What was filmed.
            frames: Frames of a window.
            centre_frame: The frame of a window that is to be lifted.
            generator: Decides all that is random in `batch`.
        """
        columns = [
            (pixels_to_rays(given.keypoints, camera), given.scores, joints)
            for given, camera, joints, *_ in shots.sequences()
        ]
        rays, self.scores, self.joints = (
            torch.from_numpy(np.stack(column)).float().to(generator.device)
            for column in zip(*columns, strict=True)
        )
        self.rays = rays + _shifts(rays, self.scores, self.joints)
        self._bias_m = keypoint_bias_m(generator.device)
        self._offsets = torch.arange(frames, device=generator.device) - centre_frame
        self._centre_frame = centre_frame
        self._random = RandomTensors(generator)

    def window(
        self, shot: Tensor, frame: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Index the windows around some frames.

        Args:
            shot: (B,) indices of shots.
            frame: (B,) the frames to be lifted.
            generator: Decides how a window goes on beyond its shot.

        Returns:
            Shots (B, 1) and frames (B, T), to index `rays`, `scores` and `joints` with.
        """
        last = self.joints.shape[1] - 1
        frames = frame[:, None] + self._offsets
        backwards = last - ((frames % (2 * last)) - last).abs()  # a triangle wave
        pad = RandomTensors(generator).chance(0.5, len(shot), 1)
        return shot[:, None], torch.where(pad, frames.clamp(0, last), backwards)

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Draw windows and what a lifter should answer, as `Synthesizer.batch`.

        Returns:
            Network input (size, T, 22, 3) and the target (size, 21, 3): metres from the pelvis, in
            the axes of the virtual camera.
        """
        random = self._random
        count, length = self.joints.shape[:2]
        shot = random.index(count, size)
        frame = random.index(length, size)
        at = self.window(shot, frame, random.generator)
        roll = random.normal(size, 1, 1) * _ROLL_RAD
        stretch = torch.exp(FOCAL_SPREAD * random.normal(size))  # of a wrong focal length
        known = random.chance(_LENS_KNOWN, size)
        bias = random.normal(size, 1, len(COCO_21), 2) * self._bias_m
        depth = self.joints[shot, frame, 0, 2].clamp(min=1.0)
        rays = self.rays[at] + bias / depth[:, None, None, None]
        rays = tilted(rays, roll) * stretch.masked_fill(known, 1.0)[:, None, None, None]
        plain = random.chance(_PLAIN_SCORES, size, 1, 1)
        scores = torch.where(plain & (self.scores[at] > 0), PLAIN_SCORE, self.scores[at])
        windows, rotation = person_windows(rays, scores, self._centre_frame)
        pose = self.joints[shot, frame, : len(H36M_21)]
        target = tilted(pose - pose[:, :1], roll[:, 0])
        return windows, target @ rotation.transpose(1, 2)


def _shifts(rays: Tensor, scores: Tensor, truth: Tensor) -> Tensor:
    """By how much keypoints must move to lie on the body, on average, as synthetic people's do.

    A detector's idea of a joint and that of the filmed people's skeleton are a few centimetres
    apart, always in the same direction. Windows of another anatomy than the rest would teach a
    lifter that people who look filmed have it.

    With a joint at x (z its depth) and axes A of its limb, a point at x + A p has to first order
    the ray x_xy/z + J p, J = (A_xy - r A_z) / z. The detector's mean offset, by ordinary least
    squares over sure and near keypoints, is p̂ = argmin_p Σ ‖r - x_xy/z - J p‖². The shift is
    J (p* - p̂), with p* the offset that synthetic keypoints have.

    Args:
        rays: (S, T, 21, 2) detected viewing rays r.
        scores: (S, T, 21).
        truth: (S, T, 22, 3) joints x in camera space, metres.

    Returns:
        (S, T, 21, 2) to be added to `rays`; 0 where too few keypoints are sure.
    """
    named = dict(zip(MOCAP_JOINTS, truth.unbind(2), strict=True))
    right, forward, up = pelvis_frame(truth).unbind(-1)
    shifts = torch.zeros_like(rays)
    for limb, parent in _PARENTS.items():
        name = "big_toe" if limb == "toe" else limb
        both = COCO_21.indices((f"left_{name}", f"right_{name}"))
        jacobians, residuals = [], []
        for side, keypoint, sign in zip("lr", both, (-1.0, 1.0), strict=True):
            joint, ray = named[f"{side}_{limb}"], rays[:, :, keypoint]
            if parent == "foot":
                foot = (named[f"{side}_{part}"] for part in ("ankle", "heel", "toe"))
                outward, ahead, along = foot_axes(*foot)
            elif parent:
                outward, ahead = right, forward
                bone = named[f"{side}_{parent}"] - joint
                along = torch.nn.functional.normalize(bone, dim=-1)
            else:
                outward, ahead, along = right, forward, up
            axes = torch.stack([sign * outward, ahead, along], -1)  # A (S, T, 3, 3), columns
            depth = joint[..., 2:]  # z
            jacobians.append(
                (axes[..., :2, :] - ray[..., None] * axes[..., 2:, :]) / depth[..., None]
            )
            residuals.append(ray - joint[..., :2] / depth)
        jacobian = torch.stack(jacobians, 2)  # J (S, T, 2, 2, 3)
        residual = torch.stack(residuals, 2)  # r - x_xy/z (S, T, 2, 2)
        sure = scores[:, :, both] > _SURE
        used = sure & (residual.norm(dim=-1) * truth[:, :, :1, 2] < _NEAR_M)
        if used.sum() < _ENOUGH:
            continue
        equations, values = jacobian[used].flatten(0, 1), residual[used].flatten()
        offset = torch.linalg.lstsq(equations, values[:, None]).solution[:, 0]  # p̂
        wanted = offset.new_tensor(KEYPOINT_OFFSETS_M.get(limb, (0.0, 0.0, 0.0)))  # p*
        shifts[:, :, both] = jacobian @ (wanted - offset)
    return shifts
