"""The frames of a result, each with its people, for what is drawn later than the video."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby, repeat
from operator import itemgetter

import numpy as np

from core.errors import InputError
from core.skeletons import COCO_21, Skeleton
from core.types import Array, Floats, Frame
from pipeline.media.clip import open_clip
from pipeline.media.options import ClipOptions
from pipeline.render.person import PersonInFrame
from pipeline.results.archive import PoseTable
from pipeline.results.result import Result

_COLUMNS = (
    "frame_index", "track_id", "time_s", "keypoints_2d", "keypoint_scores", "joints_world_m",
    "joint_sigma_m",
)  # fmt: skip
_BLANK = 24  # grey, where there is no picture

FrameAndPeople = tuple[Frame, Sequence[PersonInFrame]]


@contextmanager
def frames_with_people(result: Result) -> Iterator[tuple[Iterator[FrameAndPeople], str | None]]:
    """Open the frames of a result.

    Where the video is not there any more, or was live, frames are blank, and only those with
    people come.

    Args:
        result: The result.

    Yields:
        The frames by time, each with its people; and what is to be known, or None.
    """
    people = _people(result.table)
    if result.report.live is not None:
        yield _blank_frames(result, people), "a live source is not there to be read again"
        return
    path, config = result.source, result.report.config
    options = ClipOptions(**{name: config.get(name) for name in ("start", "end", "fps")})
    try:
        reader = open_clip(path, options)
    except InputError:
        yield _blank_frames(result, people), f"{path} is not there any more: without its picture"
        return
    with reader, closing(iter(reader)) as frames:  # type: ignore[type-var]
        yield _together(frames, people), None


def _people(table: PoseTable) -> Iterator[tuple[int, float, list[PersonInFrame]]]:
    """Index and time of each frame that has people, and they."""
    rows = (
        (int(row[0]), float(row[2]), _person(row, table.keypoints, table.joints))
        for chunk in zip(*(table.chunks(name) for name in _COLUMNS), strict=True)
        for row in zip(*chunk, strict=True)
    )
    for (index, time_s), group in groupby(rows, key=itemgetter(0, 1)):
        yield index, time_s, [person for _, _, person in group]


def _person(row: tuple[Array, ...], keypoints: Skeleton, joints: Skeleton) -> PersonInFrame:
    _, track_id, _, xy, scores, world, sigma = row
    shown = np.full((len(COCO_21), 2), np.nan)
    shown_scores = np.zeros(len(COCO_21))
    columns = COCO_21.indices(keypoints.joints)
    shown[columns], shown_scores[columns] = xy, scores
    return PersonInFrame(int(track_id), _box(shown), shown, shown_scores, world, sigma, joints)


def _box(keypoints: Floats) -> Floats:
    """(4,) the box around keypoints (K, 2), NaN without any."""
    known = keypoints[np.isfinite(keypoints).all(1)]
    if not len(known):
        return np.full(4, np.nan)
    return np.concatenate([known.min(0), known.max(0)])


def _together(
    frames: Iterator[Frame], people: Iterator[tuple[int, float, list[PersonInFrame]]]
) -> Iterator[FrameAndPeople]:
    index, _, there = next(people, (-1, 0.0, []))
    for frame in frames:
        while 0 <= index < frame.index:
            index, _, there = next(people, (-1, 0.0, []))
        yield frame, there if index == frame.index else ()


def _blank_frames(
    result: Result, people: Iterator[tuple[int, float, list[PersonInFrame]]]
) -> Iterator[FrameAndPeople]:
    video = result.report.video
    blank = np.full((video.height, video.width, 3), _BLANK, np.uint8)
    for rgb, (index, time_s, there) in zip(repeat(blank), people, strict=False):
        yield Frame(index, time_s, rgb), there
