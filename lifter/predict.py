"""Pixels in, metres out: the predictor around the network. numpy outside, tensors inside."""

from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from core.camera import pixels_to_rays
from core.errors import WeightsError
from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21
from core.types import CameraPoses, Floats, Intrinsics, LifterInput
from lifter.bones import half_rigid_bones
from lifter.checkpoint import LifterSpec, load_lifter
from lifter.fusion import fuse
from lifter.input_keypoints import CONVERTIBLE, network_keypoints, with_keypoints_of
from lifter.network import LiftingNetwork
from lifter.normalize import (
    flip_joints,
    flip_person_windows,
    person_windows,
    screen_from_pixels,
    tilted,
)
from lifter.reprojection import fit_keypoints, root_trajectory

_CHUNK = 64  # windows a forward pass: their activations fit the cache
_STEADY_S = 1 / 30
"""Standard deviation of the smoothing of what the network lifts frame by frame: less jitter at no
cost in position. What is lifted from the past alone is not smoothed."""
_TILT_RAD = 0.3
"""The window and its mirror image are lifted as cameras rolled to either side see them: the errors
of the two are less correlated then."""


class Lifter:
    """A network with what is needed to use it on keypoints in pixels."""

    def __init__(self, model: LiftingNetwork, spec: LifterSpec, flip: bool = True) -> None:
        """Wrap a network.

        Args:
            model: The network, in evaluation mode.
            spec: What it was trained for.
            flip: Whether the prediction is averaged with that of the mirrored person.
        """
        self.model = model
        self.spec = spec
        self.flip = flip

    @classmethod
    def load(cls, path: Path, flip: bool = True) -> "Lifter":
        """Open a lifter file.

        Raises:
            WeightsError: It is none, takes keypoints that cannot be made of COCO-21, or gives other
                joints than Human3.6M's.
        """
        model, spec = load_lifter(path)
        _check_usable(path, spec)
        return cls(model, spec, flip=flip)

    @torch.inference_mode()
    def lift(self, sequence: LifterInput, intrinsics: Intrinsics) -> CameraPoses:
        """Lift one person's keypoints to joints and the pelvis' path, both in camera space.

        Args:
            sequence: T frames at the lifter's frame rate.
            intrinsics: The camera.

        Returns:
            T poses; the pelvis is NaN if no limb was seen in any frame.

        Raises:
            ValueError: The lifter's keypoints cannot be made of these.
        """
        lifted, sigma = self._joints(sequence, intrinsics, 0)
        if self.spec.normalization == "person":
            lifted = gaussian_filter1d(lifted, _STEADY_S * sequence.fps, axis=0, mode="nearest")
        joints, root = self.finish(lifted, sequence, intrinsics)
        return CameraPoses(joints, root, self.spec.skeleton_out, sigma)

    @torch.inference_mode()
    def lift_last(self, sequence: LifterInput, intrinsics: Intrinsics) -> tuple[Floats, Floats]:
        """Lift the last frame of a sequence only, for live sources.

        Args:
            sequence: Frames at the lifter's frame rate, the last one to be lifted.
            intrinsics: The camera.

        Returns:
            (J, 3) the network's joints, metres from the pelvis, without what `finish` does, and
            their σ (J,) metres, NaN where the network does not say.
        """
        joints, sigma = self._joints(sequence, intrinsics, len(sequence.times_s) - 1)
        return joints[0], sigma[0]

    def finish(
        self, joints_m: Floats, sequence: LifterInput, intrinsics: Intrinsics
    ) -> tuple[Floats, Floats]:
        """Do all that follows the network: fusion, bones, root, fit to the keypoints.

        VideoPose3D's lifters (`screen`) give their joints as published, only fused.

        Args:
            joints_m: (T, J, 3) the network's joints, metres from the pelvis.
            sequence: The keypoints of the same T frames, with the detector's own 3D.
            intrinsics: The camera.

        Returns:
            Joints (T, J, 3), metres from the pelvis, and the pelvis (T, 3) in camera space.
        """
        skeleton = self.spec.skeleton_out
        joints = fuse(joints_m, sequence.keypoints_3d, skeleton=skeleton)
        if self.spec.normalization != "person":
            return joints, root_trajectory(joints, sequence, intrinsics)
        joints = half_rigid_bones(joints, skeleton)
        root = root_trajectory(joints, sequence, intrinsics)
        return fit_keypoints(joints, root, sequence, intrinsics, skeleton)

    def _joints(
        self, sequence: LifterInput, intrinsics: Intrinsics, first: int
    ) -> tuple[Floats, Floats]:
        """Joints (T - first, J, 3) and σ (T - first, J), metres, from frame `first` on."""
        by_name = {"screen": self._lift_screen, "person": self._lift_person}
        lifted = by_name[self.spec.normalization](sequence, intrinsics, first)
        numbers: Floats = lifted.numpy().astype(np.float64)
        joints = numbers[..., :3]
        says_sigma = self.spec.model.features_out == 4
        sigma = np.exp(numbers[..., 3]) if says_sigma else np.full(joints.shape[:-1], np.nan)
        return joints - joints[:, :1], sigma

    def _lift_screen(self, sequence: LifterInput, intrinsics: Intrinsics, first: int) -> Tensor:
        """Slide the network over the whole sequence, its ends repeated."""
        own = network_keypoints(sequence, self.spec.skeleton_in)
        keypoints = torch.from_numpy(own).float()
        points = screen_from_pixels(keypoints, 2 * intrinsics.cx, 2 * intrinsics.cy)
        before, after = self.spec.model.padding
        padded = torch.cat(
            [points[:1].expand(before, -1, -1), points, points[-1:].expand(after, -1, -1)]
        )[first:]
        joints = self.model(padded[None])[0]
        if self.flip:
            mirrored = self.model(flip_joints(padded, self.spec.skeleton_in)[None])[0]
            joints = (joints + flip_joints(mirrored, self.spec.skeleton_out)) / 2
        return torch.as_tensor(joints)

    def _lift_person(self, sequence: LifterInput, intrinsics: Intrinsics, first: int) -> Tensor:
        """Lift each frame from a window of its own, which is how the network was trained."""
        keypoints, joints_out = self.spec.skeleton_in, self.spec.skeleton_out
        sequence = with_keypoints_of(sequence, keypoints)
        rays = torch.from_numpy(pixels_to_rays(sequence.keypoints, intrinsics)).float()
        scores = torch.from_numpy(np.asarray(sequence.scores)).float()
        before, after = self.spec.model.padding
        last = len(rays) - 1
        offsets = torch.arange(-before, after + 1)
        lifted = []
        for chunk in torch.split(torch.arange(first, len(rays)), _CHUNK):
            frames = (chunk[:, None] + offsets).clamp(0, last)  # (B, window), ends repeated
            windows, rotation = person_windows(rays[frames], scores[frames], before)
            if self.flip:
                mirrored = self._lift_tilted(flip_person_windows(windows, keypoints))
                joints = (self._lift_tilted(windows) + flip_joints(mirrored, joints_out)) / 2
            else:
                joints = self.model.forward_windows(windows)
            joints[..., :3] = joints[..., :3] @ rotation  # rotationᵀ: back to camera axes
            lifted.append(joints)
        return torch.cat(lifted)

    def _lift_tilted(self, windows: Tensor) -> Tensor:
        """(B, J, 3 or 4) of windows (B, T, K + 1, 3), lifted as a rolled camera sees them."""
        return tilted(self.model.forward_windows(tilted(windows, _TILT_RAD)), -_TILT_RAD)


def _check_usable(path: Path, spec: LifterSpec) -> None:
    """Refuse networks that this program cannot feed."""
    is_screen = spec.normalization == "screen"
    taken = CONVERTIBLE if is_screen else (COCO_17, COCO_21)
    if spec.skeleton_in not in taken:
        raise WeightsError(
            f"{path}: takes {spec.skeleton_in.name} keypoints, and only"
            f" {' or '.join(skeleton.name for skeleton in taken)} can be had for it"
        )
    if spec.skeleton_out not in (H36M_17, H36M_21):
        raise WeightsError(
            f"{path}: gives {spec.skeleton_out.name}, and results have {H36M_17.name} or"
            f" {H36M_21.name}"
        )
    features = 2 if is_screen else 3
    if spec.model.features_in != features:
        raise WeightsError(
            f"{path}: takes {spec.model.features_in} numbers per keypoint, and"
            f" {spec.normalization} normalization gives {features}"
        )
