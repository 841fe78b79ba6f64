"""Tracks → people in camera space, as rows on disk.

Person after person, and of a person part after part, so that memory does not grow with the video.
The parts of a long stretch overlap; their rows are blended there when they are grounded.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, repeat

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_21, Skeleton
from core.types import Array, CameraPoses, Floats, Intrinsics, Track
from lifter.bones import bone_lengths, bone_spans, rigid_bones
from lifter.predict import Lifter
from pipeline.lifting.marks import with_marks, with_points
from pipeline.lifting.options import LiftOptions
from pipeline.lifting.resampling import (
    resample_to_fps,
    smooth,
    to_frame_times,
    with_side_swaps_corrected,
)
from pipeline.lifting.stature import likely_height_m, scaled, stature_m
from pipeline.results.detections import Marks, TrackRows
from pipeline.results.rows import lifted_row
from pipeline.results.spool import Spool

_PART_S = 60.0  # what is lifted at once
_OVERLAP_S = 5.0  # no filter reaches farther


@dataclass(frozen=True)
class Lifting:
    """What everyone in one video is lifted with.

    frame_indices: (F,) of all frames of the video.
    times_s: (F,) seconds, their presentation times.
    lifter: The network with what is needed to use it.
    intrinsics: The camera.
    options: Smoothing, stature, bones.
    is_smoothed: Whether tracks' keypoints were smoothed before; they are left as they are.
    """

    frame_indices: NDArray[np.int64]
    times_s: Floats
    lifter: Lifter
    intrinsics: Intrinsics
    options: LiftOptions
    is_smoothed: bool = False


@dataclass(frozen=True)
class LiftedPart:
    """Rows `start` to `stop` - 1 of a spool: one person without a break.

    The first `shared` rows are of the same frames as the last ones of the part before. marks: what
    was corrected of the person by hand, None for nothing.
    """

    track_id: int
    start: int
    stop: int
    shared: int
    marks: Marks | None = None


@dataclass(frozen=True)
class LiftedPeople:
    """The parts of all people, by person, then time, and their rows of `lifted_row`.

    joints: The skeleton of their joints.
    """

    rows: Spool
    joints: Skeleton
    parts: list[LiftedPart] = field(default_factory=list)

    def read(self, part: LiftedPart) -> Array:
        """The rows (T,) of a part."""
        return self.rows.read(part.start, part.stop)

    def kept(self, track_ids: Collection[int] | None) -> "LiftedPeople":
        """Those of the people with these ids, None for all; their rows stay where they are."""
        if track_ids is None:
            return self
        return replace(self, parts=[part for part in self.parts if part.track_id in track_ids])


def lift_people(
    tracks: Sequence[TrackRows],
    lifting: Lifting,
    rows: Spool,
    counted: Callable[[Iterable[None]], Iterable[None]] = iter,
) -> LiftedPeople:
    """Lift every track.

    Args:
        tracks: The people.
        lifting: The video's frames, the network, the camera, the options.
        rows: An empty spool of `lifted_row` with the lifter's joints, which gets the rows.
        counted: Passes on an item for each detection that is lifted, where parts overlap twice.

    Returns:
        The people: a row for every frame from the first to the last of each stretch.
    """
    lifted = LiftedPeople(rows, lifting.lifter.spec.skeleton_out)

    def steps() -> Iterator[None]:
        for track in tracks:
            seen = np.searchsorted(lifting.frame_indices, track.frame_indices)
            detected_s = lifting.times_s[seen]
            parts = []
            for part in _split(track, detected_s):
                start = len(rows)
                rows.append(_lift(part, track.marks, lifting))
                parts.append(LiftedPart(track.track_id, start, len(rows), 0, track.marks))
                yield from repeat(None, len(part))
            _give_one_body(lifted, parts, lifting.options)
            lifted.parts.extend(_with_overlaps(lifted, parts))

    for _ in counted(steps()):
        pass
    return lifted


def _split(track: TrackRows, detected_s: Floats) -> Iterator[Track]:
    """A person's stretches without a long absence, in overlapping parts where they are long."""
    for start, stop in part_ranges(detected_s, track.stretch_starts(detected_s)):
        yield track.part(start, stop)


