"""A camera picked on the page, and what a process of its own does with it.

It is the live run of the command line. Its networks are loaded by that process alone.
"""

import re
import sys
from multiprocessing.synchronize import Event
from pathlib import Path

from core.errors import InputError
from pipeline.config import PipelineConfig
from pipeline.corrections.edits import Corrections
from pipeline.media.live.source import LiveSource, parse_live_source
from pipeline.runtime.progress import StageProgress


def parse_camera(text: str) -> LiveSource:
    """The camera that a person names on the page.

    Args:
        text: A camera's number or device, an address on the network, or a FIFO.

    Raises:
        InputError: It is none, or there is no such camera; one line for people.
    """
    source = parse_live_source(text.strip())
    if source is None:
        raise InputError(f"`{text}` is no camera: give its number, as 0, or its address")
    is_number = source.kind == "camera" and re.fullmatch("[0-9]+", source.address)
    if is_number and sys.platform == "linux" and not Path(f"/dev/video{source.address}").exists():
        raise InputError(f"there is no camera {source.address} on this machine")
    return source


def film(
    address: str, config: PipelineConfig, folder: Path, stop: Event, progress: StageProgress
) -> None:
    """Analyse a camera until it ends or is stopped.

    Args:
        address: Of `parse_camera`.
        config: All options, its output a folder that nobody else uses.
        folder: Of the clip: it gets `result`, the video in `source`, the page's in `page`.
        stop: Ends it well.
        progress: Counts the frames of the page's video, once the camera has ended.

    Raises:
        InputError: The camera cannot be opened or sends nothing.
    """
    from pipeline.app.filming import film_source

    film_source(parse_camera(address), config, folder, stop, progress)


def lift_again(result: Path, corrections: Corrections, progress: StageProgress) -> None:
    """Correct a result of a camera, into its folder `mended`."""
    from pipeline.mend import mend
    from pipeline.results.result import load_result

    mend(load_result(result), corrections, progress=progress)
