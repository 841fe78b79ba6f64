"""Tracks → people in 3D: everything between the two passes over the video.

Person after person, and of a person part after part, so that memory does not grow with the video: what is known of all
is small, the rows lie on disk. Parts of a long stretch overlap, and their rows are blended where they do.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17, H36M_17
from core.types import Array, CameraPoses, Floats, Intrinsics, Track
from lifter.bones import bone_lengths, bone_spans, rigid_bones
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.grounding.world import Mover, find_world
from pipeline.lifting.resampling import settled, smooth, to_frame_times, to_lifter_clock
from pipeline.lifting.stature import likely_height_m, scaled, stature_m
from pipeline.results.people import PERSON_ROW, People
from pipeline.results.spool import Spool
from pipeline.tracking.tracker import Followed

_FEET = COCO_17.indices(("left_ankle", "right_ankle"))
_BRIDGE_S = 1.5  # who is not seen for longer was away: those frames stay without them
_PART_S, _OVERLAP_S = (
    60.0,
    5.0,
)  # what is lifted and grounded at once; nothing reaches farther than the overlap
_LIFTED = np.dtype(
    [
        ("frame_index", np.int64),
        ("time_s", np.float64),
        ("box_xyxy", np.float64, (4,)),
        ("keypoints_2d", np.float64, (len(COCO_17), 2)),
        ("keypoint_scores", np.float64, (len(COCO_17),)),
        ("joints_camera_m", np.float64, (len(H36M_17), 3)),
        ("root_camera_m", np.float64, (3,)),
    ]
)
"""One person in one frame, before the world is known."""


@dataclass(frozen=True)
class _Part:
    """Rows `start` to `stop` - 1 of a spool: somebody without a break; the first `shared` are those of the part before
    as well."""

    track_id: int
    start: int
    stop: int
    shared: int


@dataclass(frozen=True)
class _Lifted:
    """Everybody's parts, by person, then time; to be gone through as often as needed."""

    parts: list[_Part]
    rows: Spool

    def __iter__(self) -> Iterator[Mover]:
        return (_mover(self.rows.read(part.start, part.stop)) for part in self.parts)


def lift_people(
    tracks: Sequence[Followed], frame_indices: NDArray[np.int64], times_s: Floats, fps: float, lifter: Lifter,
    intrinsics: Intrinsics, config: PipelineConfig, folder: Path | None = None,
) -> People:  # fmt: skip
    """Lift every track and put all people into one world.

    `frame_indices` and `times_s` (F,) are those of all frames of the video, `fps` their mean rate. Rows are kept in
    nameless files in `folder`.
    """
    with closing(Spool(_LIFTED, folder)) as rows:
        lifted = _Lifted([], rows)
        for track in tracks:
            parts = [
                _stored(
                    _lift(part, frame_indices, times_s, lifter, intrinsics, config),
                    part.track_id,
                    rows,
                )
                for part in _parts(
                    track, times_s[np.searchsorted(frame_indices, track.frame_indices)]
                )
            ]
            _resize(parts, rows, config)
            lifted.parts.extend(_overlapping(parts, rows))
        return _grounded(lifted, fps, intrinsics, config, folder)


def _parts(track: Followed, seen_at: Floats) -> Iterator[Track]:
    """A person's stretches without a long absence, in parts that overlap where they are longer than one."""
    returns = np.flatnonzero(np.diff(seen_at) > _BRIDGE_S) + 1
    for start, stop in pairwise([0, *returns.tolist(), len(track)]):
        while seen_at[stop - 1] - seen_at[start] > _PART_S + _OVERLAP_S:
            following = start + int(np.searchsorted(seen_at[start:stop], seen_at[start] + _PART_S))
            end = start + int(
                np.searchsorted(seen_at[start:stop], seen_at[start] + _PART_S + _OVERLAP_S)
            )
            yield track.part(start, end)
            start = following
        yield track.part(start, stop)


def _stored(lifted: Array, track_id: int, rows: Spool) -> _Part:
    start = len(rows)
    rows.append(lifted)
    return _Part(track_id, start, len(rows), 0)


def _resize(parts: list[_Part], rows: Spool, config: PipelineConfig) -> None:
    """One body for all of a person's parts, of the height that is asked for or likely."""
    spans = [bone_spans(rows.read(part.start, part.stop)["joints_camera_m"]) for part in parts]
    lengths = bone_lengths(np.concatenate(spans))
    stature = stature_m(lengths)
    factor = (config.height_m or likely_height_m(stature)) / stature
    for part in parts:
        own = rows.read(part.start, part.stop)
        joints = own["joints_camera_m"]
        if config.rigid_bones:
            joints = rigid_bones(joints, lengths)
        poses = scaled(CameraPoses(joints, own["root_camera_m"], H36M_17), factor)
        own["joints_camera_m"], own["root_camera_m"] = poses.joints_m, poses.root_m
        rows.write(part.start, own)


