"""A live source, one pass: newest frame, detect, number, lift, ground, hand out, draw, record. The wiring.

Two threads besides the camera's: one makes poses of the newest frame and hands them to receivers at once, the other,
the main one, draws, shows and records them. Neither runs ahead of the other, so a slow machine shows fewer moments, not
later ones.
"""

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from core.types import Detections, Floats, Intrinsics, VideoInfo
from detectors.base import Detector
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.grounding.online import LiveWorld
from pipeline.lifting.online import LivePerson, Sighting
from pipeline.live.latency import Latency
from pipeline.live.moment import LiveBody, Moment
from pipeline.live.page import Page
from pipeline.live.record import Recorder
from pipeline.live.report import live_report
from pipeline.live.stream import Stream, describe, open_stream
from pipeline.live.window import Window, open_window
from pipeline.media.live_reader import LiveFrame, LiveReader
from pipeline.media.live_source import LiveSource
from pipeline.render.draw import Picture
from pipeline.render.live_view import LiveView
from pipeline.render.person import PersonInFrame
from pipeline.runtime.models import Models
from pipeline.runtime.prefetch import ahead
from pipeline.tracking.online import LiveIds

CAUSAL_LIFTER = "lifter-causal"


def process_live(source: LiveSource, config: PipelineConfig) -> tuple[Path, dict[str, Any]]:
    """Run until the source ends, Ctrl-C, SIGTERM, `config.end` or the preview's closing; the folder and its report.

    Whatever ends it, what was recorded until then is whole. `InputError` where no frame ever came.
    """
    config = _causal(config)
    stop = threading.Event()
    with ExitStack() as opened:
        models = Models(config)
        opened.callback(models.close)
        detector, lifter = models.detector(), models.lifter
        torch.set_num_threads(
            1
        )  # one window is little work; threads that wait for each other would cost far more
        opened.enter_context(_stopped_by_signals(stop))
        page = (
            opened.enter_context(closing(Page(config.serve))) if config.serve is not None else None
        )
        stream = (
            opened.enter_context(closing(open_stream(config.stream)))
            if config.stream is not None
            else None
        )
        _say(f"waiting for {source.shown}" + (f"; picture at {page.url}" if page else ""))

        reader = opened.enter_context(LiveReader(source, stop))
        started, info = datetime.now().astimezone(), reader.info
        intrinsics = config.intrinsics(info)
        if stream:
            stream.header(describe(source.shown, info.width, info.height, vars(intrinsics)))
        window = None if page else open_window(f"video3d: {source.shown}")
        if window:
            opened.enter_context(closing(window))

        folder = config.output / f"{source.name}_{started:%Y-%m-%d_%H-%M-%S}"
        recorder = opened.enter_context(Recorder(folder, info))
        analysis = _Analysis(detector, lifter, intrinsics, config)
        latency = {"poses": Latency(), "picture": Latency()}
        failure = None
        try:
            moments = _handed_out(analysis.moments(reader), stream, recorder, latency["poses"])
            _present(
                moments,
                _Outputs(info, config, page, window, recorder),
                config,
                stop,
                latency["picture"],
            )
        except Exception as error:  # whatever it was, hours of recording are not thrown away
            failure = error
        metadata = {
            "video": {**vars(info), "path": source.shown},
            "intrinsics": vars(intrinsics),
            "weights": models.weights,
            "config": config.as_dict(),
        }
        report = metadata | live_report(source, started, reader, recorder, latency, failure)
        recorder.finish(metadata, report)
    if failure:
        raise failure
    return folder, report


def _causal(config: PipelineConfig) -> PipelineConfig:
    """The configuration for a source whose future nobody knows."""
    if config.lifter == PipelineConfig.lifter:
        config = replace(config, lifter=CAUSAL_LIFTER)
    return replace(config, smooth="none" if config.smooth == "none" else "one-euro")


