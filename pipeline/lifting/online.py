"""Lift people as frames come in, from the past alone: joints and pelvis in camera space."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from core.skeletons import COCO_21, Skeleton
from core.types import CameraPoses, Floats, Intrinsics, LifterInput, Track
from lifter.bones import bone_lengths, bone_spans, rigid_bones
from lifter.predict import Lifter
from lifter.side_swaps import MIN_SCORE, OnlineSides
from pipeline.lifting.one_euro import OneEuro
from pipeline.lifting.options import LiftOptions
from pipeline.lifting.resampling import resample_to_fps
from pipeline.lifting.stature import likely_height_m, stature_m

_ROOT_S = 1.0  # how much of the past decides where the pelvis is
_SCALE_FRAMES = 300  # over which a person's scale is averaged
_RESCALE_EVERY = 15  # frames
_FIELDS = 6  # of a keypoint: x and y in px, score, the detector's own 3D


@dataclass(frozen=True)
class PersonSample:
    """One person in one frame, as detected; NaN = not seen."""

    keypoints_xy: Floats
    """(21, 2) px, COCO_21."""
    scores: Floats
    """(21,) in 0…1."""
    keypoints_3d: Floats
    """(21, 3) the detector's own 3D, as in `Detections`."""


class OnlineLifter:
    """Lifts the people of a live source, those of a frame together."""

    def __init__(self, lifter: Lifter, intrinsics: Intrinsics, options: LiftOptions) -> None:
        """Start without people.

        Args:
            lifter: The network; one that is causal does not have to guess what comes next.
            intrinsics: The camera.
            options: Smoothing other than `none` is One-Euro here, the causal one.
        """
        self._lifter, self._intrinsics, self._options = lifter, intrinsics, options
        self._people: dict[int, _Person] = {}

    def forget_others(self, track_ids: Collection[int]) -> None:
        """Forget all people but some."""
        self._people = {
            track_id: person for track_id, person in self._people.items() if track_id in track_ids
        }

    def lift(self, time_s: float, samples: Mapping[int, PersonSample]) -> dict[int, CameraPoses]:
        """Lift the people of the current frame.

        Args:
            time_s: Its presentation time, later than those before.
            samples: Who was detected in it, by track id; the others known were not.

        Returns:
            One pose of each; the pelvis is NaN while no limb was seen within the last second.
        """
        if not samples:
            for person in self._people.values():
                person.miss(time_s)
            return {}
        for track_id in samples.keys() - self._people.keys():
            self._people[track_id] = _Person(self._lifter, self._options)
        present = [self._people[track_id] for track_id in samples]
        for track_id, person in self._people.items():
            if track_id in samples:
                person.see(time_s, samples[track_id])
            else:
                person.miss(time_s)
        windows = [person.window() for person in present]
        joints, sigma = self._lifter.lift_last(windows, self._intrinsics)
        for person, own in zip(present, joints, strict=True):
            person.remember_lifted(own)
        finished = self._lifter.finish_last([one.sequence() for one in present], self._intrinsics)
        return {
            track_id: person.pose(*own, own_sigma)
            for track_id, person, own, own_sigma in zip(
                samples, present, finished, sigma, strict=True
            )
        }


class _Past:
    """What was known in each frame of late: a time and an array, of one shape in all frames."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, Floats]] = deque()

    def add(self, time_s: float, values: Floats) -> None:
        self._frames.append((time_s, values))

    def drop_before(self, time_s: float, spare: int = 0) -> None:
        """Drop the frames before a time, but for the last ones of these."""
        frames = self._frames
        while len(frames) > spare + 1 and frames[spare][0] < time_s:
            frames.popleft()

    @property
    def last_s(self) -> float:
        """The last frame's time."""
        return self._frames[-1][0]

    def arrays(self) -> tuple[Floats, Floats]:
        """Times (T,) and values (T, …)."""
        times, values = zip(*self._frames, strict=True)
        return np.array(times), np.concatenate(values).reshape(len(times), *values[0].shape)


