"""The parts of the live road, one by one."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
import torch

from core.errors import InputError, OutputError, UsageError
from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Detections, Floats, Frame, VideoInfo
from lifter.predict import Lifter
from pipeline.batch.run import BatchOptions
from pipeline.config import PipelineConfig
from pipeline.ffmpeg_program import ffmpeg_program
from pipeline.live import source as live_source
from pipeline.live.address import find_live
from pipeline.live.identity import LiveIds
from pipeline.live.lift import LivePerson, Sighting
from pipeline.live.moment import LiveBody, Moment
from pipeline.live.newest import Newest
from pipeline.live.page import Page
from pipeline.live.record import Recorder
from pipeline.live.source import Lag, LiveClock, LiveReader
from pipeline.live.stream import LineStream, describe, open_stream
from pipeline.live.tally import Latency
from pipeline.live.view import LiveView
from pipeline.live.window import open_window
from pipeline.live.world import LiveWorld
from pipeline.render.person import PersonInFrame
from tests.make_video import moving
from tests.walker import CAMERA, keypoints, walking
from weights.store import resolve


def test_what_is_live_and_what_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("7").write_bytes(b"a file after all")
    os.mkfifo("pipe.ts")
    expected = {"0": "camera", "pipe.ts": "pipe", "rtsp://host/a": "network", "HTTP://host/a": "network"}
    kinds = expected | dict.fromkeys(("7", "clip.mp4", "missing", "c:/clip.mp4", "file:///a"))
    assert {text: found.kind if (found := find_live(text)) else None for text in kinds} == kinds


def test_a_password_is_shown_nowhere_and_names_make_good_folders() -> None:
    source = find_live("rtsp://admin:secret@10.0.0.5:554/Streaming/../1?key=secret")
    assert source is not None
    assert source.shown == "rtsp://10.0.0.5:554/Streaming/../1"
    assert source.name == "10.0.0.5_554_Streaming_.._1"
    camera = find_live("0")
    assert camera is not None
    assert camera.name == "camera0"


@pytest.mark.parametrize(
    ("stamps", "arrivals"),
    [
        ([5.0, 5.04, 5.08, 5.12], [70.0, 70.05, 70.07, 70.13]),
        ([9.0, 9.04, 0.0, 0.04], [70.0, 70.04, 70.08, 70.12]),  # restarted
        ([0.0, 0.0, 0.0, 0.0], [70.0, 71.0, 72.0, 73.0]),  # without times
        ([1.0, np.nan, np.nan, 1.12], [70.0, 70.04, 70.08, 70.12]),
        ([1.0, 2.0, 3.0, 4.0], [70.0, 70.01, 70.02, 70.03]),  # what had piled up before we looked
    ],
)
def test_frame_times_rise_and_keep_to_real_time(stamps: list[float], arrivals: list[float]) -> None:
    clock = LiveClock()
    times = np.array([clock.time_s(stamp, arrived) for stamp, arrived in zip(stamps, arrivals, strict=True)])
    assert (np.diff(times) > 0).all()
    assert np.abs(times - (np.array(arrivals) - arrivals[0])).max() < 0.6


def test_even_stamps_stay_even_though_frames_arrive_unevenly() -> None:
    clock, late = LiveClock(), np.random.default_rng(0).uniform(0, 0.03, 50)
    times = [clock.time_s(100 + i / 25, 70 + i / 25 + late[i]) for i in range(50)]
    np.testing.assert_allclose(np.diff(times), 0.04)


def test_falling_behind_is_noticed_and_a_restart_or_missing_times_are_not_taken_for_it() -> None:
    lag = Lag()
    assert [lag.behind_s(i / 30, 70 + i / 30) for i in range(30)] == pytest.approx([0.0] * 30)
    slow = [lag.behind_s(1 + i / 30, 71 + i / 20) for i in range(60)]
    assert slow[-1] == pytest.approx(59 / 60, abs=0.05)
    caught_up = [lag.behind_s(3 + i / 30, 74 + i / 100) for i in range(60)]
    assert caught_up[-1] < 0.01
    assert [lag.behind_s(0.0, 80 + i) for i in range(5)] == [0.0] * 5
    assert lag.behind_s(0.04, 95.0) == 0.0


def test_a_slow_reader_gets_the_newest_and_then_the_end() -> None:
    slot: Newest[str] = Newest()
    with pytest.raises(TimeoutError):
        slot.after(0, timeout_s=0.01)
    for item in "abc":
        slot.put(item)
    slot.close()
    assert slot.after(0) == (3, "c")
    assert slot.after(3) is None


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("stream") / "stream.ts", frames=50)


def test_frames_of_a_fifo_come_in_order_and_end_with_it(stream: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.ts"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(stream.read_bytes()))
    writer.start()
    with LiveReader(live(fifo), threading.Event()) as reader:
        frames = list(reader)
    writer.join()
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert (reader.arrived, indices[-1]) == (50, 49), "all are decoded, and the last one is never missed"
    assert (reader.info.width, reader.info.height, reader.ended) == (160, 120, "ended")


def test_an_http_stream_on_loopback_is_read(stream: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/live.ts"
    command = [ffmpeg_program(), "-v", "quiet", "-nostdin", "-re", "-i", str(stream), "-c", "copy", "-f", "mpegts"]
    with subprocess.Popen([*command, "-listen", "1", address]) as server:
        source = find_live(address)
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


def test_a_source_that_falls_silent_is_given_up(stream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source, "STALLED_S", 2.0)  # which is the limit for opening it, too
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


def test_waiting_for_a_fifo_that_nobody_writes_can_be_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ts")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(InputError, match="stopped before its first frame"):
        LiveReader(live(tmp_path / "pipe.ts"), stop).__enter__()


def test_a_camera_that_is_not_there_is_said() -> None:
    source = find_live("99")
    assert source is not None
    with pytest.raises(InputError, match="99: cannot be opened: no such camera"):
        LiveReader(source, threading.Event()).__enter__()


def live(fifo: Path) -> live_source.LiveSource:
    source = find_live(str(fifo))
    assert source is not None
    return source


def detections(places: list[Floats]) -> Detections:
    body = np.random.default_rng(0).uniform([-40, -150], [40, 150], (17, 2))
    points = np.array([body + place for place in places]).reshape(-1, 17, 2)
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    count = len(places)
    scores, nothing = np.full((count, 17), 0.9), np.full((count, 17, 3), np.nan)
    return Detections(0, boxes, np.full(count, 0.9), points, scores, nothing, COCO_17)


def test_two_people_keep_their_numbers_while_frames_are_missed_and_one_is_hidden() -> None:
    ids, rng, time_s, given = LiveIds(None), np.random.default_rng(2), 0.0, []
    while time_s < 6:
        places = [np.array([300 + 60 * time_s, 400.0]), np.array([1200 - 50 * time_s, 420.0])]
        here = places[:1] if 3 < time_s < 4 else places
        given.append((time_s, len(here), ids.update(detections(here), time_s)))
        time_s += rng.uniform(0.03, 0.2)
    assert all(not numbers for seconds, _, numbers in given if seconds < 0.4), "a flicker is nobody"
    settled = [(count, numbers) for seconds, count, numbers in given if seconds > 0.8]
    assert all(numbers == {1: 0, 2: 1} for count, numbers in settled if count == 2)
    assert all(numbers == {1: 0} for count, numbers in settled if count == 1)


def test_only_the_person_seen_longest_is_kept_when_one_is_wanted() -> None:
    ids = LiveIds(max_people=1)
    for i in range(60):
        places = [np.array([300.0, 400]), np.array([1200.0, 420])]
        numbers = ids.update(detections(places[:1] if i < 20 else places[::-1]), i / 30)
    assert list(numbers.values()) == [1], "who came first, in whatever order they are detected"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As a live run has torch: two threads that wait for each other on a busy machine take minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_person_is_lifted_from_the_past_alone_at_whatever_times_frames_come() -> None:
    lifter = Lifter.load(resolve("lifter"))
    every, fps = 150, 30.0
    joints = walking(every)
    root = np.stack([np.linspace(-1, 1, every), np.zeros(every), np.full(every, 4.0)], 1)
    points = keypoints(joints, root)
    person = LivePerson(lifter, CAMERA, PipelineConfig(height_m=1.6, smooth="one-euro"))
    off_joints, off_root = [], []
    for t in np.cumsum(np.random.default_rng(0).integers(1, 4, 70)):
        if t >= every:
            break
        if 60 <= t < 70:
            person.miss(t / fps)
            continue
        pose = person.lift(Sighting(t / fps, points[t], np.full(17, 0.9), np.full((17, 3), np.nan)))
        off_joints.append(np.linalg.norm(pose.joints_m[0] - joints[t], axis=-1).mean())
        off_root.append(np.linalg.norm(pose.root_m[0] - root[t]))
    assert np.mean(off_joints) < 0.15
    assert np.median(off_root) < 0.5


def placed(seconds: float, level_m: float, tilt_rad: float) -> Iterator[tuple[float, CameraPoses]]:
    """Somebody who walks on a level that is `level_m` above the floor, 1.5 m below a camera tilted down."""
    frames = int(30 * seconds)
    joints = walking(frames)
    ankles = joints[:, H36M_17.indices(("l_ankle", "r_ankle")), 1].max(1)
    root = np.stack([np.linspace(-1, 1, frames), 1.5 - level_m - 0.08 - ankles, np.full(frames, 5.0)], 1)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt_rad), -np.sin(tilt_rad)], [0, np.sin(tilt_rad), np.cos(tilt_rad)]])
    for t in range(frames):
        yield t / 30, CameraPoses((joints[t] @ turn.T)[None], (root[t] @ turn.T)[None], H36M_17)


@pytest.mark.parametrize("tilt_deg", [0.0, -12.0])
def test_up_and_floor_are_learned_on_the_way(tilt_deg: float) -> None:
    world, scores = LiveWorld(), np.full(17, 0.9)
    low, high = placed(8, 0.0, np.radians(tilt_deg)), placed(8, 1.7, np.radians(tilt_deg))
    for (time_s, below), (_, above) in zip(low, high, strict=True):
        found = world.place(time_s, {1: (below, scores), 2: (above, scores)})
    standing, raised = found[1], found[2]
    upright = standing[H36M_17.index("head_top")] - standing[0]
    assert upright[2] / np.linalg.norm(upright) > 0.99
    assert standing[:, 2].min() == pytest.approx(0.08, abs=0.06)
    assert raised[:, 2].min() == pytest.approx(1.78, abs=0.25), "a roof is a roof"


def test_somebody_whose_place_is_not_known_is_nowhere() -> None:
    nowhere = CameraPoses(walking(1), np.full((1, 3), np.nan), H36M_17)
    assert np.isnan(LiveWorld().place(0.0, {1: (nowhere, np.zeros(17))})[1]).all()


def moment(index: int = 0, people: int = 1, place: float = 0.0) -> Moment:
    frame = Frame(index, index / 30, np.full((120, 160, 3), 90, np.uint8))
    points, scores = np.full((17, 2), 50.0), np.full(17, 0.9)
    points[0], scores[0] = np.nan, 0.0
    joints = walking(1)[0][:, [0, 2, 1]] * [1, 1, -1] + [place, 0, 0.9]
    body = PersonInFrame(1, np.array([10.0, 10, 90, 110]), points, scores, joints)
    return Moment(frame, 0.0, [LiveBody(body, CameraPoses(walking(1), np.array([[0, 0, 4.0]]), H36M_17))] * people)


def test_the_stage_grows_for_somebody_who_walks_out_of_it() -> None:
    view = LiveView(VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None))
    near = view.draw(moment().frame, [moment().people[0].in_frame])
    for i in range(20):
        far = view.draw(moment(i).frame, [moment(i, place=8.0).people[0].in_frame])
    assert far.shape == near.shape
    width = near.shape[1] - near.shape[0]
    empty = LiveView(VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None)).draw(moment().frame, [])
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
    with pytest.raises(OutputError, match=r"--stream udp://no\.such\.host\.invalid:9: no such receiver"):
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


@pytest.mark.parametrize("stream", ["udp://host", "udp://host:0", "udp://host:70000", "tcp://host:1", "poses.json", ""])
def test_a_wrong_stream_is_refused(stream: str) -> None:
    with pytest.raises(UsageError, match="--stream must be - or udp://HOST:PORT"):
        PipelineConfig(stream=stream)


def test_flags_that_do_not_go_with_their_source_are_refused() -> None:
    with pytest.raises(UsageError, match="--serve must be a port"):
        PipelineConfig(serve=70000)
    for flag, config in (("--serve", PipelineConfig(serve=0)), ("--stream", PipelineConfig(stream="-"))):
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
