"""Each stage alone: core-milliseconds a frame, and what the stage cannot do without."""

import resource
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from core.types import Frame, Picture
from detectors.blazepose.networks.models import LANDMARK_SIZE, LandmarkModel
from detectors.choice import DetectOptions
from pipeline.config import PipelineConfig
from pipeline.detection import detect_people
from pipeline.export.pictures.frames import frames_with_people
from pipeline.media.clip import open_clip
from pipeline.media.options import ClipOptions
from pipeline.media.shots import mark_cuts
from pipeline.media.video.fitting import shrink
from pipeline.media.video.kept_frames import KeptFrames
from pipeline.media.video_writer import VideoWriter
from pipeline.people import find_people
from pipeline.render.modes import composer, video_size
from pipeline.render.options import RenderOptions
from pipeline.results.result import Result
from pipeline.runtime.models import Models
from weights.store import resolve

FRAMES = 100
"""So many are held in memory to measure what follows decoding."""
HELD = 4
"""So many wait for the next stage; memory that is given back at once would cost page faults."""


@dataclass(frozen=True)
class Stage:
    """Core-milliseconds a frame; floor_ms is what `floor` takes, which this cannot do without."""

    name: str
    core_ms: float
    floor_ms: float
    floor: str


class Meter:
    """Core-seconds inside a block; those of child processes that ended there apart."""

    own_s = children_s = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Measure a block."""
        own, children = time.process_time(), _children_s()
        yield
        self.own_s, self.children_s = time.process_time() - own, _children_s() - children


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def core_ms(action: Callable[[], object], count: int, times: int = 3) -> float:
    """Core-milliseconds that an action takes for each of `count` things; the median of runs."""
    meter, seconds = Meter(), []
    for _ in range(times):
        with meter():
            action()
        seconds.append(meter.own_s + meter.children_s)
    return 1e3 * statistics.median(seconds) / count


def stages(clip: Path, result: Result) -> list[Stage]:
    """Measure all stages on a clip whose result is known."""
    count = result.report.frames
    with open_clip(clip) as reader:
        info, frames = reader.info, list(islice(reader, FRAMES))
    size = video_size(RenderOptions(), info)
    assert size is not None
    decoded = core_ms(lambda: _decode(clip), count, 1)
    decoding = Stage("decode", decoded, core_ms(lambda: _opencv(clip), count, 1), "OpenCV alone")
    detector = DetectOptions().choose().backend.build()

    def detect() -> None:
        detector.begin(info)
        for frame in frames:
            detector.detect(frame)

    people = len(result.table.column("track_id")) / count
    network = LandmarkModel(resolve("blazepose-landmark-full"), 1)._network
    picture = np.zeros((1, LANDMARK_SIZE, LANDMARK_SIZE, 3), np.float32)
    alone = core_ms(lambda: [network(picture) for _ in frames], len(frames)) * people
    detecting = Stage("detect", core_ms(detect, FRAMES), alone, "the landmark network alone")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def keep() -> None:
            with KeptFrames(size, folder) as kept:
                for _ in kept.passing(mark_cuts(frames)):
                    pass

        small = [shrink(frame.rgb, size) for frame in frames]
        shrinking = core_ms(lambda: [shrink(frame.rgb, size) for frame in frames], FRAMES)
        keeping = Stage("keep small frames", core_ms(keep, FRAMES), shrinking, "shrinking them")
        lifting = _lifting(clip, count, folder)
        drawing, pictures = _drawing(result, [*map(Frame, range(FRAMES), _times(frames), small)])
        encoding = _encoding(result, pictures, folder)
    return [decoding, detecting, keeping, lifting, drawing, encoding]


def _times(frames: list[Frame]) -> list[float]:
    return [frame.time_s for frame in frames]


def _decode(clip: Path) -> None:
    with open_clip(clip) as reader:
        deque(reader, maxlen=HELD)


def _opencv(clip: Path) -> None:
    capture, held = cv2.VideoCapture(str(clip)), deque[Picture](maxlen=HELD)
    while (read := capture.read())[0]:
        held.append(read[1])


def _lifting(clip: Path, count: int, folder: Path) -> Stage:
    """Tracking, lifting and grounding; the floor is the lifting network's share."""
    config = PipelineConfig()
    models = Models(config.detect, config.lift.lifter)
    lifter = models.lifter
    first = detect_people(clip, ClipOptions(), models.detector, lambda i, *_: i, folder)
    with closing(models), closing(first):
        lifting = first.lifting(lifter, config.lift.intrinsics(first.info), config.lift)
        network = Meter()
        lift, seconds = lifter.model.lift_windows, []

        def counted(windows: object) -> object:
            with network():
                joints = lift(windows)  # type: ignore[arg-type]
            seconds.append(network.own_s)
            return joints

        lifter.model.lift_windows = counted  # type: ignore[method-assign, assignment]

        def follow() -> None:
            seconds.clear()
            find_people(
                first.tracks(), lifting, first.info.fps, config.ground, folder
            ).table.close()

        cost = core_ms(follow, count)
        return Stage("track, lift, ground", cost, 1e3 * sum(seconds) / count, "its network alone")


def _drawing(result: Result, frames: list[Frame]) -> tuple[Stage, list[Picture]]:
    """Drawing on frames of the shown size; the floor is filling the picture."""
    drawn = composer(RenderOptions(), result.report.video, result.table.chunks)
    with frames_with_people(result) as (pairs, _):
        people = [there for _, there in islice(pairs, len(frames))]

    def draw() -> list[Picture]:
        return [drawn.draw(frame, there) for frame, there in zip(frames, people, strict=True)]

    pictures = draw()
    floor = core_ms(lambda: [picture.copy() for picture in pictures], len(frames))
    stage = Stage("draw", core_ms(draw, len(frames)), floor, "copying the picture")
    return stage, pictures


def _encoding(result: Result, pictures: list[Picture], folder: Path) -> Stage:
    """The writer with its ffmpeg, whose share is the floor."""
    info, meter = result.report.video, Meter()
    with meter(), VideoWriter(folder / "drawn.mp4", info, sound=False) as writer:
        for index, picture in enumerate(pictures):
            writer.write(picture, index / info.fps)
    count = len(pictures)
    cost = 1e3 * (meter.own_s + meter.children_s) / count
    return Stage("encode", cost, 1e3 * meter.children_s / count, "the ffmpeg program alone")
