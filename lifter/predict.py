"""Pixels in, metres out: the predictor around the network. numpy outside, tensors inside."""

from pathlib import Path

import numpy as np
import torch
from scipy.linalg import solveh_banded
from torch import Tensor

from core.camera import pixels_to_rays
from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Floats, Intrinsics, LifterInput
from lifter.bones import even_bones
from lifter.checkpoint import LifterSpec, load_lifter
from lifter.fusion import fuse
from lifter.model import TemporalConvNet
from lifter.normalize import flip_joints, flip_person_windows, person_windows, screen_from_pixels, tilted

_CHUNK = 64  # windows a forward pass: their activations fit the cache
_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
LIMBS_IN = COCO_17.indices(tuple(f"{side}_{limb}" for side in ("left", "right") for limb in _LIMBS))
"""Keypoints that lie on joints of `LIMBS_OUT`, in the same order."""
LIMBS_OUT = H36M_17.indices(tuple(f"{side}_{limb}" for side in ("l", "r") for limb in _LIMBS))

_TILT_RAD = 0.3
"""The person and the mirrored one are shown as cameras tilted to either side see them: they err less alike then."""
_KEYPOINT_ERROR_M = 0.03  # how far a keypoint lies from its joint, seen at the person
_ACCELERATION_M_S2 = 3.0  # what a pelvis does without effort; above it, the 2D must insist


class Lifter:
    """A network with what is needed to use it on keypoints in pixels."""

    def __init__(self, model: TemporalConvNet, spec: LifterSpec, flip: bool = True) -> None:
        """`flip` averages the prediction with that of the mirrored person."""
        self.model = model
        self.spec = spec
        self.flip = flip

    @classmethod
    def load(cls, path: Path, flip: bool = True) -> "Lifter":
        """Open a lifter file; `WeightsError` if it is none."""
        return cls(*load_lifter(path), flip=flip)

    @torch.inference_mode()
    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        """One person's keypoints → joints relative to the pelvis and the pelvis' path, both in camera space.

        `sequence` has the lifter's frame rate and input skeleton; `ValueError` if not.
        """
        joints = self.finish(self._joints(sequence, intrinsics, 0), sequence.keypoints_3d)
        root = root_trajectory(joints, sequence, intrinsics)
        return CameraPoses(joints, root, self.spec.skeleton_out)

    @torch.inference_mode()
    def lift_newest(self, sequence: LifterInput, intrinsics: Intrinsics) -> Floats:
        """The joints (J, 3) of the last frame alone, relative to the pelvis, the network's own: for live pictures."""
        return np.asarray(self._joints(sequence, intrinsics, len(sequence.times_s) - 1)[0])

    def finish(self, joints_m: Floats, keypoints_3d: Floats) -> Floats:
        """The network's joints (T, J, 3) with a detector's own 3D (T, 17, 3) averaged in and bones evened."""
        joints = fuse(joints_m, keypoints_3d)
        if self.spec.normalization == "person":  # VideoPose3D's lifters give what they always gave
            joints = even_bones(joints)
        return joints

    def _joints(self, sequence: LifterInput, intrinsics: Intrinsics, first: int) -> Floats:
        """(T - first, J, 3) metres relative to the pelvis, from frame `first` on."""
        if sequence.skeleton != self.spec.skeleton_in:
            raise ValueError(f"expected {self.spec.skeleton_in.name} keypoints, got {sequence.skeleton.name}")
        by_name = {"screen": self._lift_screen, "person": self._lift_person}
        lifted = by_name[self.spec.normalization](sequence, intrinsics, first).numpy().astype(np.float64)
        return np.asarray(lifted - lifted[:, :1])

    def _lift_screen(self, sequence: LifterInput, intrinsics: Intrinsics, first: int) -> Tensor:
        """Through dilated convolutions over the whole sequence, its ends repeated."""
        keypoints = torch.from_numpy(np.nan_to_num(sequence.keypoints)).float()
        points = screen_from_pixels(keypoints, 2 * intrinsics.cx, 2 * intrinsics.cy)
        before, after = self.spec.model.padding
        padded = torch.cat([points[:1].expand(before, -1, -1), points, points[-1:].expand(after, -1, -1)])[first:]
        joints = self.model(padded[None])[0]
        if self.flip:
            mirrored = self.model(flip_joints(padded, sequence.skeleton)[None])[0]
            joints = (joints + flip_joints(mirrored, self.spec.skeleton_out)) / 2
        return torch.as_tensor(joints)

    def _lift_person(self, sequence: LifterInput, intrinsics: Intrinsics, first: int) -> Tensor:
        """Each frame from a window of its own, which is how the network was trained."""
        rays = torch.from_numpy(pixels_to_rays(sequence.keypoints, intrinsics)).float()
        scores = torch.from_numpy(np.asarray(sequence.scores)).float()
        before, after = self.spec.model.padding
        last = len(rays) - 1
        steps = torch.arange(-before, after + 1)
        lifted = []
        for chunk in torch.split(torch.arange(first, len(rays)), _CHUNK):
            at = (chunk[:, None] + steps).clamp(0, last)  # ends repeated
            windows, rotation = person_windows(rays[at], scores[at], before)
            if self.flip:
                mirrored = self._tilted_joints(flip_person_windows(windows))
                joints = (self._tilted_joints(windows) + flip_joints(mirrored, self.spec.skeleton_out)) / 2
            else:
                joints = self.model.forward_windows(windows)
            lifted.append(joints @ rotation)
        return torch.cat(lifted)

    def _tilted_joints(self, windows: Tensor) -> Tensor:
        return tilted(self.model.forward_windows(tilted(windows, _TILT_RAD)), -_TILT_RAD)


