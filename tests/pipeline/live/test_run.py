"""Live runs as a user has them: a FIFO fed by ffmpeg, real signals, receivers on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import numpy as np
import pytest
import torch

from core.skeletons import COCO_21, H36M_17
from infer_video import main
from pipeline.media.ffmpeg_program import ffmpeg_program
from pipeline.media.video_reader import probe
from testkit.make_video import run_ffmpeg
from weights.store import resolve

ROOT = Path(__file__).parents[3]
ENOUGH_FRAMES = 15


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s of the sample as cameras send it."""
    path = tmp_path_factory.mktemp("clip") / "clip.ts"
    coded = (
        "-an",
        "-vf",
        "scale=640:-2",
        *["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15"],
    )
    run_ffmpeg("-ss", "2.2", "-t", "4", "-i", str(resolve("demo-clip")), *coded, str(path))
    return path


@contextmanager
def running(fifo: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`infer_video.py FIFO --output …/out …`; its messages go to a file beside the FIFO."""
    os.mkfifo(fifo)
    command = [
        sys.executable,
        str(ROOT / "infer_video.py"),
        str(fifo),
        "--output",
        str(fifo.parent / "out"),
    ]
    command += arguments
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    with (
        (fifo.parent / "said.txt").open("wb") as said,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=said, env=environment, process_group=0
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def camera(fifo: Path, clip: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Plays the clip in real time, again and again, into the FIFO."""
    sent = [
        ffmpeg_program(),
        "-v",
        "quiet",
        "-nostdin",
        "-re",
        "-stream_loop",
        "-1",
        "-i",
        str(clip),
        *options,
    ]
    with subprocess.Popen([*sent, "-c", "copy", "-f", "mpegts", "-y", str(fifo)]) as process:
        try:
            yield process
        finally:
            process.kill()


@dataclass(frozen=True)
class Ended:
    """What a run left: exit status, what it sent, its folder."""

    status: int
    lines: list[dict[str, Any]]
    folder: Path
    page: bytes = b""
    picture: bytes = b""

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    def require_whole_files(self) -> None:
        name = "camera_3d.mp4"
        assert sorted(path.name for path in self.folder.iterdir()) == [
            name,
            "poses.npz",
            "report.json",
        ]
        report, table = self.report(), np.load(self.folder / "poses.npz", allow_pickle=False)
        assert report["status"] == "done"
        assert report["frames"] >= ENOUGH_FRAMES
        drawn = report["frames"] - report["live"]["frames_not_drawn"]
        assert probe(self.folder / name).frame_count == drawn >= report["frames"] / 2 - 1
        assert (
            len(table["track_id"]) == sum(person["frames_seen"] for person in report["people"]) > 0
        )
        assert np.isfinite(table["joints_world_m"]).all()


def until_people_were_seen(receive: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """What is received until there were people in enough frames, however slow this machine is."""
    told: list[dict[str, Any]] = []
    while sum(bool(one.get("people")) for one in told) < ENOUGH_FRAMES:
        told.append(receive())
    return told


def only_folder(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


@pytest.fixture(scope="module")
def interrupted(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run with a page and a stream, a viewer who takes nothing, and Ctrl-C after a while."""
    folder = tmp_path_factory.mktemp("interrupted")
    fifo = folder / "camera.fifo"
    with running(fifo, "--serve", "0", "--stream", "-") as live, camera(fifo, clip):
        stdout = live.stdout
        assert stdout is not None
        lines = [json.loads(stdout.readline())]
        url = next(
            word
            for word in (folder / "said.txt").read_text().split()
            if word.startswith("http://127.0.0.1")
        )
        port = int(url.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as viewer:
            viewer.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            lines += until_people_were_seen(lambda: json.loads(stdout.readline()))
            with urlopen(url) as page, urlopen(f"{url}picture.jpg") as picture:
                seen = page.read(), picture.read()
            os.killpg(live.pid, signal.SIGINT)  # a terminal sends Ctrl-C to all that runs in it
            lines += map(json.loads, stdout.readlines())
            status = live.wait()
    return Ended(status, lines, only_folder(folder / "out"), *seen)


def test_ctrl_c_leaves_whole_files_and_is_no_failure(interrupted: Ended) -> None:
    assert interrupted.status == 0
    interrupted.require_whole_files()
    assert interrupted.report()["live"]["ended"] == "stopped"


def test_stdout_holds_a_header_with_the_names_and_then_a_line_a_frame(interrupted: Ended) -> None:
    header, *frames = interrupted.lines
    assert header["type"] == "header"
    assert (header["joints"][:17], header["keypoints"]) == (
        list(H36M_17.joints),
        list(COCO_21.joints),
    )
    numbers = [frame["frame"] for frame in frames]
    assert {frame["type"] for frame in frames} == {"frame"}
    assert numbers == sorted(set(numbers))
    assert len(numbers) > ENOUGH_FRAMES
    assert numbers[-1] < interrupted.report()["live"]["frames_arrived"], "missed frames are counted"


def test_the_stream_says_what_the_file_keeps(interrupted: Ended) -> None:
    table = np.load(interrupted.folder / "poses.npz")
    rows = {
        (frame["frame"], person["id"]): person
        for frame in interrupted.lines[1:]
        for person in frame["people"]
    }
    kept = list(zip(table["frame_index"].tolist(), table["track_id"].tolist(), strict=True))
    assert rows.keys() <= set(kept)
    assert len(rows) >= ENOUGH_FRAMES
    for i, key in enumerate(kept):
        if key in rows:
            np.testing.assert_allclose(
                rows[key]["joints_world_m"], table["joints_world_m"][i], atol=6e-4
            )
            np.testing.assert_allclose(
                rows[key]["root_camera_m"], table["root_camera_m"][i], atol=6e-4
            )
            np.testing.assert_allclose(
                rows[key]["keypoints_px"], table["keypoints_2d"][i], atol=0.06
            )


def test_people_stand_upright_on_the_floor(interrupted: Ended) -> None:
    joints = np.load(interrupted.folder / "poses.npz")["joints_world_m"]
    height = joints[:, H36M_17.index("head_top"), 2] - joints[:, H36M_17.index("r_ankle"), 2]
    assert np.median(height) == pytest.approx(1.6, abs=0.35)
    assert joints[..., 2].min() > -1e-6


def test_the_page_shows_the_picture_that_is_recorded(interrupted: Ended) -> None:
    assert b'<img src="/stream.mjpg"' in interrupted.page
    picture = cv2.imdecode(np.frombuffer(interrupted.picture, np.uint8), cv2.IMREAD_COLOR)
    video = probe(interrupted.folder / "camera_3d.mp4")
    assert picture.shape == (video.height, video.width, 3)
    assert picture.std() > 20


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """`infer_video.py …` in this process, which spares it the start."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    threads, on_sigterm = torch.get_num_threads(), signal.getsignal(signal.SIGTERM)
    yield lambda *words: main([str(word) for word in words])
    torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, on_sigterm)


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        yield
        done.result()


@contextmanager
def heard() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """An address for `--stream`, and the next datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(300)
        yield (
            f"udp://127.0.0.1:{receiver.getsockname()[1]}",
            lambda: json.loads(receiver.recv(65536)),
        )


def test_a_source_that_dies_leaves_whole_files(
    clip: Path, here: Callable[..., int], tmp_path: Path
) -> None:
    fifo = tmp_path / "camera.fifo"
    os.mkfifo(fifo)
    with heard() as (target, receive), camera(fifo, clip) as source:

        def die_after_a_while() -> None:
            until_people_were_seen(receive)
            source.kill()

        with meanwhile(die_after_a_while):
            status = here(fifo, "--output", tmp_path / "out", "--stream", target)
    ended = Ended(status, [], only_folder(tmp_path / "out"))
    assert ended.status == 0
    ended.require_whole_files()
    assert ended.report()["live"]["ended"] == "ended"


def test_datagrams_until_sigterm_and_data_without_video(
    clip: Path, here: Callable[..., int], tmp_path: Path
) -> None:
    fifo, told = tmp_path / "camera.fifo", []
    os.mkfifo(fifo)
    with heard() as (target, receive), camera(fifo, clip):

        def stop_after_a_while() -> None:
            told.extend(receive() for _ in range(ENOUGH_FRAMES))
            os.kill(os.getpid(), signal.SIGTERM)

        with meanwhile(stop_after_a_while):
            words = ["--stream", target, "--no-render", "--export", "csv,fbx", "--blender", "none"]
            status = here(fifo, "--output", tmp_path / "out", *words)
    assert status == 1, "a format failed"
    assert [one["type"] for one in told[:2]] == ["header", "frame"]
    assert sorted(path.name for path in only_folder(tmp_path / "out").iterdir()) == [
        "camera.csv",
        "camera.csv-metadata.json",
        "poses.npz",
        "report.json",
    ]


def test_a_fifo_without_a_video_is_one_line_and_leaves_nothing(
    here: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fifo = tmp_path / "camera.fifo"
    os.mkfifo(fifo)
    with meanwhile(lambda: fifo.write_text("this is no video\n" * 1000)):
        assert here(fifo, "--output", tmp_path / "out") == 1
    said = capfd.readouterr().err
    assert [
        line
        for line in said.splitlines()
        if "failed" in line and str(fifo) in line and "not a video" in line
    ]
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_a_live_source_is_given_alone(
    clip: Path, here: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert here("rtsp://user:secret@localhost/street", clip) == 2
    assert "rtsp://localhost/street is live: give it alone" in capfd.readouterr().err
