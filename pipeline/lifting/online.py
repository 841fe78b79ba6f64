"""Lift one person as frames come in, from the past alone: joints and pelvis in camera space."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from core.skeletons import COCO_21
from core.types import CameraPoses, Floats, Intrinsics, LifterInput, Track
from lifter.bones import bone_lengths, bone_spans, rigid_bones
from lifter.predict import Lifter
from lifter.side_swaps import MIN_SCORE
from pipeline.lifting.one_euro import OneEuro
from pipeline.lifting.options import LiftOptions
from pipeline.lifting.resampling import resample_to_fps, with_side_swaps_corrected
from pipeline.lifting.stature import likely_height_m, stature_m

_ROOT_S = 1.0  # how much of the past decides where the pelvis is
_SCALE_FRAMES = 300  # over which a person's scale is averaged
_RESCALE_EVERY = 15  # frames


@dataclass(frozen=True)
class PersonSample:
    """One person in one frame, as detected; NaN = not seen."""

    time_s: float
    """Presentation time of the frame, seconds."""
    keypoints_xy: Floats
    """(21, 2) px, COCO_21."""
    scores: Floats
    """(21,) in 0…1."""
    keypoints_3d: Floats
    """(21, 3) the detector's own 3D, as in `Detections`."""

    @classmethod
    def missing(cls, time_s: float) -> "PersonSample":
        """A frame in which the person was not detected."""
        keypoints = len(COCO_21)
        missing = np.full((keypoints, 3), np.nan)
        return cls(time_s, missing[:, :2], np.zeros(keypoints), missing)


class OnlineLifter:
    """Lifts one person of a live source: call `lift` or `miss` once for every frame."""

    def __init__(self, lifter: Lifter, intrinsics: Intrinsics, options: LiftOptions) -> None:
        """Start with a person.

        Args:
            lifter: The network; one that is causal does not have to guess what comes next.
            intrinsics: The camera.
            options: Smoothing other than `none` is One-Euro here, the causal one.
        """
        self._lifter, self._intrinsics, self._options = lifter, intrinsics, options
        self._skeleton = lifter.spec.skeleton_out
        self._past_frames = lifter.spec.model.padding[0]
        self._samples: deque[PersonSample] = deque()
        # with the network's joints (J, 3)
        self._lifted: deque[tuple[PersonSample, Floats]] = deque()
        self._filter = OneEuro() if options.smooth != "none" else None
        self._filtered_s: float | None = None
        self._count = 0
        self._scale = 1.0

    def miss(self, time_s: float) -> None:
        """Take note of a frame in which the person was not detected."""
        self._remember(PersonSample.missing(time_s))

    def lift(self, sample: PersonSample) -> CameraPoses:
        """Lift the person in the current frame.

        Args:
            sample: The frame's detection, later than all before.

        Returns:
            One pose; the pelvis is NaN while no limb was seen within the last second.
        """
        self._remember(sample)
        sample, window = self._window()
        joints, sigma = self._lifter.lift_last(window, self._intrinsics)
        self._lifted.append((sample, joints))
        while sample.time_s - self._lifted[0][0].time_s > _ROOT_S:
            self._lifted.popleft()
        finished, root = self._finished()
        self._update_scale(finished)
        points = np.concatenate([finished[-1], root[-1:]]) * self._scale
        smoothed = self._smoothed(points, sample.time_s)
        return CameraPoses(
            smoothed[None, :-1], smoothed[None, -1], self._skeleton, sigma[None] * self._scale
        )

    def _remember(self, sample: PersonSample) -> None:
        """Keep a sample, and of the earlier ones those that the network's window reaches."""
        self._samples.append(sample)
        reach_s = self._past_frames / self._lifter.spec.fps
        while len(self._samples) > 2 and sample.time_s - self._samples[1].time_s > reach_s:
            self._samples.popleft()  # one frame beyond the window stays, to interpolate from

    def _window(self) -> tuple[PersonSample, LifterInput]:
        """The last sample, its sides corrected, and the network's input, which ends at its time."""
        rows, fps = list(self._samples), self._lifter.spec.fps
        times = np.array([row.time_s for row in rows])
        intervals = min(self._past_frames, int((times[-1] - times[0]) * fps))
        even = times[-1] - np.arange(intervals, -1, -1) / fps
        track = Track(
            1,
            np.arange(len(rows)),
            np.zeros((len(rows), 4)),
            np.stack([row.keypoints_xy for row in rows]),
            np.stack([row.scores for row in rows]),
            np.stack([row.keypoints_3d for row in rows]),
            COCO_21,
        )
        track = with_side_swaps_corrected(track, times)
        last = PersonSample(
            rows[-1].time_s,
            track.keypoints_xy[-1],
            track.keypoint_scores[-1],
            track.keypoints_3d[-1],
        )
        return last, resample_to_fps(track, times, fps, "none", even)

    def _finished(self) -> tuple[Floats, Floats]:
        """Joints (T, J, 3) and pelvis (T, 3) of the last second, as `Lifter.finish` gives them."""
        rows = [row for row, _ in self._lifted]
        times = np.array([row.time_s for row in rows])
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else self._lifter.spec.fps
        keypoints = np.stack([row.keypoints_xy for row in rows])
        scores = np.stack([row.scores for row in rows])
        scores = np.where(scores >= MIN_SCORE, scores, 0.0)
        keypoints_3d = np.stack([row.keypoints_3d for row in rows])
        sequence = LifterInput(times, keypoints, scores, keypoints_3d, float(fps), COCO_21)
        lifted = np.stack([joints for _, joints in self._lifted])
        joints, root = self._lifter.finish(lifted, sequence, self._intrinsics)
        if self._options.rigid_bones:
            lengths = bone_lengths(bone_spans(joints, self._skeleton), self._skeleton)
            joints = rigid_bones(joints, lengths, skeleton=self._skeleton)
        return joints, root

    def _update_scale(self, joints: Floats) -> None:
        """Bring the scale nearer to that which gives the person the known or likely height.

        A running mean over the first `_SCALE_FRAMES` frames, then an exponential one.
        """
        if self._count % _RESCALE_EVERY == 0:
            lifted = stature_m(bone_lengths(bone_spans(joints, self._skeleton), self._skeleton))
            height = self._options.height_m or likely_height_m(lifted)
            share = _RESCALE_EVERY / min(self._count + _RESCALE_EVERY, _SCALE_FRAMES)
            self._scale += share * (height / lifted - self._scale)
        self._count += 1

    def _smoothed(self, points: Floats, time_s: float) -> Floats:
        """Joints and pelvis (J + 1, 3) without jitter."""
        if self._filter is None:
            return points
        elapsed_s = time_s - (self._filtered_s if self._filtered_s is not None else time_s - 1)
        self._filtered_s = time_s
        return self._filter(points, elapsed_s, float(np.ptp(points[:-1], axis=0).max()))