def part_ranges(times_s: Floats, returns: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Split rows into stretches, and these into overlapping parts where they are long.

    Args:
        times_s: (T,) seconds, rising.
        returns: Rows that follow a long absence.

    Yields:
        `start`, `stop`: rows from the one to before the other.
    """
    for start, stop in pairwise([0, *returns.tolist(), len(times_s)]):
        while times_s[stop - 1] - times_s[start] > _PART_S + _OVERLAP_S:
            rest = times_s[start:stop]
            yield start, start + int(np.searchsorted(rest, rest[0] + _PART_S + _OVERLAP_S))
            start += int(np.searchsorted(rest, rest[0] + _PART_S))
        yield start, stop


def _lift(part: Track, marks: Marks | None, lifting: Lifting) -> Array:
    """Rows of `lifted_row` for all frames from a part's first to its last."""
    track = _with_all_frames(part, lifting.frame_indices)
    times = lifting.times_s[np.searchsorted(lifting.frame_indices, track.frame_indices)]
    corrected = with_side_swaps_corrected(track, times)
    if marks is not None:
        corrected = with_marks(corrected, marks)
    smoothing = "none" if lifting.is_smoothed else lifting.options.smooth
    sequence = resample_to_fps(corrected, times, lifting.lifter.spec.fps, smoothing)
    if marks is not None:
        sequence = with_points(sequence, marks, track.frame_indices, times)
    poses = lifting.lifter.lift(sequence, lifting.intrinsics)
    joints = smooth(poses.joints_m, sequence.fps, lifting.options.smooth)

    def at_frames(values: Floats) -> Floats:
        return to_frame_times(values, sequence.times_s, times)

    rows = np.zeros(len(times), lifted_row(COCO_21, poses.skeleton))
    rows["frame_index"] = track.frame_indices
    rows["time_s"] = times
    rows["box_xyxy"] = track.boxes_xyxy
    rows["keypoints_2d"] = at_frames(sequence.keypoints)
    rows["keypoint_scores"] = at_frames(sequence.scores)
    rows["joints_camera_m"] = at_frames(joints)
    rows["joint_sigma_m"] = at_frames(poses.sigma_m)
    rows["root_camera_m"] = at_frames(poses.root_m)
    is_same = np.isclose(corrected.keypoints_xy, track.keypoints_xy, 0, 0, equal_nan=True)
    rows["is_side_swapped"] = ~is_same.all((1, 2))
    return rows


def _with_all_frames(track: Track, frame_indices: NDArray[np.int64]) -> Track:
    """The track with a row for every frame in its range; boxes interpolated, the rest NaN there."""
    first, last = track.frame_indices[0], track.frame_indices[-1]
    every = frame_indices[(frame_indices >= first) & (frame_indices <= last)]
    detected = np.searchsorted(every, track.frame_indices)
    boxes = [np.interp(every, track.frame_indices, side) for side in track.boxes_xyxy.T]

    def spread(values: Floats) -> Floats:
        rows = np.full((len(every), *values.shape[1:]), np.nan, dtype=values.dtype)
        rows[detected] = values
        return rows

    return Track(
        track.track_id,
        every,
        np.stack(boxes, 1),
        spread(track.keypoints_xy),
        np.nan_to_num(spread(track.keypoint_scores)),
        spread(track.keypoints_3d),
        track.skeleton,
    )


def _give_one_body(lifted: LiftedPeople, parts: list[LiftedPart], options: LiftOptions) -> None:
    """Scale all of a person's parts alike, to the height that is asked for or likely."""
    skeleton = lifted.joints
    spans = [bone_spans(lifted.read(part)["joints_camera_m"], skeleton) for part in parts]
    lengths = bone_lengths(np.concatenate(spans), skeleton)
    stature = stature_m(lengths)
    factor = (options.height_m or likely_height_m(stature)) / stature
    for part in parts:
        own = lifted.read(part)
        joints = own["joints_camera_m"]
        if options.rigid_bones:
            joints = rigid_bones(joints, lengths, skeleton=skeleton)
        poses = scaled(
            CameraPoses(joints, own["root_camera_m"], skeleton, own["joint_sigma_m"]), factor
        )
        own["joints_camera_m"], own["root_camera_m"] = poses.joints_m, poses.root_m
        own["joint_sigma_m"] = poses.sigma_m
        lifted.rows.write(part.start, own)


def _with_overlaps(lifted: LiftedPeople, parts: list[LiftedPart]) -> Iterator[LiftedPart]:
    """The parts of a person, with how many rows each shares with the one before."""
    last_frame = -1
    for part in parts:
        frames = lifted.read(part)["frame_index"]
        yield replace(part, shared=int((frames <= last_frame).sum()))
        last_frame = int(frames[-1])
