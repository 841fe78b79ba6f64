"""Pixels in, metres out: the predictor around the network. numpy outside, tensors inside."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.camera import pixels_to_rays
from core.types import CameraPoses, Floats, Intrinsics, LifterInput
from lifter.bones import even_bones
from lifter.checkpoint import LifterSpec, load_lifter
from lifter.fusion import fuse
from lifter.model import TemporalConvNet
from lifter.normalize import (
    flip_joints,
    flip_person_windows,
    person_windows,
    screen_from_pixels,
    tilted,
)
from lifter.reprojection import fit_keypoints, root_trajectory

_CHUNK = 64  # windows a forward pass: their activations fit the cache
_TILT_RAD = 0.3
"""The person and the mirrored one are shown as cameras tilted to either side see them: they err less alike then."""


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
        joints, root = self.finish(self._joints(sequence, intrinsics, 0), sequence, intrinsics)
        return CameraPoses(joints, root, self.spec.skeleton_out)

    @torch.inference_mode()
    def lift_newest(self, sequence: LifterInput, intrinsics: Intrinsics) -> Floats:
        """The joints (J, 3) of the last frame alone, relative to the pelvis, the network's own: for live pictures."""
        return np.asarray(self._joints(sequence, intrinsics, len(sequence.times_s) - 1)[0])

    def finish(
        self, joints_m: Floats, sequence: LifterInput, intrinsics: Intrinsics
    ) -> tuple[Floats, Floats]:
        """The network's joints (T, J, 3) with a detector's own 3D averaged in, bones evened and all brought nearer to
        the keypoints; and where the pelvis is, (T, 3). Metres in camera space."""
        joints = fuse(joints_m, sequence.keypoints_3d)
        if self.spec.normalization != "person":  # VideoPose3D's lifters give what they always gave
            return joints, root_trajectory(joints, sequence, intrinsics)
        joints = even_bones(joints)
        return fit_keypoints(
            joints, root_trajectory(joints, sequence, intrinsics), sequence, intrinsics
        )

    def _joints(self, sequence: LifterInput, intrinsics: Intrinsics, first: int) -> Floats:
        """(T - first, J, 3) metres relative to the pelvis, from frame `first` on."""
        if sequence.skeleton != self.spec.skeleton_in:
            raise ValueError(
                f"expected {self.spec.skeleton_in.name} keypoints, got {sequence.skeleton.name}"
            )
        by_name = {"screen": self._lift_screen, "person": self._lift_person}
        lifted = (
            by_name[self.spec.normalization](sequence, intrinsics, first).numpy().astype(np.float64)
        )
        return np.asarray(lifted - lifted[:, :1])

    def _lift_screen(self, sequence: LifterInput, intrinsics: Intrinsics, first: int) -> Tensor:
        """Through dilated convolutions over the whole sequence, its ends repeated."""
        keypoints = torch.from_numpy(np.nan_to_num(sequence.keypoints)).float()
        points = screen_from_pixels(keypoints, 2 * intrinsics.cx, 2 * intrinsics.cy)
        before, after = self.spec.model.padding
        padded = torch.cat(
            [points[:1].expand(before, -1, -1), points, points[-1:].expand(after, -1, -1)]
        )[first:]
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
                joints = (
                    self._tilted_joints(windows) + flip_joints(mirrored, self.spec.skeleton_out)
                ) / 2
            else:
                joints = self.model.forward_windows(windows)
            lifted.append(joints @ rotation)
        return torch.cat(lifted)

    def _tilted_joints(self, windows: Tensor) -> Tensor:
        return tilted(self.model.forward_windows(tilted(windows, _TILT_RAD)), -_TILT_RAD)
