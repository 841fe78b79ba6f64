"""A live source in one pass: read the newest frame, analyse, send, draw, record, show. The wiring.

Poses come first. Besides the camera's there are three threads: one makes poses of the newest frame
and sends them at once; with what it leaves of the machine, another searches frames for new people
and learns where up is, and a third draws and records. The main thread shows pictures in a window.
A machine that is behind draws every second of the frames that it analyses; a slower one analyses
fewer frames, not later ones.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from itertools import chain, islice

from tqdm import tqdm

from core.lazy_scipy import load_meanwhile
from core.types import Picture, VideoInfo
from detectors.base import PromptDetector
from pipeline.config import PipelineConfig
from pipeline.live.analysis import Analysis, causal
from pipeline.live.behind import Behind
from pipeline.live.latency import Latency
from pipeline.live.moment import Moment
from pipeline.live.page import Page
from pipeline.live.record import Recorder
from pipeline.live.report import live_report
from pipeline.live.stream import Stream, open_stream, stream_header
from pipeline.live.window import Window, open_window
from pipeline.media.live.reader import LiveReader
from pipeline.media.live.source import LiveSource
from pipeline.render.live_view import LiveView
from pipeline.render.options import RenderOptions
from pipeline.results.report_parts import DetectorReport
from pipeline.results.result import Result
from pipeline.runtime.beside import Beside
from pipeline.runtime.models import Models
from pipeline.runtime.prefetch import prefetch
from pipeline.runtime.threads import limit_threads

Watch = Callable[[Moment, Picture], None]

_SWITCH_S = 0.001  # after which a thread that draws gives Python to one that waits; 5 ms usually
_NICENESS = 5  # of the threads that search and draw, and of the encoder that the latter starts


def process_live(
    source: LiveSource, config: PipelineConfig | None = None, watch: Watch | None = None
) -> Result:
    """Analyse a live source until it ends.

    It ends with the source, with Ctrl-C or SIGTERM, at the option `end`, or when the preview is
    closed. Whatever ends it, what was recorded until then is whole.

    Args:
        source: What `parse_live_source` gives.
        config: All options; None for the defaults.
        watch: Is given the moments that are drawn, and their pictures (H, W, 3) RGB.

    Returns:
        The result, as `load_result` gives it later.

    Raises:
        InputError: No frame ever came.
    """
    config = causal(config or PipelineConfig())
    config.require_inputs()
    stop = threading.Event()
    with ExitStack() as opened:
        models = Models(config.detect, config.lift.lifter)
        opened.callback(models.close)
        lifter, weights, detector = models.lifter, models.weights, models.detector
        limit_threads(1)  # a window is little work, and a pool is as nice as who starts it
        load_meanwhile()  # lifting needs it
        opened.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_S)
        opened.enter_context(_stopped_by_signals(stop))
        if isinstance(detector, PromptDetector):
            detector.prepare()
        beside = opened.enter_context(closing(Beside(_NICENESS)))
        page = _opened_page(config.live.serve, opened)
        stream = _opened_stream(config.live.stream, opened)
        _say(f"waiting for {source.shown}" + (f"; picture at {page.url}" if page else ""))

        reader = opened.enter_context(LiveReader(source, stop))
        started, info = datetime.now().astimezone(), reader.info
        detector.begin(info)
        intrinsics = config.lift.intrinsics(info)
        if stream:
            stream.send_header(
                stream_header(
                    source.shown,
                    info.width,
                    info.height,
                    vars(intrinsics),
                    lifter.spec.skeleton_out,
                )
            )
        window = None if page else open_window(f"video3d: {source.shown}")
        if window:
            opened.enter_context(closing(window))

        folder = config.output / f"{source.name}_{started:%Y-%m-%d_%H-%M-%S}"
        recorder = opened.enter_context(
            Recorder(folder, info, lifter.spec.skeleton_out, config.render.encoder)
        )
        latency = {"poses": Latency(), "picture": Latency()}
        failure = None
        try:
            analysis = Analysis(detector, lifter, intrinsics, config, beside)
            moments = _sent(analysis.moments(reader), stream, recorder, latency["poses"])
            outputs = _Outputs(info, config.render, page, window, recorder, watch)
            _present(moments, outputs, stop, latency["picture"])
        except Exception as error:  # whatever it was, hours of recording are not thrown away
            failure = error
        try:
            measures, stances = recorder.measures(intrinsics), recorder.stances()
        except Exception as error:  # nor for a measure
            failure, measures, stances = failure or error, {}, {}
        choice = DetectorReport(models.choice.name, models.choice.why)
        report = live_report(
            source, started, reader, recorder, latency, failure, intrinsics=intrinsics,
            detector=choice, weights=weights, config=config.as_dict(), measures=measures,
            stances=stances,
        )  # fmt: skip
        recorder.finish(report, config.export)
    if failure:
        raise failure
    return recorder.result


def _opened_page(port: int | None, opened: ExitStack) -> Page | None:
    return None if port is None else opened.enter_context(closing(Page(port)))


def _opened_stream(target: str | None, opened: ExitStack) -> Stream | None:
    return None if target is None else opened.enter_context(closing(open_stream(target)))


def _sent(
    moments: Iterable[Moment], stream: Stream | None, recorder: Recorder, latency: Latency
) -> Iterator[Moment]:
    """The same moments, their poses sent and kept first: pictures take longer."""
    for moment in moments:
        if stream:
            stream.send(moment)
        latency.add(moment.arrived_s)
        recorder.add_poses(moment)
        yield moment


class _Outputs:
    """All that wants pictures: a page, a preview, the recording."""

    def __init__(
        self,
        info: VideoInfo,
        options: RenderOptions,
        page: Page | None,
        window: Window | None,
        recorder: Recorder,
        watch: Watch | None,
    ) -> None:
        self._watch = watch
        self._view = LiveView(info, options)
        self._records = options.render != "none"
        self._page, self._window, self._recorder = page, window, recorder

    @property
    def is_open(self) -> bool:
        """False when the preview was closed."""
        return self._window is None or self._window.is_open

    def drawn(self, moments: Iterable[Moment], latency: Latency) -> Iterator[Picture | None]:
        """Draw moments, and hand the pictures to viewers first, then to the recording.

        Yields:
            Each moment's picture (H, W, 3) RGB, None where nothing wanted one.
        """
        for moment in moments:
            is_watched = self._watch or (self._page and self._page.is_watched)
            if not (self._records or self._window or is_watched):
                yield None
                continue
            picture = self._view.draw(moment.frame, [body.in_frame for body in moment.people])
            if self._page:
                self._page.show(picture)
            if self._watch:
                self._watch(moment, picture)
            latency.add(moment.arrived_s)
            if self._records:
                self._recorder.add_picture(picture, moment.frame.time_s)
            yield picture

    def show(self, picture: Picture) -> None:
        """Show a picture (H, W, 3) RGB in the preview, from the thread that opened it."""
        if self._window:
            self._window.show(picture)


def _present(
    moments: Iterable[Moment], outputs: _Outputs, stop: threading.Event, latency: Latency
) -> None:
    with ExitStack() as opened:
        made = opened.enter_context(closing(prefetch(moments, depth=1, leaves_out=Behind())))
        try:
            first = [*islice(made, 1)]  # a thread that the one that draws starts would be as nice
            drawing = outputs.drawn(chain(first, made), latency)
            drawn = opened.enter_context(closing(prefetch(drawing, 1, niceness=_NICENESS)))
            counted = tqdm(drawn, "live", unit="frame", disable=None)
            for picture in opened.enter_context(closing(counted)):
                if picture is not None:
                    outputs.show(picture)
                if not outputs.is_open:
                    break
        finally:
            stop.set()  # before waiting for the threads that wait for the source


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM end the run well; a second one acts as ever."""
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


def _say(text: str) -> None:
    tqdm.write(f"live: {text}", file=sys.stderr)
