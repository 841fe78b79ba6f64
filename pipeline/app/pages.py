"""What the page of a clip is made of: its small video and its poster, once; its content, each time.

The video stays the same when people are lifted again.
"""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.errors import InputError
from core.files import written_whole
from core.types import Floats
from pipeline.export.pictures.frames import frames_with_people
from pipeline.media.images import write_image
from pipeline.render.modes import side_by_side
from pipeline.results.result import Result, load_result
from pipeline.runtime.progress import StageProgress
from pipeline.viewer.content import clip_content
from pipeline.viewer.page import PageVideo, page_html
from pipeline.viewer.video import Passed, web_video

POSTER = "poster.jpg"
LIVE_PICTURE = "live.jpg"
"""In a clip's `page` while a camera is at work: the camera's picture beside the 3D view."""
_POSTER_WIDTH = 640
_POSTER_WITHIN, _SETTLED = 60, 20  # frames from the first with people


def make_page(result: Path, folder: Path, progress: StageProgress) -> None:
    """Make the video and the poster of a result's page; a process of its own runs it.

    Args:
        result: The folder of the result.
        folder: Where they go; it is there when they are whole.
        progress: Counts the video's frames.

    Raises:
        OutputError: They cannot be written.
    """
    made_of = load_result(result)
    partial = folder.with_name(f".{folder.name}")
    for leftover in (partial, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    with suppress(InputError):  # a page without a picture, then
        counted = page_frames(progress, made_of.report.frames)
        video = web_video(made_of, partial / "video", counted)
        write_about(partial, video.path.name, video.height, video.frames.tolist())
    _write_poster(made_of, partial / POSTER)
    partial.rename(folder)


def page_frames(progress: StageProgress, total: int) -> Passed:
    """What counts the frames of a page's video."""
    return lambda frames: progress(frames, "page", total)


def write_about(folder: Path, name: str, height: int, frames: Sequence[Sequence[float]]) -> None:
    """Say what the page's video is.

    Args:
        folder: Where it lies.
        name: Of its file.
        height: px.
        frames: Index and time, seconds, of each frame on the clock of the result.
    """
    with written_whole(folder / "page.json") as partial:
        partial.write_text(json.dumps({"name": name, "height": height, "frames": frames}))


def page_of(result: Result, folder: Path, settings: dict[str, Any], extras: tuple[str, ...]) -> str:
    """The page of a result, as the server sends it.

    Args:
        result: The result, corrected or not.
        folder: What `make_page` filled.
        settings: What the page's modules are told; `base` is the address of the clip.
        extras: The modules that are to be in it.
    """
    about = _about(folder)
    shown = None
    if about is not None:
        start_s = about["frames"][0][1]
        name = about["name"]
        shown = PageVideo(f"{settings['base']}{name}", start_s, name.endswith(".jpg"))
    return page_html([content_of(result, folder)], shown, extras, settings, "'self'")


def content_of(result: Result, folder: Path) -> dict[str, Any]:
    """What a page shows of a result, to be fetched when people were lifted again."""
    about = _about(folder)
    if about is None:
        return clip_content(result)
    frames: Floats = np.array(about["frames"])
    return clip_content(result, frames, about["height"])


def _about(folder: Path) -> dict[str, Any] | None:
    """What `write_about` wrote of the video; None where there is none."""
    try:
        about: dict[str, Any] = json.loads((folder / "page.json").read_text())
    except FileNotFoundError:
        return None
    return about


def _write_poster(result: Result, path: Path) -> None:
    """The moment, among the first, in which most people are seen, beside its 3D view."""
    composed = side_by_side(result.report.video, result.table.chunks)
    best, most = None, -1
    with frames_with_people(result) as (frames, _):
        first = int(next(iter(result.table.column("frame_index")), 0))
        for frame, people in islice(frames, first + _POSTER_WITHIN):
            is_settled = len(people) == most and frame.index == first + _SETTLED
            if len(people) > most or is_settled:
                best, most = composed.draw(frame, people), len(people)
    if best is not None:
        size = _POSTER_WIDTH, round(best.shape[0] * _POSTER_WIDTH / best.shape[1])
        write_image(path, cv2.resize(best, size, interpolation=cv2.INTER_AREA))
