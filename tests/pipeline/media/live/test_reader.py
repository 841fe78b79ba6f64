"""Frames of live sources: their clocks, and the reader."""

import os
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from infer_video import live_source
from pipeline.media.ffmpeg_program import ffmpeg_program
from pipeline.media.live import reader as live_reader
from pipeline.media.live.reader import DecodingLag, LiveClock, LiveFrame, LiveReader
from pipeline.media.live.source import LiveSource, parse_live_source
from testkit.make_video import BLUE, RED, encode, marked, moving, same_colour
from testkit.video_kinds import TALL, WIDE, Source, joined


@pytest.mark.parametrize(
    ("stamps", "arrivals"),
    [
        ([5.0, 5.04, 5.08, 5.12], [70.0, 70.05, 70.07, 70.13]),
        ([9.0, 9.04, 0.0, 0.04], [70.0, 70.04, 70.08, 70.12]),  # restarted
        ([0.0, 0.0, 0.0, 0.0], [70.0, 71.0, 72.0, 73.0]),  # without times
        ([1.0, np.nan, np.nan, 1.12], [70.0, 70.04, 70.08, 70.12]),
        (
            [1.0, 2.0, 3.0, 4.0],
            [70.0, 70.01, 70.02, 70.03],
        ),  # read faster than real time: a backlog
    ],
)
def test_frame_times_rise_and_keep_to_real_time(stamps: list[float], arrivals: list[float]) -> None:
    clock = LiveClock()
    times = np.array(
        [clock.time_s(stamp, arrived) for stamp, arrived in zip(stamps, arrivals, strict=True)]
    )
    assert (np.diff(times) > 0).all()
    assert np.abs(times - (np.array(arrivals) - arrivals[0])).max() < 0.6


def test_even_stamps_stay_even_though_frames_arrive_unevenly() -> None:
    clock, late = LiveClock(), np.random.default_rng(0).uniform(0, 0.03, 50)
    times = [clock.time_s(100 + i / 25, 70 + i / 25 + late[i]) for i in range(50)]
    np.testing.assert_allclose(np.diff(times), 0.04)


def test_a_lag_is_measured_and_a_restart_or_missing_times_are_none() -> None:
    lag = DecodingLag()
    assert [lag.update(i / 30, 70 + i / 30) for i in range(30)] == pytest.approx([0.0] * 30)
    slow = [lag.update(1 + i / 30, 71 + i / 20) for i in range(60)]
    assert slow[-1] == pytest.approx(59 / 60, abs=0.05)
    caught_up = [lag.update(3 + i / 30, 74 + i / 100) for i in range(60)]
    assert caught_up[-1] < 0.01
    assert [lag.update(0.0, 80 + i) for i in range(5)] == [0.0] * 5
    assert lag.update(0.04, 95.0) == 0.0


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("stream") / "stream.ts", frames=50)


def read_through(fifo: Path, content: Path) -> tuple[LiveReader, list[LiveFrame]]:
    """A file's frames by a FIFO, and the reader when it is done."""
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(content.read_bytes()))
    writer.start()
    with LiveReader(live(fifo), threading.Event()) as reader:
        frames = list(reader)
    writer.join()
    return reader, frames


def test_frames_of_a_fifo_come_in_order_and_end_with_it(stream: Path, tmp_path: Path) -> None:
    reader, frames = read_through(tmp_path / "pipe.ts", stream)
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert (reader.arrived, indices[-1]) == (50, 49), (
        "all are decoded, and the last one is never missed"
    )
    assert (reader.info.width, reader.info.height, reader.ended) == (160, 120, "ended")


def test_an_http_stream_on_loopback_is_read(stream: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/live.ts"
    command = [ffmpeg_program(), "-v", "quiet", "-nostdin", "-re", "-i", str(stream)]
    command += ["-c", "copy", "-f", "mpegts", "-listen", "1", address]
    with subprocess.Popen(command) as server:
        source = parse_live_source(address)
        assert source is not None
        for _ in range(100):  # it takes a moment to listen
            try:
                with LiveReader(source, threading.Event()) as reader:
                    frames = list(reader)
                break
            except InputError:
                threading.Event().wait(0.1)
        server.wait()
    assert reader.arrived == 50
    assert len(frames) > 1


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("tv.ts", "-x264-params interlaced=1:tff=1", (160, 120)),
        ("dvd.ts", "-vf setsar=64/45", (228, 120)),
        ("plain.ts", "-bf 0", (160, 120)),
        ("reordered.ts", "-bf 3", (160, 120)),
        ("raw.y4m", "-c:v rawvideo -vf setfield=tff", (160, 120)),
    ],
)
def test_what_comes_out_of_a_fifo_is_decoded_rightly(
    name: str, options: str, size: tuple[int, int], tmp_path: Path
) -> None:
    clip = moving(tmp_path / name, frames=50, options=options)
    reader, frames = read_through(tmp_path / f"fifo_{name}", clip)
    assert reader.arrived == 50
    assert (reader.info.width, reader.info.height) == size
    assert reader.size_change is None
    assert all(frame.rgb.mean() > 30 for frame in frames)