class _Analysis:
    """Frames → moments, remembering what the past says."""

    def __init__(
        self, detector: Detector, lifter: Lifter, intrinsics: Intrinsics, config: PipelineConfig
    ) -> None:
        self._detector, self._lifter, self._intrinsics, self._config = (
            detector,
            lifter,
            intrinsics,
            config,
        )
        self._ids = LiveIds(config.max_people)
        self._people: dict[int, LivePerson] = {}
        self._world = LiveWorld()

    def moments(self, frames: Iterable[LiveFrame]) -> Iterator[Moment]:
        """One moment a frame, up to `config.end`."""
        for arrived in frames:
            if self._config.end is not None and arrived.time_s >= self._config.end:
                return
            frame = arrived.rgb()
            found = self._detector.detect(frame)
            here = self._ids.update(found, frame.time_s)
            yield Moment(frame, arrived.arrived_s, self._bodies(found, here, frame.time_s))

    def _bodies(self, found: Detections, here: dict[int, int], time_s: float) -> list[LiveBody]:
        self._people = {
            track_id: one for track_id, one in self._people.items() if track_id in self._ids.alive
        }
        poses: dict[int, tuple[Any, Floats]] = {}
        for track_id in here.keys() - self._people.keys():
            self._people[track_id] = LivePerson(self._lifter, self._intrinsics, self._config)
        for track_id, person in self._people.items():
            if track_id not in here:
                person.miss(time_s)
                continue
            row = here[track_id]
            keypoints, scores = found.keypoints_xy[row], found.keypoint_scores[row]
            pose = person.lift(Sighting(time_s, keypoints, scores, found.keypoints_3d[row]))
            poses[track_id] = pose, scores
        placed = self._world.place(time_s, poses)
        return [
            LiveBody(
                PersonInFrame(
                    track_id, found.boxes_xyxy[here[track_id]], found.keypoints_xy[here[track_id]], scores,
                    placed[track_id],
                ),
                pose,
            )
            for track_id, (pose, scores) in sorted(poses.items())
        ]  # fmt: skip


def _handed_out(
    moments: Iterable[Moment], stream: Stream | None, recorder: Recorder, latency: Latency
) -> Iterator[Moment]:
    """The same moments, their poses sent and kept first: pictures take longer."""
    for moment in moments:
        if stream:
            stream.send(moment)
        latency.since(moment.arrived_s)
        recorder.poses(moment)
        yield moment


class _Outputs:
    """Whoever wants pictures."""

    def __init__(
        self,
        info: VideoInfo,
        config: PipelineConfig,
        page: Page | None,
        window: Window | None,
        recorder: Recorder,
    ) -> None:
        self._view = LiveView(info)
        self._page, self._window, self._recorder = page, window, recorder
        self._records = config.render

    @property
    def is_open(self) -> bool:
        """False when the preview was closed."""
        return self._window is None or self._window.is_open

    def draw(self, moment: Moment) -> Picture | None:
        """The picture (H, W, 3) RGB, None where nobody wants one."""
        if not (self._records or self._window or (self._page and self._page.is_watched)):
            return None
        return self._view.draw(moment.frame, [one.in_frame for one in moment.people])

    def show(self, picture: Picture, time_s: float) -> None:
        """(H, W, 3) RGB to viewers first, then to the recording."""
        if self._page:
            self._page.show(picture)
        if self._window:
            self._window.show(picture)
        if self._records:
            self._recorder.picture(picture, time_s)


def _present(
    moments: Iterable[Moment],
    outputs: _Outputs,
    config: PipelineConfig,
    stop: threading.Event,
    latency: Latency,
) -> None:
    with (
        closing(ahead(moments, depth=1)) as made,
        closing(tqdm(made, "live", unit="frame", disable=None)) as counted,
    ):
        try:
            for moment in counted:
                picture = outputs.draw(moment)
                if picture is not None:
                    outputs.show(picture, moment.frame.time_s)
                    latency.since(moment.arrived_s)
                if not outputs.is_open:
                    break
        finally:
            stop.set()  # before waiting for the thread that waits for the source


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run well, once; a second one is as ever."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def end(*_: object) -> None:
        stop.set()
        restore()
        _say("ending; once more breaks off")

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        restore()


def _say(words: str) -> None:
    tqdm.write(f"live: {words}", file=sys.stderr)