def root_trajectory(joints_m: Floats, sequence: LifterInput, intrinsics: Intrinsics) -> Floats:
    """The pelvis in camera space, (T, 3) metres: where `joints_m` (T, 17, 3) must stand to be seen at the keypoints.

    A joint X at root t is seen along the ray u when X + t = z · (u, 1), which is linear in t. Least squares over the
    limbs of all frames, weighted by score, with a penalty on acceleration that keeps depth steady under noise and
    carries the path through frames in which nothing was seen. One banded system of normal equations.
    """
    rays = pixels_to_rays(np.nan_to_num(sequence.keypoints[:, LIMBS_IN]), intrinsics)  # (T, 12, 2)
    limbs = joints_m[:, LIMBS_OUT]
    weight = np.nan_to_num(sequence.scores[:, LIMBS_IN]) / _KEYPOINT_ERROR_M**2
    if not weight.any():
        return np.full((len(joints_m), 3), np.nan)
    u, v = rays[..., 0], rays[..., 1]
    off_x, off_y = u * limbs[..., 2] - limbs[..., 0], v * limbs[..., 2] - limbs[..., 1]  # = tx - u tz, ty - v tz
    total, wu, wv = weight.sum(1), (weight * u).sum(1), (weight * v).sum(1)
    wuv = (weight * (u * u + v * v)).sum(1)
    right = np.stack([
        (weight * off_x).sum(1),
        (weight * off_y).sum(1),
        -(weight * (u * off_x + v * off_y)).sum(1),
    ], 1)  # fmt: skip
    frames = len(joints_m)
    band = np.zeros((7, 3 * frames))  # lower form: band[d, j] = A[j + d, j]; frames two apart are 6 unknowns apart
    band[0, 0::3], band[0, 1::3], band[0, 2::3] = total, total, wuv
    band[2, 0::3], band[1, 1::3] = -wu, -wv
    stiffness = (sequence.fps**2 / _ACCELERATION_M_S2) ** 2
    difference = (1.0, -2.0, 1.0)
    for i in range(3):
        for j in range(i + 1):
            columns = slice(3 * j, 3 * (j + max(frames - 2, 0)))
            band[3 * (i - j), columns] += stiffness * difference[i] * difference[j]
    band[0] += 1e-9 * band[0].max()  # a person seen as one point has no depth
    return np.asarray(solveh_banded(band, right.ravel(), lower=True)).reshape(frames, 3)
