"""A live run whose picture and video are kept for the page.

The video that is kept has the frames that were drawn: from it the viewer's page is made, and the
clip can be run again as a file.
"""

import os
import signal
import threading
import time
from contextlib import ExitStack
from multiprocessing.synchronize import Event
from pathlib import Path

import cv2

from core.files import written_whole
from core.types import Picture, VideoInfo
from pipeline.app.pages import LIVE_PICTURE, POSTER, page_frames, write_about
from pipeline.config import PipelineConfig
from pipeline.live.moment import Moment
from pipeline.live.run import process_live
from pipeline.media.clip import open_clip
from pipeline.media.images import write_image
from pipeline.media.live.source import LiveSource
from pipeline.media.options import ClipOptions
from pipeline.media.video_writer import VideoWriter
from pipeline.results.staging import REPORT
from pipeline.runtime.progress import StageProgress
from pipeline.viewer.video import shrunk_video

_PICTURE_EVERY_S = 0.2
_PICTURE_WIDTH = 960
_USUAL_FPS = 30.0


def film_source(
    source: LiveSource,
    config: PipelineConfig,
    folder: Path,
    stop: Event,
    progress: StageProgress,
) -> None:
    """See `pipeline.app.camera.film`."""
    threading.Thread(target=_end_when, args=(stop,), daemon=True).start()
    (folder / "page").mkdir(exist_ok=True)
    failure = None
    with ExitStack() as opened:
        camera = _Camera(folder, source.name, opened)
        try:
            process_live(source, config, camera.watch)
        except Exception as error:
            failure = error
        recorded = next(config.output.glob(f"*/{REPORT}"), None) if camera.has_frames else None
        if recorded is not None:  # until the failure, too
            recorded.parent.rename(folder / "result")
    if recorded is not None:
        camera.finish(progress)
    if failure is not None:
        raise failure


def _end_when(stop: Event) -> None:
    """End the live run of this process, as Ctrl-C does on a terminal."""
    stop.wait()
    os.kill(os.getpid(), signal.SIGTERM)


class _Camera:
    """Keeps what a camera shows."""

    def __init__(self, folder: Path, name: str, opened: ExitStack) -> None:
        self._page, self._opened = folder / "page", opened
        self._path = folder / "source" / f"{name}.mp4"
        self._writer: VideoWriter | None = None
        self._frames: list[tuple[int, float]] = []
        self._shown_s, self._most = 0.0, -1

    def watch(self, moment: Moment, picture: Picture) -> None:
        """See `process_live`."""
        frame = moment.frame
        if self._writer is None:
            height, width = frame.rgb.shape[:2]
            info = VideoInfo(self._path, width, height, _USUAL_FPS, None, 0, None)
            self._writer = self._opened.enter_context(VideoWriter(self._path, info, sound=False))
        self._writer.write(frame.rgb, frame.time_s)
        self._frames.append((frame.index, frame.time_s))
        now = time.monotonic()
        if now - self._shown_s > _PICTURE_EVERY_S:
            self._shown_s = now
            self._write(LIVE_PICTURE, picture)
            if len(moment.people) > self._most:
                self._most = len(moment.people)
                self._write(POSTER, picture)

    @property
    def has_frames(self) -> bool:
        """Whether anything was kept."""
        return bool(self._frames)

    def finish(self, progress: StageProgress) -> None:
        """Make the page's video of what was kept, once the file is whole."""
        (self._page / LIVE_PICTURE).unlink(missing_ok=True)
        with open_clip(self._path, ClipOptions()) as reader:
            made = shrunk_video(
                reader, self._page / "video.mp4", passed=page_frames(progress, len(self._frames))
            )
        frames = self._frames[: len(made.frames)]
        write_about(self._page, made.path.name, made.height, frames)

    def _write(self, name: str, picture: Picture) -> None:
        size = _PICTURE_WIDTH, round(picture.shape[0] * _PICTURE_WIDTH / picture.shape[1])
        smaller = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        with written_whole(self._page / name) as partial:
            write_image(partial, smaller)
