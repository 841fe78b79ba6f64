"""Compare two results in one page: `python -m pipeline.viewer output/a output/b -o compare.html`.

The second is drawn as a ghost of the first, at the time and place of the first. Give one result
twice, and two people, to compare these.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError, OutputError, Video3DError, refusal
from core.files import written_whole
from core.options import Parser
from core.types import Floats
from pipeline.results.result import Person, Result, load_result
from pipeline.viewer.alignment import shift_by_motion
from pipeline.viewer.content import clip_content
from pipeline.viewer.page import PageVideo, data_url, page_html
from pipeline.viewer.video import web_video


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, 1 (a result failed) or 2 (the line is wrong)."""
    parser = Parser(
        prog="python -m pipeline.viewer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", type=Path, metavar="RESULT", help="a folder of results")
    parser.add_argument("second", type=Path, metavar="RESULT", help="one to compare with it")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("compare.html"), help="(default: %(default)s)"
    )
    parser.add_argument(
        "--people", type=int, nargs=2, metavar="ID", help="whom of each (default: the first ones)"
    )
    parser.add_argument(
        "--shift", type=float, metavar="S",
        help="seconds by which the second is shown later (default: by motion)",
    )  # fmt: skip
    parser.add_argument(
        "--names", nargs=2, metavar="NAME", help="what the page calls them (default: the clips')"
    )
    parser.add_argument("--private", action="store_true", help="leave the videos out")
    given = parser.parse_args(arguments)
    try:
        page = comparison(
            load_result(given.first), load_result(given.second), given.people, given.shift,
            given.private, given.names,
        )  # fmt: skip
        _write(given.output, page)
    except (Video3DError, OSError) as error:
        print(f"failed: {refusal(error) or error}", file=sys.stderr)
        return 1
    print(given.output)
    return 0


def comparison(
    first: Result,
    second: Result,
    people: Sequence[int] | None = None,
    shift_s: float | None = None,
    private: bool = False,
    names: Sequence[str] | None = None,
) -> str:
    """The page that compares two results.

    Args:
        first: Whose people are solid.
        second: Drawn as a ghost.
        people: The track id in each; None for the first ones.
        shift_s: Seconds to add to the times of `second`; None aligns them by motion, or, where both
            are of the same file, not at all.
        private: Whether the videos are left out.
        names: What the page calls them; None for the names of their clips.

    Raises:
        InputError: A result has nobody, or nobody of an id.
    """
    chosen = [
        _person(result, None if people is None else people[number])
        for number, result in enumerate((first, second))
    ]
    if shift_s is None:
        is_same = first.report.input is not None and first.report.input == second.report.input
        same_people = people is None or people[0] == people[1]
        shift_s = 0.0 if is_same and same_people else shift_by_motion(*chosen)
    settings = {
        "compare": {"people": [person.track_id for person in chosen], "shift_s": round(shift_s, 3)}
    }
    shown = [None, None] if private else _videos(first, second)
    clips = [
        clip_content(result) if one is None else clip_content(result, one.frames, one.height)
        for result, one in zip((first, second), shown, strict=True)
    ]
    for clip, name in zip(clips, names or _names(clips), strict=True):
        clip["name"] = name
    videos = [None if one is None else one.video for one in shown]
    return page_html(clips, videos[0], settings=settings, second=videos[1])


@dataclass(frozen=True)
class _Shown:
    """A result's video in the page; frames (F, 2) and height px as in `WebVideo`."""

    video: PageVideo
    frames: Floats
    height: int


def _videos(first: Result, second: Result) -> list[_Shown | None]:
    """Of both; what was made of one part of one file is encoded once."""
    sources = [
        (result.report.input, *(result.report.config.get(name) for name in ("start", "end", "fps")))
        for result in (first, second)
    ]
    shown = _video(first)
    is_same = first.report.input is not None and sources[0] == sources[1]
    return [shown, shown if is_same else _video(second)]


def _video(result: Result) -> _Shown | None:
    """None, and a line on stderr, where there is none any more."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = web_video(result, Path(folder) / "video")
        except InputError as error:
            print(error, file=sys.stderr)
            return None
        video = PageVideo(data_url(made.path), made.start_s, made.is_picture)
    return _Shown(video, made.frames, made.height)


def _names(clips: Sequence[dict[str, Any]]) -> list[str]:
    names = [str(clip["name"]) for clip in clips]
    return names if names[0] != names[1] else [f"{names[0]}, first", f"{names[1]}, second"]


def _person(result: Result, track_id: int | None) -> Person:
    found = [one for one in result.people if track_id in (None, one.track_id)]
    if not found:
        who = "nobody in it" if track_id is None else f"no person {track_id} in it"
        raise InputError(f"{result.folder}: there is {who}")
    return found[0]


def _write(path: Path, page: str) -> None:
    try:
        with written_whole(path) as partial:
            partial.write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
