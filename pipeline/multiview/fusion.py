"""Matched people → rows like those of one camera, person after person and part after part."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.runs import consecutive_runs
from core.skeletons import COCO_21, FOOT_KEYPOINTS, Skeleton
from core.types import Array, Floats
from pipeline.lifting.options import Smoothing
from pipeline.lifting.people import LiftedPart, LiftedPeople, part_ranges
from pipeline.multiview.cameras import project
from pipeline.multiview.scene import Calibration, FusedPerson, MatchedPerson, Sighting
from pipeline.multiview.shared_frames import SharedTracks
from pipeline.multiview.triangulation import triangulate
from pipeline.results.detections import BRIDGED_S
from pipeline.results.rows import RowType, lifted_row
from pipeline.results.spool import Spool

_OF_THE_FIRST = ("box_xyxy", "keypoints_2d", "keypoint_scores", "is_side_swapped")
_MARGIN = 0.1  # of a person's size, around the joints, to their box


class SharedFrames(NamedTuple):
    """The frames of the first view: their `Frame.index` (F,), times (F,) s, mean rate."""

    indices: NDArray[np.int64]
    times_s: Floats
    fps: float


def fused_row(joints: Skeleton) -> RowType:
    """`lifted_row` with `feet_seen` (2,), whether any view sees the left and the right foot."""
    lifted = lifted_row(COCO_21, joints)
    fields = [(name, lifted[name]) for name in lifted.names or ()]
    return np.dtype([*fields, ("feet_seen", np.bool_, (2,))])


def fuse_people(
    calibration: Calibration,
    views: Sequence[SharedTracks],
    frames: SharedFrames,
    rows: Spool,
    smoothing: Smoothing,
) -> tuple[LiftedPeople, dict[int, list[int]]]:
    """Triangulate everyone.

    Args:
        calibration: The cameras, and who is who.
        views: The tracks of each view.
        frames: The shared frames.
        rows: An empty spool of `fused_row`, which gets the rows.
        smoothing: How joints are smoothed in time.

    Returns:
        The people, in the first view's camera space, and in how many frames each view saw each.
    """
    people = LiftedPeople(rows, views[0].joints)
    seen: dict[int, list[int]] = {}
    for person in calibration.people:
        seen[person.person_id] = _frames_seen(person, views)
        before = np.zeros(0, np.int64)  # the frames of the last part
        for start, stop in _parts(person, views, frames):
            own = _tracks(person, views, start, stop)
            sightings = [each.sightings for each in own]
            fused = triangulate(calibration, person, sightings, frames.fps, smoothing)
            found = _rows(fused, calibration, own, frames, rows.dtype)
            for first, last in consecutive_runs(fused.frames):
                own_frames = fused.frames[first:last]
                shared = int((own_frames <= before[-1:]).sum()) if len(before) else 0
                if not np.array_equal(own_frames[:shared], before[len(before) - shared :]):
                    own_frames, shared = own_frames[shared:], 0
                if not len(own_frames):
                    continue
                begin = len(rows)
                rows.append(found[last - len(own_frames) : last])
                people.parts.append(LiftedPart(person.person_id, begin, len(rows), shared))
                before = own_frames
    return people, seen


class _Tracks(NamedTuple):
    """A person's tracks in one view: their rows, and the same as sightings."""

    rows: list[Array]
    sightings: list[Sighting]


def _tracks(
    person: MatchedPerson, views: Sequence[SharedTracks], start: int, stop: int
) -> list[_Tracks]:
    """What each view has of a person at the shared frames `start` to `stop` - 1."""
    found = []
    for view, track_ids in zip(views, person.track_ids, strict=True):
        read = [(track_id, view.read(track_id, start, stop)) for track_id in track_ids]
        kept = [(track_id, rows) for track_id, rows in read if len(rows)]
        sightings = [view.sighting(track_id, rows) for track_id, rows in kept]
        found.append(_Tracks([rows for _, rows in kept], sightings))
    return found


def _all_frames(view: SharedTracks, ids: Sequence[int]) -> Array:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *(view.frames[i] for i in ids)]))


def _frames_seen(person: MatchedPerson, views: Sequence[SharedTracks]) -> list[int]:
    """In how many shared frames each view has a person."""
    pairs = zip(views, person.track_ids, strict=True)
    return [len(_all_frames(view, ids)) for view, ids in pairs]


def _parts(
    person: MatchedPerson, views: Sequence[SharedTracks], frames: SharedFrames
) -> Iterator[tuple[int, int]]:
    """Ranges of shared frames: stretches without a long absence, in overlapping parts."""
    pairs = zip(views, person.track_ids, strict=True)
    every = np.unique(np.concatenate([_all_frames(view, ids) for view, ids in pairs]))
    if not len(every):
        return
    times = frames.times_s[every]
    returns = np.flatnonzero(np.diff(times) > BRIDGED_S) + 1
    for start, stop in part_ranges(times, returns):
        yield int(every[start]), int(every[stop - 1]) + 1


def _rows(
    fused: FusedPerson,
    calibration: Calibration,
    tracks: Sequence[_Tracks],
    frames: SharedFrames,
    dtype: RowType,
) -> Array:
    """Rows of `fused_row`: where the first view lacks the person, as it would see them."""
    poses, camera = fused.poses, calibration.cameras[0]
    rows = np.zeros(len(fused.frames), dtype)
    rows["frame_index"] = frames.indices[fused.frames]
    rows["time_s"] = frames.times_s[fused.frames]
    rows["joints_camera_m"], rows["root_camera_m"] = poses.joints_m, poses.root_m
    rows["joint_sigma_m"] = poses.sigma_m
    points = project(poses.joints_m + poses.root_m[:, None], camera)
    low, high = points.min(1), points.max(1)
    margin = _MARGIN * (high - low).max(1, keepdims=True)
    rows["box_xyxy"] = np.concatenate([low - margin, high + margin], 1)
    rows["keypoints_2d"] = np.nan
    for view, (own_rows, _) in enumerate(tracks):
        for own in own_rows:
            at = np.searchsorted(fused.frames, own["frame_index"]).clip(max=len(rows) - 1)
            is_there = fused.frames[at] == own["frame_index"]
            at, own = at[is_there], own[is_there]
            rows["feet_seen"][at] |= own["keypoint_scores"][:, FOOT_KEYPOINTS] > 0
            if view == 0:
                for name in _OF_THE_FIRST:
                    rows[name][at] = own[name]
    return rows
