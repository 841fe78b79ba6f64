"""Edits → tracks: who is whom, and what is marked on each person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.skeletons import COCO_21
from core.types import Floats
from pipeline.corrections.edits import (
    PARTS,
    SIDED,
    Contact,
    Corrections,
    Delete,
    Edit,
    Merge,
    Point,
    Split,
    Swap,
)  # fmt: skip
from pipeline.results.detections import Marks, TrackRows


def corrected_people(
    tracks: Sequence[TrackRows],
    corrections: Corrections,
    frame_indices: NDArray[np.int64],
    times_s: Floats,
) -> list[TrackRows]:
    """The people of a video after what was corrected by hand.

    Args:
        tracks: The people as they were found, with the numbers that corrections name.
        corrections: The edits, in their order.
        frame_indices: (F,) of all frames of the video.
        times_s: (F,) seconds of these.

    Returns:
        The people by number; those that no edit concerns are the same objects.

    Raises:
        InputError: An edit names a person or a frame that is not there; the text has its number.
    """
    people = _People(
        {track.track_id: track for track in tracks}, frame_indices, times_s,
        max((track.track_id for track in tracks), default=0),
    )  # fmt: skip
    for number, edit in enumerate(corrections.edits, 1):
        try:
            people.apply(edit)
        except InputError as error:
            raise InputError(f"corrections, edit {number} ({edit.kind}): {error}") from error
    return [people.tracks[number] for number in sorted(people.tracks)]


@dataclass
class _People:
    """The people as the edits before leave them; `last` is the highest number given so far."""

    tracks: dict[int, TrackRows]
    frame_indices: NDArray[np.int64]
    times_s: Floats
    last: int

    def apply(self, edit: Edit) -> None:
        match edit:
            case Point(person, frame, joint, position):
                self._require_there(person, frame)
                marks = self._marks(person)
                points = {**marks.points, (frame, COCO_21.index(joint)): position}
                self._mark(person, replace(marks, points=points))
            case Swap(person, first, last, joints):
                self._swap(person, self._range(person, first, last), joints)
            case Contact(person, first, last, part, on):
                marks, frames = self._marks(person), self._range(person, first, last)
                contacts = marks.contacts.copy()
                contacts[frames, PARTS.index(part)] = 1 if on else -1
                self._mark(person, replace(marks, contacts=contacts))
            case Split(person, frame):
                self._split(person, frame)
            case Merge(person, other):
                self._merge(person, other)
            case Delete(person, None, None):
                self._track(person)
                del self.tracks[person]
            case Delete(person, int(first), int(last)):
                self._delete(person, self._range(person, first, last))

    def _track(self, person: int) -> TrackRows:
        if person not in self.tracks:
            there = ", ".join(map(str, sorted(self.tracks))) or "none"
            raise InputError(f"there is no person {person}; there is {there}")
        return self.tracks[person]

    def _marks(self, person: int) -> Marks:
        marks = self._track(person).marks
        if marks is not None:
            return marks
        length = int(self.frame_indices[-1]) + 1
        return Marks(np.zeros((length, len(COCO_21)), bool), np.zeros((length, 4), np.int8))

    def _mark(self, person: int, marks: Marks) -> None:
        self.tracks[person] = replace(self.tracks[person], marks=marks)

    def _require_there(self, person: int, frame: int) -> None:
        """`InputError` where a person has no row in a frame."""
        track = self._track(person)
        seconds = self.times_s[np.searchsorted(self.frame_indices, track.frame_indices)]
        starts = [0, *track.stretch_starts(seconds).tolist()]
        stops = [*starts[1:], len(track)]
        if frame not in self.frame_indices or not any(
            track.frame_indices[start] <= frame <= track.frame_indices[stop - 1]
            for start, stop in zip(starts, stops, strict=True)
        ):
            raise InputError(f"person {person} is not there in frame {frame}")

    def _range(self, person: int, first: int, last: int) -> slice:
        """The frames of a range in which a person may have rows."""
        own = self._track(person).frame_indices
        if last < own[0] or first > own[-1]:
            raise InputError(
                f"person {person} is there in frames {own[0]} to {own[-1]}, not in {first} to"
                f" {last}"
            )
        return slice(max(first, int(own[0])), min(last, int(own[-1])) + 1)

    def _swap(self, person: int, frames: slice, joints: tuple[str, ...] | None) -> None:
        """Exchange sides, and those of points that were moved before."""
        marks = self._marks(person)
        chosen = np.zeros(len(COCO_21), bool)
        for joint in SIDED if joints is None else joints:
            chosen[COCO_21.indices((f"left_{joint}", f"right_{joint}"))] = True
        swapped = marks.swapped.copy()
        swapped[frames] ^= chosen

        def now(frame: int, keypoint: int) -> int:
            is_moved = chosen[keypoint] and frames.start <= frame < frames.stop
            return COCO_21.flip_order[keypoint] if is_moved else keypoint

        points = {(frame, now(frame, k)): xy for (frame, k), xy in marks.points.items()}
        self._mark(person, replace(marks, swapped=swapped, points=points))

    def _split(self, person: int, frame: int) -> None:
        track = self._track(person)
        row = int(np.searchsorted(track.frame_indices, frame))
        if not 0 < row < len(track):
            raise InputError(
                f"person {person} is there in frames {track.frame_indices[0]} to"
                f" {track.frame_indices[-1]}: nothing to split at {frame}"
            )
        self.last += 1
        every = np.arange(int(self.frame_indices[-1]) + 1)
        self.tracks[person] = _rows(track, np.arange(row), every < frame)
        later = _rows(track, np.arange(row, len(track)), every >= frame)
        self.tracks[self.last] = replace(later, track_id=self.last)

    def _merge(self, person: int, other: int) -> None:
        """The rows of both; where both are seen, those of `person`."""
        one, two = self._track(person), self._track(other)
        new = ~np.isin(two.frame_indices, one.frame_indices)
        frames = np.concatenate([one.frame_indices, two.frame_indices[new]])
        order = np.argsort(frames)
        both = replace(
            one,
            frame_indices=frames[order],
            boxes_xyxy=np.concatenate([one.boxes_xyxy, two.boxes_xyxy[new]])[order],
            rows=np.concatenate([one.rows, two.rows[new]])[order],
        )
        if one.marks or two.marks:
            mine, theirs = self._marks(person), self._marks(other)
            is_theirs = np.ones(len(mine.swapped), bool)
            is_theirs[one.frame_indices] = False
            theirs = _left(theirs, is_theirs)
            marks = Marks(
                mine.swapped ^ theirs.swapped,
                np.where(mine.contacts != 0, mine.contacts, theirs.contacts),
                {**theirs.points, **mine.points},
                mine.starts | theirs.starts,
            )
            both = replace(both, marks=marks)
        del self.tracks[other]
        self.tracks[person] = both

    def _delete(self, person: int, frames: slice) -> None:
        track = self._track(person)
        every = np.arange(int(self.frame_indices[-1]) + 1)
        is_left = (every < frames.start) | (every >= frames.stop)
        kept = np.flatnonzero(is_left[track.frame_indices])
        if not len(kept):
            del self.tracks[person]
            return
        left = _rows(track, kept, is_left)
        self.tracks[person] = left
        marks = self._marks(person)
        self._mark(person, replace(marks, starts=marks.starts | {frames.stop}))


def _rows(track: TrackRows, rows: NDArray[np.int64], is_left: NDArray[np.bool_]) -> TrackRows:
    """A track's rows, with the marks of the frames that are left (L,)."""
    marks = None if track.marks is None else _left(track.marks, is_left)
    return replace(
        track,
        frame_indices=track.frame_indices[rows],
        boxes_xyxy=track.boxes_xyxy[rows],
        rows=track.rows[rows],
        marks=marks,
    )


def _left(marks: Marks, is_left: NDArray[np.bool_]) -> Marks:
    """The marks of the frames that are left (L,)."""
    return replace(
        marks,
        swapped=marks.swapped & is_left[:, None],
        contacts=marks.contacts * is_left[:, None],
        points={key: xy for key, xy in marks.points.items() if is_left[key[0]]},
    )