def test_colours_come_out_of_a_fifo_as_they_went_in(tmp_path: Path) -> None:
    clip = encode(tmp_path / "marked.ts", [marked()] * 10)
    _, frames = read_through(tmp_path / "fifo.ts", clip)
    assert same_colour(frames[-1].rgb[10, 10], RED)
    assert same_colour(frames[-1].rgb[-10, 10], BLUE)


def test_a_stream_that_changes_its_shape_gets_bars_and_is_told(tmp_path: Path) -> None:
    clip = tmp_path / "turned.ts"
    joined((WIDE, "", "0"), (TALL, "", "0"))(clip, Source())
    reader, frames = read_through(tmp_path / "fifo.ts", clip)
    assert reader.arrived == 30
    tall = frames[-1].rgb
    assert tall.shape == (192, 320, 3)
    assert not tall[:, :100].any()
    assert not tall[:, -100:].any()
    assert tall[:, 110:210].mean() > 60
    assert reader.size_change is not None
    assert "becomes 192 × 320 px at 0.5" in reader.size_change.warning(320, 192)


class _Once(BaseHTTPRequestHandler):
    """Sends a file as a stream, without its length, and says so to the server."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_of_one_client_is_asked_once(stream: Path) -> None:
    handler = type("_Here", (_Once,), {"content": stream.read_bytes()})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.handle_request)  # and no other
        thread.start()
        source = live_source(f"http://127.0.0.1:{server.server_port}/live.ts")
        assert source is not None
        with LiveReader(source, threading.Event()) as reader:
            frames = list(reader)
        thread.join()
    assert (reader.arrived, reader.ended) == (50, "ended")
    assert frames[-1].index == 49


class _Broadcast(BaseHTTPRequestHandler):
    """Sends a file again and again for each that asks, at about its own speed, as streams do."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        for offset in range(0, len(self.content), 188 * 50):
            self.wfile.write(self.content[offset : offset + 188 * 50])
            time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_interlaced_stream_is_not_black(tmp_path: Path) -> None:
    options = "-x264-params interlaced=1:tff=1"
    clip = moving(tmp_path / "stream.ts", frames=100, options=options)
    handler = type("_Here", (_Broadcast,), {"content": clip.read_bytes()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        source = parse_live_source(f"http://127.0.0.1:{server.server_port}/tv.ts")
        assert source is not None
        with LiveReader(source, threading.Event()) as reader:
            frames = list(reader)
        server.shutdown()
        thread.join()
    assert reader.ended == "ended"
    assert reader.arrived >= 60, "a stream is joined somewhere"
    assert reader.info.fps == 25
    assert reader.info.decoder.startswith("ffmpeg: ")
    assert all(frame.rgb.shape == (120, 160, 3) and frame.rgb.mean() > 30 for frame in frames)


def test_a_stalled_source_is_given_up(
    stream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_reader, "STALLED_S", 2.0)  # which is the limit for opening it, too
    fifo = tmp_path / "pipe.ts"
    os.mkfifo(fifo)
    done = threading.Event()

    def write_and_hold() -> None:
        with fifo.open("wb") as pipe:
            pipe.write(stream.read_bytes())
            pipe.flush()
            done.wait(30)

    writer = threading.Thread(target=write_and_hold)
    writer.start()
    with LiveReader(live(fifo), threading.Event()) as reader:
        assert len(list(reader)) > 0
    done.set()
    writer.join()
    assert reader.ended == "stalled"


def test_waiting_for_a_fifo_without_a_writer_can_be_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ts")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(InputError, match="stopped before its first frame"):
        LiveReader(live(tmp_path / "pipe.ts"), stop).__enter__()


def test_a_missing_camera_is_an_error() -> None:
    source = parse_live_source("99")
    assert source is not None
    with pytest.raises(InputError, match="99: cannot be opened: no such camera"):
        LiveReader(source, threading.Event()).__enter__()


def live(fifo: Path) -> live_reader.LiveSource:
    source = parse_live_source(str(fifo))
    assert source is not None
    return source


def test_a_refused_port_and_a_missing_host_are_told_from_each_other() -> None:
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        source = LiveSource(f"rtsp://127.0.0.1:{port}/a", "network")
        with (
            pytest.raises(InputError, match=f"port {port} of 127.0.0.1 refuses connections"),
            LiveReader(source, threading.Event()),
        ):
            pass
    source = LiveSource("rtsp://no.such.host.invalid/a", "network")
    with (
        pytest.raises(InputError, match=r"there is no host no\.such\.host\.invalid"),
        LiveReader(source, threading.Event()),
    ):
        pass