def _overlapping(parts: list[_Part], rows: Spool) -> Iterator[_Part]:
    """The parts of a person, with how many rows each shares with the one before."""
    last = -1
    for part in parts:
        frames = rows.read(part.start, part.stop)["frame_index"]
        yield replace(part, shared=int((frames <= last).sum()))
        last = int(frames[-1])


def _mover(rows: Array) -> Mover:
    poses = CameraPoses(rows["joints_camera_m"], rows["root_camera_m"], H36M_17)
    return Mover(poses, rows["frame_index"], rows["keypoint_scores"][:, _FEET] > 0)


def _grounded(
    lifted: _Lifted, fps: float, intrinsics: Intrinsics, config: PipelineConfig, folder: Path | None
) -> People:
    """Everybody in one world, part after part."""
    world = find_world(lifted, fps, config.camera)
    fresh = [
        lifted.rows.read(part.start + part.shared, part.stop)[
            "frame_index"
        ].copy()  # else the rest would stay with it
        for part in lifted.parts
    ]
    track_ids = [
        np.full(len(frames), part.track_id)
        for part, frames in zip(lifted.parts, fresh, strict=True)
    ]
    shared = "one floor for all" if len(lifted.parts) > 1 else "floor under the lowest steps"
    grounding = f"up from balance and steps; {shared}; {config.camera} camera"
    people = People(fresh, track_ids, fps, intrinsics, grounding, folder)
    before = np.zeros(0, PERSON_ROW)
    for part, repeated in zip(
        lifted.parts, [*(part.shared for part in lifted.parts[1:]), 0], strict=False
    ):
        own = lifted.rows.read(part.start, part.stop)
        joints, planted = world.ground(_mover(own))
        people.stood(joints, planted)
        rows = _blended(before, _person_rows(own, part.track_id, joints), part.shared)
        whole = len(rows) - repeated
        people.add(rows[:whole])
        before = rows[whole:]
    return people


def _person_rows(lifted: Array, track_id: int, joints_world_m: Floats) -> Array:
    rows = np.zeros(len(lifted), PERSON_ROW)
    for name in _LIFTED.names or ():
        rows[name] = lifted[name]
    rows["track_id"], rows["observed"] = track_id, lifted["keypoint_scores"] > 0
    rows["joints_world_m"] = joints_world_m
    return rows


def _blended(before: Array, rows: Array, shared: int) -> Array:
    """`rows`, the first `shared` of which go over from those of the part before, the same frames."""
    weight = (np.arange(shared) + 1) / (shared + 1)
    for name in ("keypoints_2d", "joints_camera_m", "root_camera_m", "joints_world_m"):
        new, old = rows[name][:shared], before[name]
        rows[name][:shared] = old + weight.reshape(-1, *[1] * (new.ndim - 1)) * (new - old)
    return rows


def _lift(
    part: Track, frame_indices: NDArray[np.int64], times_s: Floats, lifter: Lifter, intrinsics: Intrinsics,
    config: PipelineConfig,
) -> Array:  # fmt: skip
    """Rows of `_LIFTED` for all frames from a part's first to its last."""
    track = _bridged(part, frame_indices)
    times = times_s[np.searchsorted(frame_indices, track.frame_indices)]
    sequence = to_lifter_clock(settled(track, times), times, lifter.spec.fps, config.smooth)
    poses = lifter.lift(sequence, intrinsics)
    joints = smooth(poses.joints_m, sequence.fps, config.smooth)

    def back(values: Floats) -> Floats:
        return to_frame_times(values, sequence.times_s, times)

    rows = np.zeros(len(times), _LIFTED)
    rows["frame_index"], rows["time_s"], rows["box_xyxy"] = (
        track.frame_indices,
        times,
        track.boxes_xyxy,
    )
    rows["keypoints_2d"], rows["keypoint_scores"] = back(sequence.keypoints), back(sequence.scores)
    rows["joints_camera_m"], rows["root_camera_m"] = back(joints), back(poses.root_m)
    return rows


def _bridged(track: Track, frame_indices: NDArray[np.int64]) -> Track:
    """The track with a row for every frame from its first to its last; boxes are interpolated, the rest is NaN."""
    inside = (frame_indices >= track.frame_indices[0]) & (frame_indices <= track.frame_indices[-1])
    every = frame_indices[inside]
    at = np.searchsorted(every, track.frame_indices)
    boxes = np.stack(
        [np.interp(every, track.frame_indices, side) for side in track.boxes_xyxy.T], 1
    )

    def spread(values: Floats) -> Floats:
        rows = np.full((len(every), *values.shape[1:]), np.nan, dtype=values.dtype)
        rows[at] = values
        return rows

    scores = np.nan_to_num(spread(track.keypoint_scores))
    return Track(
        track.track_id,
        every,
        boxes,
        spread(track.keypoints_xy),
        scores,
        spread(track.keypoints_3d),
        track.skeleton,
    )
