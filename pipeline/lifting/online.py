"""One person's causal road: keypoints as they come → joints and pelvis in camera space, from the past alone."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Floats, Intrinsics, LifterInput, Track
from lifter.bones import bone_lengths, bone_spans, rigid_bones
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.lifting.one_euro import OneEuro
from pipeline.lifting.resampling import MIN_SCORE, settled, to_lifter_clock
from pipeline.lifting.stature import likely_height_m, stature_m

_ROOT_S = 1.0  # of the past that says where the pelvis is
_SIZED_FRAMES = 300  # over which a person's size is averaged
_RESIZED_EVERY = 15


@dataclass(frozen=True)
class Sighting:
    """One person in one frame, as detected: keypoints_xy (17, 2) px; scores (17,); keypoints_3d (17, 3) m; NaN = not
    seen."""

    time_s: float
    keypoints_xy: Floats
    scores: Floats
    keypoints_3d: Floats

    @classmethod
    def nothing(cls, time_s: float) -> "Sighting":
        """A frame in which the person was not found."""
        keypoints = len(COCO_17)
        missing = np.full((keypoints, 3), np.nan)
        return cls(time_s, missing[:, :2], np.zeros(keypoints), missing)


class LivePerson:
    """Follows one person; call `lift` or `miss` once for every frame."""

    def __init__(self, lifter: Lifter, intrinsics: Intrinsics, config: PipelineConfig) -> None:
        self._lifter, self._intrinsics, self._config = lifter, intrinsics, config
        self._past_frames = lifter.spec.model.padding[0]
        self._sightings: deque[Sighting] = deque()
        self._lifted: deque[tuple[Sighting, Floats]] = deque()  # with the network's joints (17, 3)
        self._filter = OneEuro() if config.smooth != "none" else None
        self._filtered_s: float | None = None
        self._count = 0
        self._size = 1.0

    def miss(self, time_s: float) -> None:
        """The person was not found in this frame."""
        self._remember(Sighting.nothing(time_s))

    def lift(self, sighting: Sighting) -> CameraPoses:
        """Where the person is now, one row; the pelvis NaN while no limb of theirs was seen."""
        self._remember(sighting)
        sighting, window = self._window()
        joints = self._lifter.lift_newest(window, self._intrinsics)
        self._lifted.append((sighting, joints))
        while sighting.time_s - self._lifted[0][0].time_s > _ROOT_S:
            self._lifted.popleft()
        fused, root = self._fused()
        self._learn_size(fused)
        placed = self._smoothed(
            np.concatenate([fused[-1], root[-1:]]) * self._size, sighting.time_s
        )
        return CameraPoses(placed[None, :-1], placed[None, -1], H36M_17)

    def _remember(self, sighting: Sighting) -> None:
        self._sightings.append(sighting)
        reach_s = self._past_frames / self._lifter.spec.fps
        while len(self._sightings) > 2 and sighting.time_s - self._sightings[1].time_s > reach_s:
            self._sightings.popleft()  # one frame beyond the window stays, to interpolate from

    def _window(self) -> tuple[Sighting, LifterInput]:
        """The newest frame, its sides settled, and what the network sees: even steps that end at it."""
        rows, fps = list(self._sightings), self._lifter.spec.fps
        times = np.array([row.time_s for row in rows])
        steps = min(self._past_frames, int((times[-1] - times[0]) * fps))
        grid = times[-1] - np.arange(steps, -1, -1) / fps
        track = Track(
            1,
            np.arange(len(rows)),
            np.zeros((len(rows), 4)),
            np.stack([row.keypoints_xy for row in rows]),
            np.stack([row.scores for row in rows]),
            np.stack([row.keypoints_3d for row in rows]),
            COCO_17,
        )
        track = settled(track, times)
        newest = Sighting(
            rows[-1].time_s,
            track.keypoints_xy[-1],
            track.keypoint_scores[-1],
            track.keypoints_3d[-1],
        )
        return newest, to_lifter_clock(track, times, fps, "none", grid)

    def _fused(self) -> tuple[Floats, Floats]:
        """Finished joints (T, 17, 3) and pelvis (T, 3) of the last second."""
        rows = [row for row, _ in self._lifted]
        times = np.array([row.time_s for row in rows])
        keypoints_3d = np.stack([row.keypoints_3d for row in rows])
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else self._lifter.spec.fps
        keypoints, scores = (
            np.stack([row.keypoints_xy for row in rows]),
            np.stack([row.scores for row in rows]),
        )
        scores = np.where(scores >= MIN_SCORE, scores, 0.0)
        seen = LifterInput(times, keypoints, scores, keypoints_3d, float(fps), COCO_17)
        lifted = np.stack([joints for _, joints in self._lifted])
        joints, root = self._lifter.finish(lifted, seen, self._intrinsics)
        if self._config.rigid_bones:
            joints = rigid_bones(joints, bone_lengths(bone_spans(joints)))
        return joints, root

    def _learn_size(self, joints: Floats) -> None:
        """By what the network's metres must grow for the person to be as tall as they are said or likely to be."""
        if self._count % _RESIZED_EVERY == 0:
            lifted = stature_m(bone_lengths(bone_spans(joints)))
            wanted = self._config.height_m or likely_height_m(lifted)
            share = _RESIZED_EVERY / min(self._count + _RESIZED_EVERY, _SIZED_FRAMES)
            self._size += share * (wanted / lifted - self._size)
        self._count += 1

    def _smoothed(self, placed: Floats, time_s: float) -> Floats:
        """Joints and pelvis (18, 3) without tremble."""
        if self._filter is None:
            return placed
        elapsed_s = time_s - (self._filtered_s if self._filtered_s is not None else time_s - 1)
        self._filtered_s = time_s
        return self._filter(placed, elapsed_s, float(np.ptp(placed[:-1], axis=0).max()))
