"""Sports2D's marker files, `…_px_person00.trc`: one for each person.

https://github.com/davidpagnon/Sports2D. A file has a header of five lines and a line for each
frame, tab-separated: number, time, then x, y, z of each marker, empty where it is missing. All say
that they are in metres; those in pixels have `_px_` in their name. Numbers count from the first
frame that was analysed, times from the beginning of the video.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from core.types import Floats
from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, make_table

MADE_BY = "Sports2D"
_MARK = "_px_person"
_LARGEST_M = 8.0  # a person's extent: no person is so few pixels large, or so many metres


@dataclass(frozen=True)
class _Markers:
    """The markers of one person: names (K,), frames (T,), positions (T, K, 3), NaN = missing."""

    names: tuple[str, ...]
    frames: list[int]
    positions: Floats


def is_markers(start: str) -> bool:
    """Whether a text begins as a marker file does."""
    return start.lstrip("\ufeff").startswith("PathFileType\t")


def read_people(texts: Mapping[str, str], video: str) -> StoredKeypoints:
    """Read the people of a video; where files are of several, those whose name begins with its."""
    people = [_parse(text) for text in _of_video(texts, video).values()]
    if len({person.names for person in people}) > 1:
        raise ValueError("people with different markers")
    rows = (row for person in people for row in _rows(person))
    frames = max((person.frames[-1] + 1 for person in people if person.frames), default=0)
    return make_table(MADE_BY, rows, people[0].names, frames=frames)


def _of_video(texts: Mapping[str, str], video: str) -> Mapping[str, str]:
    """Of several files those in pixels, of several videos' those of one; a single file as it is."""
    if len(texts) == 1:
        return texts
    in_px = {name: text for name, text in texts.items() if _MARK in name}
    if not in_px:
        raise ValueError(f"no file is called …{_MARK}NN.trc")
    stems = sorted({name.partition(_MARK)[0] for name in in_px})
    chosen = [stem for stem in stems if stem == video or stem.startswith(f"{video}_")]
    if len(stems) > 1 and len(chosen) != 1:
        raise ValueError(f"there are {', '.join(stems)}, and which is {video} is unclear")
    stem = stems[0] if len(stems) == 1 else chosen[0]
    return {name: text for name, text in in_px.items() if name.partition(_MARK)[0] == stem}


def _parse(text: str) -> _Markers:
    """Parse a marker file.

    Raises:
        ValueError, IndexError: It is damaged, or in metres, or 3D.
    """
    lines = text.splitlines()
    rate = float(lines[2].split("\t")[0])
    if not 0 < rate < np.inf:
        raise ValueError(f"its frame rate is {rate}")
    names = tuple(name for name in lines[3].rstrip().split("\t")[2::3] if name)
    frames, rows = [], []
    for line in lines[5:]:
        if not line.strip():
            continue
        _, time_s, *values = line.split("\t")
        frames.append(round(float(time_s) * rate))
        numbers = [float(value) if value.strip() else np.nan for value in values]
        rows.append(numbers[: 3 * len(names)])
    positions = np.array(rows, np.float32).reshape(len(rows), len(names), 3)
    _check_pixels(positions)
    return _Markers(names, frames, positions)


def _check_pixels(positions: Floats) -> None:
    """`ValueError` where positions (T, K, 3) are no pixels."""
    if np.nan_to_num(positions[..., 2]).any():
        raise ValueError("its markers are in 3D, which cannot be lifted again")
    seen = positions[..., :2][~np.isnan(positions[..., :2]).all((1, 2))]
    if len(seen) and np.median(np.nanmax(seen, 1) - np.nanmin(seen, 1)) < _LARGEST_M:
        raise ValueError(f"its markers are in metres; give those in pixels, …{_MARK}NN.trc")


def _rows(person: _Markers) -> Iterator[Row]:
    """The frames of one person; markers have no score."""
    for number, markers in zip(person.frames, person.positions, strict=True):
        yield Row(number, np.column_stack([markers[:, :2], np.ones(len(markers))]))


FORMATS = (StoredFormat((MADE_BY,), "texts", is_markers, read_people),)
