"""A live source on loopback: a clip, looped in real time into a FIFO, like a camera.

    python -m benchmarks.live [MINUTES] [--clip FILE]      # default 10, the sample

Prints frames per second, frames missed, latency until a frame's poses are out (since the frame was
due in the stream, and since it was decoded), memory after one minute and at the end; then presses
Ctrl-C and prints whether the files are whole. The stream is 1280x720 H.264 in MPEG-TS, where a
frame's end shows only when the next begins: one frame's time, 33 ms, of the first latency is the
stream's own.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from core.options import Parser
from pipeline.media.ffmpeg_program import ffmpeg_program
from pipeline.media.video_reader import probe
from testkit.command_lines import positive, run_benchmark
from weights.store import resolve

ROOT = Path(__file__).parents[1]
FPS = 30
PACKET, FIRST_VIDEO_PID = 188, 256  # of MPEG-TS, as ffmpeg writes it


def camera_like(clip: Path, folder: Path) -> Path:
    """A clip coded as cameras do: no frame refers to a later one."""
    path = folder / "camera.ts"
    command = [
        ffmpeg_program(), "-v", "error", "-i", str(clip), "-an", "-r", str(FPS),
        "-vf", "scale=1280:720", "-c:v", "libx264", "-preset", "veryfast",
        "-tune", "zerolatency", "-bf", "0", "-g", str(FPS), str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def frames_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Split an MPEG-TS stream at the beginnings of its video frames."""
    gathered = b""
    while packet := stream.read(PACKET):
        pid, begins = int.from_bytes(packet[1:3]) & 0x1FFF, packet[1] & 0x40
        if pid == FIRST_VIDEO_PID and begins and gathered:
            yield gathered
            gathered = b""
        gathered += packet


class Camera(threading.Thread):
    """Sends frame n into a FIFO n / FPS seconds after `start_s`."""

    def __init__(self, clip: Path, fifo: Path) -> None:
        super().__init__(daemon=True)
        command = [
            ffmpeg_program(), "-v", "error", "-nostdin", "-stream_loop", "-1", "-i", str(clip),
            "-c", "copy", "-f", "mpegts", "pipe:1",
        ]  # fmt: skip
        self._source = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._fifo = fifo
        self.start_s = 0.0

    def run(self) -> None:
        assert self._source.stdout is not None
        with self._source, self._fifo.open("wb", buffering=0) as fifo:
            self.start_s = time.monotonic()
            try:
                for number, frame in enumerate(frames_of(self._source.stdout)):
                    time.sleep(max(self.start_s + number / FPS - time.monotonic(), 0))
                    fifo.write(frame)
            except BrokenPipeError:  # the reader has stopped
                self._source.kill()


class Receiver(threading.Thread):
    """Reads --stream's lines; `late_s` has the times from frames being due to their poses."""

    def __init__(self, lines: IO[bytes], camera: Camera) -> None:
        super().__init__(daemon=True)
        self._lines, self._camera = lines, camera
        self.late_s: list[float] = []

    def run(self) -> None:
        for line in self._lines:
            moment = json.loads(line)
            if moment["type"] == "frame":
                self.late_s.append(time.monotonic() - self._camera.start_s - moment["frame"] / FPS)


def resident_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", nargs="?", type=positive(float), default=10.0)
    parser.add_argument("--clip", type=Path, help="sent at 1280x720 (default: the sample)")
    options = parser.parse_args()
    seconds, clip = 60 * options.minutes, options.clip or resolve("demo-clip")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fifo = folder / "camera.fifo"
        os.mkfifo(fifo)
        camera = Camera(camera_like(clip, folder), fifo)
        command = [
            sys.executable, "infer_video.py", str(fifo), "--stream", "-", "--output",
            str(folder / "out"),
        ]  # fmt: skip
        live = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert live.stdout is not None
        receiver = Receiver(live.stdout, camera)
        camera.start()
        receiver.start()
        while not receiver.late_s:
            time.sleep(0.1)
        time.sleep(min(60, seconds / 2))
        early = resident_mib(live.pid)
        time.sleep(max(seconds - 60, seconds / 2))
        late, load = resident_mib(live.pid), os.getloadavg()
        live.send_signal(signal.SIGINT)
        status = live.wait()
        receiver.join()
        print_results(folder / "out", receiver.late_s, (early, late), status)
        print(f"load average of this machine meanwhile: {load[2]:.1f} on {os.cpu_count()} cores")


def print_results(out: Path, late_s: list[float], memory: tuple[float, float], status: int) -> None:
    report = json.loads(next(out.glob("*/report.json")).read_text())
    live = report["live"]
    print(
        f"{live['seconds']:.0f} s at {FPS} frames/s: {report['frames_per_second']} frames/s used, "
        f"{live['frames_missed']} of {live['frames_arrived']} frames missed"
    )
    due = 1000 * np.percentile(late_s, [50, 95])
    print(f"latency, due in the stream → poses out: p50 {due[0]:.0f} ms, p95 {due[1]:.0f} ms")
    for what, ms in live["latency_ms"].items():
        print(f"latency, decoded → {what} out: p50 {ms['p50']} ms, p95 {ms['p95']} ms")
    print(f"memory: {memory[0]:.0f} MiB after a minute, {memory[1]:.0f} MiB at the end")
    video, poses = probe(next(out.glob("*/*_3d.mp4"))), np.load(next(out.glob("*/poses.npz")))
    rows, frames = len(poses["track_id"]), report["frames"]
    print(
        f"after Ctrl-C: exit status {status}, {video.frame_count} of {frames} frames in the video,"
        f" {rows} rows of poses"
    )
    print("warnings:", report["warnings"])


if __name__ == "__main__":
    run_benchmark(main)
