"""Whether every kind of video file is decoded as ffmpeg decodes it, and how fast.

python -m benchmarks.decoders [--width 1280 --height 720 --frames 120] [--only WORD]

A line a kind: what decodes it, its frames and ffmpeg's, the largest difference of a frame's time,
the worst frame's PSNR against ffmpeg's own frame, frames a second of OpenCV alone, which is how all
were decoded before, and of `open_clip`, the look into the file included. A kind that this ffmpeg
cannot make is left out. The exit status is 1 where one is decoded wrongly.
"""

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from core.errors import InputError
from core.options import Parser
from pipeline.media.clip import open_clip
from pipeline.media.opencv import mute_opencv
from testkit.command_lines import positive, run_benchmark
from testkit.video_kinds import KINDS, Kind, Source, expected_frames, expected_times, psnr_db

MIN_PSNR_DB = 30.0
MAX_APART_S = 0.0011
"""Matroska's times are whole milliseconds."""


def main() -> int:
    parser = Parser(description=__doc__)
    parser.add_argument("--width", type=positive(int), default=320)
    parser.add_argument("--height", type=positive(int), default=192)
    parser.add_argument("--frames", type=positive(int), default=30)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    source = Source(arguments.width, arguments.height, arguments.frames)
    mute_opencv()
    print(f"{'kind':36} {'frames':>7} {'apart':>8} {'PSNR':>6} {'before':>7} {'now':>6}  decoder")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            if arguments.only in kind.name:
                wrong += not check(kind, source, Path(folder))
    print(f"{wrong} wrong")
    return 1 if wrong else 0


def check(kind: Kind, source: Source, folder: Path) -> bool:
    """Make a file of a kind, decode it, print its line; whether all was right."""
    path = folder / f"{kind.name.replace(' ', '_')}.{kind.suffix}"
    try:
        kind.make(path, source)
    except AssertionError as error:
        print(f"{kind.name:36} cannot be made here: {str(error).strip().splitlines()[-1]}")
        return True
    before = opencv_speed(path)
    start = time.perf_counter()
    try:
        with open_clip(path) as reader:
            frames = list(reader)
    except InputError as error:
        print(f"{kind.name:36} WRONG: {error}")
        return False
    now = len(frames) / (time.perf_counter() - start)
    times = expected_times(path)
    expected = expected_frames(path, kind.filters, reader.info.width, reader.info.height)
    is_whole = len(frames) == len(times) == len(expected)
    apart = max((abs(f.time_s - t) for f, t in zip(frames, times, strict=False)), default=9.0)
    psnr = min((psnr_db(f.rgb, e) for f, e in zip(frames, expected, strict=False)), default=0.0)
    is_right = is_whole and apart < MAX_APART_S and psnr >= MIN_PSNR_DB
    counts = f"{len(frames)}/{len(times)}"
    print(
        f"{kind.name:36} {counts:>7} {apart:8.4f} {psnr:6.1f} {before:7.0f} {now:6.0f}  "
        f"{reader.info.decoder}{'' if is_right else '   WRONG'}"
    )
    path.unlink()
    return is_right


def opencv_speed(path: Path) -> float:
    """Frames a second of OpenCV alone; 0 where it decodes none."""
    start, count = time.perf_counter(), 0
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    while capture.grab():
        ok, picture = capture.retrieve()
        if ok:
            np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            count += 1
    capture.release()
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    run_benchmark(main)
