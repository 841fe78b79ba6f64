"""Pictures in memory → everyone in them, one picture after another, as of a camera.

from pipeline.live.pictures import people_in

for people in people_in((index / 30, picture) for index, picture in enumerate(pictures)):
    for person in people:
        print(person.in_frame.track_id, person.in_frame.joints_world_m)
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.types import Picture, VideoInfo
from pipeline.config import PipelineConfig
from pipeline.live.analysis import Analysis, causal
from pipeline.live.moment import LiveBody
from pipeline.media.live.reader import LiveFrame
from pipeline.runtime.models import Models

_USUAL_FPS = 30.0


def people_in(
    pictures: Iterable[tuple[float, Picture]], config: PipelineConfig | None = None
) -> Iterator[list[LiveBody]]:
    """Find, follow, lift and ground everyone, from the past alone.

    Someone new has a number, and is among them, after 0.4 s.

    Args:
        pictures: Times in seconds, which rise, and pictures (H, W, 3) uint8 RGB, all of one size.
            The next one is asked for when the people of the last were taken.
        config: Options of detector, tracking and lifting; None for the defaults.

    Yields:
        The people of each picture.

    Raises:
        InputError: A picture has another shape or type, or a time does not rise.
    """
    config = causal(config or PipelineConfig())
    frames = _checked(pictures)
    first = next(frames, None)
    if first is None:
        return
    height, width = first.rgb.shape[:2]
    info = VideoInfo(Path("pictures"), width, height, _USUAL_FPS, None, 0, None)
    with closing(Models(config.detect, config.lift.lifter)) as models:
        models.detector.begin(info)
        analysis = Analysis(models.detector, models.lifter, config.lift.intrinsics(info), config)
        for moment in analysis.moments(chain([first], frames)):
            yield moment.people


def _checked(pictures: Iterable[tuple[float, Picture]]) -> Iterator[LiveFrame]:
    """The pictures as a camera would give them."""
    shape, last_s = None, -np.inf
    for index, (time_s, rgb) in enumerate(pictures):
        is_array = isinstance(rgb, np.ndarray)
        shape = shape or (rgb.shape if is_array else None)
        if not is_array or rgb.dtype != np.uint8 or rgb.shape != shape or shape[2:] != (3,):
            kind = f"{rgb.dtype} {rgb.shape}" if is_array else type(rgb).__name__
            raise InputError(
                f"picture {index} is {kind}: all must be uint8 arrays of one height and width, "
                "with three channels, red, green and blue"
            )
        if not last_s < time_s < np.inf:
            raise InputError(f"picture {index} is of {time_s} s, the one before of {last_s} s")
        last_s = time_s
        yield LiveFrame(index, time_s, time.monotonic(), rgb)