class _Person:
    """One person's past."""

    def __init__(self, lifter: Lifter, options: LiftOptions) -> None:
        self._options = options
        self._skeleton: Skeleton = lifter.spec.skeleton_out
        self._fps, self._past_frames = lifter.spec.fps, lifter.spec.model.padding[0]
        self._window = OnlineSides()
        self._corrected = _Past()  # (21, _FIELDS), with sides corrected, of lifted frames
        self._lifted, self._finished = _Past(), _Past()  # (J, 3) as the network gives them, and as
        # what follows the network leaves them
        self._filter = OneEuro() if options.smooth != "none" else None
        self._filtered_s: float | None = None
        self._count = 0
        self._scale = 1.0

    def see(self, time_s: float, sample: PersonSample) -> None:
        """Remember a frame in which the person was detected."""
        is_swapped = self._remember(time_s, sample.keypoints_xy, sample.scores)
        points_3d = sample.keypoints_3d * (np.nan if is_swapped else 1.0)
        self._corrected.add(time_s, np.concatenate([self._window.last, points_3d], 1))

    def miss(self, time_s: float) -> None:
        """Remember a frame in which the person was not detected."""
        self._remember(time_s, np.full((len(COCO_21), 2), np.nan), np.zeros(len(COCO_21)))

    def _remember(self, time_s: float, keypoints: Floats, scores: Floats) -> bool:
        """Keep a frame, and of the earlier ones those that the network's window reaches.

        Returns:
            Whether sides are exchanged in it.
        """
        is_swapped = self._window.add(time_s, keypoints, scores)
        # one frame beyond the window stays, to interpolate from
        self._window.drop_before(time_s - self._past_frames / self._fps, spare=1)
        return is_swapped

    def window(self) -> LifterInput:
        """The network's input, which ends with the last frame; its sides are corrected.

        It lacks the detector's 3D, which the network does not see.
        """
        times, keypoints, scores = self._window.arrays()
        intervals = min(self._past_frames, int((times[-1] - times[0]) * self._fps))
        even = times[-1] - np.arange(intervals, -1, -1) / self._fps
        frames, boxes = np.arange(len(times)), np.zeros((len(times), 4))
        no_3d = np.full((*scores.shape, 3), np.nan)
        track = Track(1, frames, boxes, keypoints, scores, no_3d, COCO_21)
        return resample_to_fps(track, times, self._fps, "none", even)

    def remember_lifted(self, joints: Floats) -> None:
        """Keep what the network makes of the last frame, and of the last second."""
        now_s = self._corrected.last_s
        self._lifted.add(now_s, joints)
        for past in (self._corrected, self._lifted, self._finished):
            past.drop_before(now_s - _ROOT_S)

    def sequence(self) -> tuple[Floats, LifterInput]:
        """Joints (T, J, 3) of the network and keypoints of the frames of the last second."""
        times, values = self._corrected.arrays()
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else self._fps
        keypoints, scores, keypoints_3d = _fields(values)
        scores = np.where(scores >= MIN_SCORE, scores, 0.0)
        sequence = LifterInput(times, keypoints, scores, keypoints_3d, float(fps), COCO_21)
        return self._lifted.arrays()[1], sequence

    def pose(self, joints: Floats, root: Floats, sigma: Floats) -> CameraPoses:
        """The pose of joints (J, 3) and pelvis (3,), of the person's size and without jitter."""
        time_s = self._corrected.last_s
        self._finished.add(time_s, joints)
        if self._options.rigid_bones:
            joints = rigid_bones(joints[None], self._lengths(), skeleton=self._skeleton)[0]
        self._update_scale()
        smoothed = self._smoothed(np.concatenate([joints, root[None]]) * self._scale, time_s)
        return CameraPoses(
            smoothed[None, :-1], smoothed[None, -1], self._skeleton, sigma[None] * self._scale
        )

    def _lengths(self) -> Floats:
        """(J,) m the lengths of the bones, over the last second."""
        return bone_lengths(bone_spans(self._finished.arrays()[1], self._skeleton), self._skeleton)

    def _update_scale(self) -> None:
        """Bring the scale nearer to that which gives the person the known or likely height.

        A running mean over the first `_SCALE_FRAMES` frames, then an exponential one.
        """
        if self._count % _RESCALE_EVERY == 0:
            lifted = stature_m(self._lengths())
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


def _fields(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Keypoints (T, 21, 2), scores (T, 21) and 3D (T, 21, 3) of (T, 21, _FIELDS)."""
    return values[..., :2], values[..., 2], values[..., 3:]
