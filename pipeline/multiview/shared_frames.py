"""The tracks of a view at the frames that all views share: those of the first view."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.runs import true_runs
from core.skeletons import COCO_21, Skeleton
from core.types import Array, CameraPoses, Floats
from pipeline.lifting.people import LiftedPart, LiftedPeople
from pipeline.lifting.resampling import to_frame_times
from pipeline.multiview.scene import Sighting
from pipeline.multiview.sync.clocks import Clock
from pipeline.results.rows import lifted_row
from pipeline.results.spool import Spool

MAX_CHOSEN, STRETCH, MIN_ROWS = 1500, 150, 25
"""Frames to calibrate by, in stretches of so many; a track with fewer rows among them gets more."""
CHOSEN_HZ = 12.0
"""The least rate of frames in a stretch."""
_INTERPOLATED = (
    "box_xyxy", "keypoints_2d", "joints_camera_m", "joint_sigma_m", "root_camera_m",
)  # fmt: skip


@dataclass(frozen=True)
class SharedTracks:
    """Rows of `lifted_row` on disk, track after track; `frame_index` is that of the shared frame.

    joints: The skeleton of their joints. frames: The shared frames of each track, rising. starts:
    Where the rows of each begin.
    """

    rows: Spool
    joints: Skeleton
    frames: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)

    def read(self, track_id: int, start: int, stop: int) -> Array:
        """The rows (T,) that a track has at the shared frames `start` to `stop` - 1."""
        first, last = np.searchsorted(self.frames[track_id], (start, stop)).tolist()
        begin = self.starts[track_id]
        return self.rows.read(begin + first, begin + last)

    def read_some(self, track_id: int, wanted: NDArray[np.int64]) -> Array:
        """The rows (T,) of a track at those of some shared frames (N,) that it has."""
        begin = self.starts[track_id]
        runs = true_runs(np.isin(self.frames[track_id], wanted))
        parts = [self.rows.read(begin + start, begin + stop) for start, stop in runs]
        return np.concatenate([np.zeros(0, self.rows.dtype), *parts])

    def sighting(self, track_id: int, rows: Array) -> Sighting:
        """Rows (T,) of a track as the rest of this room takes them."""
        poses = CameraPoses(
            rows["joints_camera_m"], rows["root_camera_m"], self.joints, rows["joint_sigma_m"]
        )
        return Sighting(
            track_id, rows["frame_index"], rows["keypoints_2d"], rows["keypoint_scores"], COCO_21,
            poses,
        )  # fmt: skip

    def in_frame(self, frame: int) -> Iterator[tuple[int, Array]]:
        """The tracks in a shared frame, and their row (1,)."""
        for track_id in self.frames:
            rows = self.read(track_id, frame, frame + 1)
            if len(rows):
                yield track_id, rows


def share_tracks(
    lifted: LiftedPeople, clock: Clock, shared_s: Floats, folder: Path | None = None
) -> SharedTracks:
    """Resample the tracks of a view.

    Args:
        lifted: The people of the view, on its own frames.
        clock: The view's.
        shared_s: (F,) seconds on the first view's clock, those of the shared frames.
        folder: Where rows are kept in a nameless file; None for where temporary files go.

    Returns:
        The tracks that have any of the shared frames; the caller closes their rows.
    """
    shared = SharedTracks(Spool(lifted_row(COCO_21, lifted.joints), folder), lifted.joints)
    following = [*lifted.parts[1:], None]
    for part, after in zip(lifted.parts, following, strict=True):
        rows = _trimmed(lifted.read(part), part, after)
        sampled = _resampled(rows, clock, shared_s)
        known = shared.frames.setdefault(part.track_id, np.zeros(0, np.int64))
        shared.starts.setdefault(part.track_id, len(shared.rows))
        sampled = sampled[sampled["frame_index"] > (known[-1] if len(known) else -1)]
        shared.rows.append(sampled)
        shared.frames[part.track_id] = np.append(known, sampled["frame_index"])
    for track_id in [track_id for track_id, frames in shared.frames.items() if not len(frames)]:
        del shared.frames[track_id], shared.starts[track_id]
    return shared


def _trimmed(rows: Array, part: LiftedPart, after: LiftedPart | None) -> Array:
    """Rows of a part without half of those that it shares with the parts before and after it."""
    is_next = after is not None and after.track_id == part.track_id
    end = after.shared - after.shared // 2 if after is not None and is_next else 0
    return rows[part.shared // 2 : len(rows) - end]


def _resampled(rows: Array, clock: Clock, shared_s: Floats) -> Array:
    """Rows at those of the shared frames that lie between the first and the last of them."""
    times = clock.to_shared(rows["time_s"])
    start, stop = np.searchsorted(shared_s, times[[0, -1]], "left").tolist()
    stop += stop < len(shared_s) and shared_s[stop] == times[-1]
    wanted = shared_s[start:stop]
    sampled = np.zeros(len(wanted), rows.dtype)
    sampled["frame_index"], sampled["time_s"] = np.arange(start, stop), wanted
    if not len(wanted):
        return sampled
    for name in _INTERPOLATED:
        sampled[name] = to_frame_times(rows[name], times, wanted)
    is_swapped = to_frame_times(rows["is_side_swapped"].astype(float), times, wanted)
    sampled["is_side_swapped"] = is_swapped > 0.5
    scores = rows["keypoint_scores"]
    is_filled = to_frame_times((scores > 0).astype(float), times, wanted) < 1 - 1e-6
    sampled["keypoint_scores"] = np.where(is_filled, 0, to_frame_times(scores, times, wanted))
    return sampled


def chosen_frames(views: Sequence[SharedTracks], frames: int, fps: float) -> NDArray[np.int64]:
    """Select frames to calibrate by: of a long video, stretches in which several views see people.

    Args:
        views: The tracks of each view.
        frames: How many shared frames there are.
        fps: Theirs.

    Returns:
        (N,) indices of shared frames, rising, `MAX_CHOSEN` at most and some more so that each track
        has some.
    """
    if frames <= MAX_CHOSEN:
        return np.arange(frames)
    seen = np.zeros(frames, int)
    for view in views:
        in_view = np.zeros(frames, bool)
        for own in view.frames.values():
            in_view[own] = True
        seen += in_view
    step = max(1, int(fps / CHOSEN_HZ))
    candidates = np.flatnonzero(seen >= min(2, seen.max()))[::step]
    count = max(1, MAX_CHOSEN // STRETCH)
    stretches = [
        candidates[start : start + STRETCH]
        for start in np.linspace(0, max(len(candidates) - STRETCH, 0), count).astype(int)
    ]
    chosen = np.unique(np.concatenate(stretches))
    few = [
        own[len(own) // 2 :][:STRETCH:step]
        for view in views
        for own in view.frames.values()
        if len(np.intersect1d(own, chosen)) < min(len(own), MIN_ROWS)
    ]
    return np.unique(np.concatenate([chosen, *few]))
