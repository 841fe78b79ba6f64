"""Where live results go: the view, streams, the page, recordings; and which flags go with which source."""

import json
import os
import socket
import threading
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from core.errors import OutputError, UsageError
from core.skeletons import H36M_17
from core.types import CameraPoses, Frame, VideoInfo
from pipeline.batch.run import BatchOptions
from pipeline.config import PipelineConfig
from pipeline.live.latency import Latency
from pipeline.live.moment import LiveBody, Moment
from pipeline.live.page import Page
from pipeline.live.record import Recorder
from pipeline.live.stream import LineStream, describe, open_stream
from pipeline.live.window import open_window
from pipeline.render.live_view import LiveView
from pipeline.render.person import PersonInFrame
from tests.walker import walking


def moment(index: int = 0, people: int = 1, place: float = 0.0) -> Moment:
    frame = Frame(index, index / 30, np.full((120, 160, 3), 90, np.uint8))
    points, scores = np.full((17, 2), 50.0), np.full(17, 0.9)
    points[0], scores[0] = np.nan, 0.0
    joints = walking(1)[0][:, [0, 2, 1]] * [1, 1, -1] + [place, 0, 0.9]
    body = PersonInFrame(1, np.array([10.0, 10, 90, 110]), points, scores, joints)
    return Moment(
        frame,
        0.0,
        [LiveBody(body, CameraPoses(walking(1), np.array([[0, 0, 4.0]]), H36M_17))] * people,
    )


def test_the_stage_grows_for_somebody_who_walks_out_of_it() -> None:
    view = LiveView(VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None))
    near = view.draw(moment().frame, [moment().people[0].in_frame])
    for i in range(20):
        far = view.draw(moment(i).frame, [moment(i, place=8.0).people[0].in_frame])
    assert far.shape == near.shape
    width = near.shape[1] - near.shape[0]
    empty = LiveView(VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None)).draw(
        moment().frame, []
    )
    assert (near[:, width:] != empty[:, width:]).any()
    coloured = np.ptp(far[:, width:].astype(int), axis=2) > 60
    assert coloured[60:].any(), "the person is in the picture, 8 m from where they began"


def test_a_reader_who_stops_reading_holds_up_nothing_and_gets_whole_lines() -> None:
    reading, writing = os.pipe()
    stream = LineStream(writing)
    stream.header(describe("camera", 160, 120, {}))
    for i in range(300):  # far more than a pipe holds
        stream.send(moment(i))
    with os.fdopen(reading, "rb") as lines:
        first, second = json.loads(lines.readline()), json.loads(lines.readline())
    stream.close()
    os.close(writing)
    assert (first["type"], second["type"]) == ("header", "frame")
    assert second["people"][0]["keypoints_px"][0] == [None, None], "JSON has no NaN"


def test_a_receiver_that_does_not_exist_is_said() -> None:
    with pytest.raises(
        OutputError, match=r"--stream udp://no\.such\.host\.invalid:9: no such receiver"
    ):
        open_stream("udp://no.such.host.invalid:9")


def test_a_page_elsewhere_cannot_read_the_camera_through_a_name_of_its_own() -> None:
    page = Page(0)
    with pytest.raises(HTTPError, match="403"):
        urlopen(Request(page.url, headers={"Host": "evil.example"}))
    with urlopen(page.url) as answer:
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    with pytest.raises(OutputError, match="give another port"):
        Page(int(page.url.rstrip("/").rpartition(":")[2]))
    page.close()


def test_a_viewer_who_takes_nothing_holds_up_neither_the_run_nor_another_viewer() -> None:
    page = Page(0)
    port = int(page.url.rstrip("/").rpartition(":")[2])
    noise = np.random.default_rng(0).integers(0, 255, (720, 2000, 3), np.uint8)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            page.show(noise)

    with socket.create_connection(("127.0.0.1", port)) as stuck:
        stuck.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        running = threading.Thread(target=run)
        running.start()
        pictures = [urlopen(f"{page.url}picture.jpg").read() for _ in range(3)]
        stop.set()
        running.join()
    page.close()
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures)


def test_no_picture_is_made_for_nobody() -> None:
    page = Page(0)
    assert not page.is_watched
    page.close()


def test_a_recording_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    info = VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None)
    recorder = Recorder(tmp_path / "out", info)
    recorder.__enter__()
    recorder.poses(moment())
    recorder.picture(np.zeros((120, 160, 3), np.uint8), 0.0)
    recorder.__exit__(RuntimeError, RuntimeError(), None)
    assert not (tmp_path / "out").exists()


def test_latency_percentiles() -> None:
    latency = Latency()
    assert latency.as_dict() == {"p50": None, "p95": None}
    for seconds in (0.1, 0.2, 0.3, 5.0):
        latency.since(time.monotonic() - seconds)
    assert latency.percentile_ms(50) == pytest.approx(200, abs=50)
    assert latency.percentile_ms(95) == pytest.approx(5000, abs=50)


def test_no_window_where_there_is_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert open_window("nowhere") is None
    monkeypatch.setenv("DISPLAY", ":4711")
    assert open_window("a display that does not answer") is None


@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="there is no display to open a window on")
def test_the_window_shows_pictures_until_it_is_left() -> None:
    window = open_window("test")
    assert window is not None
    window.show(np.zeros((120, 160, 3), np.uint8))
    assert window.is_open
    window.close()


@pytest.mark.parametrize(
    "stream", ["udp://host", "udp://host:0", "udp://host:70000", "tcp://host:1", "poses.json", ""]
)
def test_a_wrong_stream_is_refused(stream: str) -> None:
    with pytest.raises(UsageError, match="--stream must be - or udp://HOST:PORT"):
        PipelineConfig(stream=stream)


def test_flags_that_do_not_go_with_their_source_are_refused() -> None:
    with pytest.raises(UsageError, match="--serve must be a port"):
        PipelineConfig(serve=70000)
    for flag, config in (
        ("--serve", PipelineConfig(serve=0)),
        ("--stream", PipelineConfig(stream="-")),
    ):
        config.require_live()
        with pytest.raises(UsageError, match=f"{flag} is for live sources"):
            config.require_file()
    refused: list[tuple[str, PipelineConfig | BatchOptions]] = [
        ("--start", PipelineConfig(start=1.0)),
        ("--camera", PipelineConfig(camera="moving")),
        ("--person-id", PipelineConfig(person_id=(2,))),
        ("--people-order", PipelineConfig(people_order="leftmost")),
        ("--fps", PipelineConfig(fps=25.0)),
        ("--dry-run", BatchOptions(dry_run=True)),
        ("--workers", BatchOptions(workers=2)),
    ]
    for flag, options in refused:
        with pytest.raises(UsageError, match=f"{flag}.* is for files"):
            options.require_live()
    BatchOptions().require_live()
