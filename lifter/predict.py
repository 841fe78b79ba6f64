"""Pixels in, metres out: the predictor around the network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.camera import pixels_to_rays
from core.errors import WeightsError
from core.lazy_scipy import ndimage
from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21
from core.types import CameraPoses, Floats, Intrinsics, LifterInput
from lifter.bones import half_rigid_bones
from lifter.checkpoint import LifterSpec, open_lifter
from lifter.config import PoseNetwork
from lifter.fusion import fuse
from lifter.input_keypoints import (
    CONVERTIBLE,
    network_keypoints,
    seen_joints,
    with_keypoints_of,
)
from lifter.normalize import flip_joints, person_windows, screen_from_pixels
from lifter.reprojection import fit_keypoints, fit_last, root_trajectory

_CHUNK = 64  # windows lifted at once: their activations fit the cache
_STEADY_S = 1 / 30
"""Standard deviation of the smoothing of what the network lifts frame by frame: less jitter at no
cost in position. What is lifted from the past alone is not smoothed."""
_ROLL_RAD = 0.3
"""People and their mirror images are lifted as a camera that is rolled sees them: the errors of the
two are less correlated then."""


class Lifter:
    """A network with what is needed to use it on keypoints in pixels."""

    def __init__(self, model: PoseNetwork, spec: LifterSpec, flip: bool = True) -> None:
        """Wrap a network.

        Args:
            model: The network, in evaluation mode where it has others.
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
        model, spec = open_lifter(path)
        _check_usable(path, spec)
        return cls(model, spec, flip=flip)

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
        by_name = {"screen": self._lift_screen, "person": self._lift_person}
        lifted = by_name[self.spec.normalization](sequence, intrinsics)
        lifted, sigma = self._joints(lifted, sequence.observed)
        if self.spec.normalization == "person":
            lifted = ndimage.gaussian_filter1d(
                lifted, _STEADY_S * sequence.fps, axis=0, mode="nearest"
            )
        joints, root = self.finish(lifted, sequence, intrinsics)
        return CameraPoses(joints, root, self.spec.skeleton_out, sigma)

    def lift_last(
        self, sequences: Sequence[LifterInput], intrinsics: Intrinsics
    ) -> tuple[Floats, Floats]:
        """Lift the last frame of each of some people's sequences, for live sources.

        Args:
            sequences: Frames at the lifter's frame rate, the last one to be lifted.
            intrinsics: The camera.

        Returns:
            (N, J, 3) the network's joints, metres from the pelvis, without what `finish` does, and
            their σ (N, J) metres, NaN where the network does not say.
        """
        by_name = {"screen": self._lift_last_screen, "person": self._lift_last_person}
        lifted = by_name[self.spec.normalization](sequences, intrinsics)
        observed = np.concatenate([sequence.observed[-1:] for sequence in sequences])
        return self._joints(lifted, observed)

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
        joints, root = self._in_camera(joints_m, sequence, intrinsics)
        if self.spec.normalization != "person":
            return joints, root
        return fit_keypoints(joints, root, sequence, intrinsics, self.spec.skeleton_out)

    def finish_last(
        self, people: Sequence[tuple[Floats, LifterInput]], intrinsics: Intrinsics
    ) -> list[tuple[Floats, Floats]]:
        """Do what `finish` does for the last frame of each of some people.

        Args:
            people: joints_m (T, J, 3) and the keypoints of each, as for `finish`.
            intrinsics: The camera.

        Returns:
            Joints (J, 3) and the pelvis (3,) of each.
        """
        placed = [
            (*self._in_camera(joints_m, sequence, intrinsics), sequence)
            for joints_m, sequence in people
        ]
        if self.spec.normalization != "person":
            return [(joints[-1], root[-1]) for joints, root, _ in placed]
        return fit_last(placed, intrinsics, self.spec.skeleton_out)

    def _in_camera(
        self, joints_m: Floats, sequence: LifterInput, intrinsics: Intrinsics
    ) -> tuple[Floats, Floats]:
        """What `finish` does before joints are fit to the keypoints."""
        joints = fuse(joints_m, sequence.keypoints_3d, skeleton=self.spec.skeleton_out)
        if self.spec.normalization == "person":
            joints = half_rigid_bones(joints, self.spec.skeleton_out)
        return joints, root_trajectory(joints, sequence, intrinsics)

    def _joints(self, lifted: Floats, observed: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Joints (T, J, 3) and σ (T, J), metres, of what the network says (T, J, 3 or 4)."""
        numbers = lifted.astype(np.float64)
        joints = numbers[..., :3]
        says_sigma = self.spec.model.features_out == 4
        sigma = np.exp(numbers[..., 3]) if says_sigma else np.full(joints.shape[:-1], np.nan)
        if self.spec.hidden_sigma:
            seen = seen_joints(observed, self.spec.skeleton_out)
            sigma = np.where(seen, sigma, sigma * self.spec.hidden_sigma)
        from_pelvis: Floats = joints - joints[:, :1]
        return from_pelvis, sigma

    def _lift_screen(self, sequence: LifterInput, intrinsics: Intrinsics, first: int = 0) -> Floats:
        """Slide the network over a sequence, its ends repeated, from frame `first` on."""
        keypoints = network_keypoints(sequence, self.spec.skeleton_in).astype(np.float32)
        points = screen_from_pixels(keypoints, 2 * intrinsics.cx, 2 * intrinsics.cy)
        padded = np.pad(points, (self.spec.model.padding, (0, 0), (0, 0)), mode="edge")[first:]
        joints: Floats = self.model.lift_sequences(padded[None])[0]
        if not self.flip:
            return joints
        mirrored = self.model.lift_sequences(flip_joints(padded, self.spec.skeleton_in)[None])[0]
        average: Floats = (joints + flip_joints(mirrored, self.spec.skeleton_out)) / 2
        return average

    def _lift_last_screen(self, sequences: Sequence[LifterInput], intrinsics: Intrinsics) -> Floats:
        """Slide the network to the last frame of each sequence."""
        return np.concatenate(
            [self._lift_screen(one, intrinsics, len(one.times_s) - 1) for one in sequences]
        )

    def _lift_person(self, sequence: LifterInput, intrinsics: Intrinsics) -> Floats:
        """Lift each frame from a window of its own, which is how the network was trained.

        With `flip`, the person and the mirror image are lifted in turns, frame by frame, and the
        frames between interpolated: after smoothing the two are averaged as if both were lifted in
        every frame, at half the cost. The first and the last frame are lifted both ways.
        """
        keypoints, joints_out = self.spec.skeleton_in, self.spec.skeleton_out
        rays, scores = self._rays(sequence, intrinsics)
        frames = np.arange(len(rays))
        if not self.flip:
            return self._lift_frames(rays, scores, frames, 0.0)
        is_end = (frames == 0) | (frames == len(rays) - 1)
        own, others = (is_end | (frames % 2 == turn) for turn in (0, 1))
        joints = self._lift_frames(rays, scores, frames[own], _ROLL_RAD)
        mirrored = flip_joints(rays, keypoints), scores[:, keypoints.flip_order]
        mirrored_joints = self._lift_frames(*mirrored, frames[others], _ROLL_RAD)
        both = fill_between(joints, own) + fill_between(
            flip_joints(mirrored_joints, joints_out), others
        )
        return both / 2

    def _lift_last_person(self, sequences: Sequence[LifterInput], intrinsics: Intrinsics) -> Floats:
        """Lift the last frame of each sequence, with `flip` both ways, all by one pass."""
        windows = []
        for sequence in sequences:
            window = self._window(np.array([len(sequence.times_s) - 1]), len(sequence.times_s))
            windows.append([values[window[0]] for values in self._rays(sequence, intrinsics)])
        rays, scores = (np.stack(of_all) for of_all in zip(*windows, strict=True))
        if not self.flip:
            return self._lift_windows(rays, scores, 0.0)
        keypoints = self.spec.skeleton_in
        rays = np.concatenate([rays, flip_joints(rays, keypoints)])
        scores = np.concatenate([scores, scores[..., keypoints.flip_order]])
        joints, mirrored_joints = np.split(self._lift_windows(rays, scores, _ROLL_RAD), 2)
        average: Floats = (joints + flip_joints(mirrored_joints, self.spec.skeleton_out)) / 2
        return average

    def _rays(self, sequence: LifterInput, intrinsics: Intrinsics) -> tuple[Floats, Floats]:
        """Rays (T, K, 2) and scores (T, K) of the network's keypoints."""
        sequence = with_keypoints_of(sequence, self.spec.skeleton_in)
        rays = pixels_to_rays(sequence.keypoints, intrinsics).astype(np.float32)
        return rays, sequence.scores.astype(np.float32)

    def _window(self, frames: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """(N, receptive field) the frames of the windows around frames (N,) of `count`."""
        before, after = self.spec.model.padding
        offsets = np.arange(-before, after + 1)
        return np.asarray((frames[:, None] + offsets).clip(0, count - 1))  # ends repeated

    def _lift_frames(
        self, rays: Floats, scores: Floats, frames: NDArray[np.int64], roll_rad: float
    ) -> Floats:
        """Lift some frames of rays (T, K, 2) with scores (T, K): (N, J, 3 or 4), camera axes."""
        lifted = []
        for start in range(0, len(frames), _CHUNK):
            window = self._window(frames[start : start + _CHUNK], len(rays))
            lifted.append(self._lift_windows(rays[window], scores[window], roll_rad))
        return np.concatenate(lifted)

    def _lift_windows(self, rays: Floats, scores: Floats, roll_rad: float) -> Floats:
        """Lift windows of rays (N, T, K, 2) with scores: (N, J, 3 or 4), camera axes."""
        before, _ = self.spec.model.padding
        windows, rotation = person_windows(rays, scores, before, roll_rad)
        joints = self.model.lift_windows(windows)
        joints[..., :3] = joints[..., :3] @ rotation  # rotationᵀ: back to camera axes
        return joints


def fill_between(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Interpolate every second frame from its neighbours by a cubic polynomial.

    A missing frame t gets 9/16 (x_t-1 + x_t+1) - 1/16 (x_t-3 + x_t+3), near the ends the mean of
    x_t-1 and x_t+1.

    Args:
        values: (N, …) of the known frames.
        known: (T,) which they are, N of them: the first, the last, and every second frame.

    Returns:
        (T, …) values of all frames.
    """
    every = np.empty((len(known), *values.shape[1:]), values.dtype)
    every[known] = values
    missing = np.flatnonzero(~known)
    every[missing] = (every[missing - 1] + every[missing + 1]) / 2
    inside = missing[(missing >= 3) & (missing < len(known) - 3)]
    farther = (every[inside - 3] + every[inside + 3]) / 2
    every[inside] += (every[inside] - farther) / 8
    return every


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
