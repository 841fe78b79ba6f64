"""A folder of everything that may be wrong with a video, made with ffmpeg and by hand."""

import os
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np

from pipeline.media.encoding.matroska import TICKS_PER_S, frame_header, stream_header
from testkit.make_video import moving, run_ffmpeg

NAMES = (
    "with space.mp4",
    'it\'s "quoted" $HOME;.mp4',
    "new\nline.mp4",
    "\udcff\udc80.mp4",
    "-dash.mp4",
    "ü😀.mp4",
)
"""What files are called that programs stumble over; the fourth is not UTF-8."""


def make_faults(folder: Path) -> dict[str, str]:
    """Fill a folder.

    Returns:
        By path in it, why the file must fail; of one that must be done, "" or its warning.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = moving(folder / "whole.mp4", frames=40, options="-movflags +faststart")
    expected = {"whole.mp4": ""}
    expected |= _damaged(folder, whole.read_bytes())
    expected |= _strange_content(folder)
    expected |= _strange_times(folder)
    expected |= _strange_files(folder)
    for name in NAMES:
        shutil.copy(folder / "2_fps.mp4", folder / name)
        expected[name] = ""
    return expected


def _damaged(folder: Path, whole: bytes) -> dict[str, str]:
    middle = len(whole) * 6 // 10
    moving(folder / "no_index.mp4", frames=10)
    index_last = (folder / "no_index.mp4").read_bytes()
    (folder / "no_index.mp4").write_bytes(index_last[: len(index_last) // 2])
    (folder / "cut.mp4").write_bytes(whole[:middle])
    (folder / "corrupt.mp4").write_bytes(whole[:middle] + bytes(3000) + whole[middle + 3000 :])
    (folder / "zero.mp4").write_bytes(b"")
    (folder / "head.mp4").write_bytes(whole[:200])
    return {
        "no_index.mp4": "FAILED .*cut short",
        "cut.mp4": "could be decoded",
        "corrupt.mp4": "damaged place, the first after 0.",
        "zero.mp4": "FAILED is empty",
        "head.mp4": "FAILED ",
    }


def _strange_content(folder: Path) -> dict[str, str]:
    (folder / "text.mp4").write_text("this is no video\n" * 100)
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    run_ffmpeg("-f", "lavfi", "-i", "sine", "-t", "1", str(folder / "sound.mp4"))
    picture = ("-f", "lavfi", "-i", "color=c=red:s=15360x8640:d=0.1:r=25")
    run_ffmpeg(*picture, "-c:v", "mjpeg", "-frames:v", "1", str(folder / "huge.avi"))
    known = moving(folder / "unknown_codec.mp4", frames=10)
    known.write_bytes(known.read_bytes().replace(b"avc1", b"zz99").replace(b"avcC", b"zzzC"))
    keys = "-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb"
    moving(
        folder / "encrypted.mp4",
        10,
        options=f"{keys} -encryption_kid a7e61c373e219033c21091fa607bf3b8",
    )
    return {
        "text.mp4": "FAILED not a video",
        "noise.mp4": "FAILED ",
        "sound.mp4": "FAILED .*no picture",
        "huge.avi": "FAILED 15360 × 8640 px",
        "unknown_codec.mp4": "FAILED .*coded as zz99",
        "encrypted.mp4": "FAILED .*is encrypted",
    }


def _strange_times(folder: Path) -> dict[str, str]:
    moving(folder / "2_fps.mp4", frames=4, fps="2")
    moving(folder / "240_fps.mp4", frames=24, fps="240")
    _raw(folder / "negative.mkv", [-0.03, -0.01, 0.03, 0.07, 0.11])
    _raw(folder / "repeated.mkv", [0.0, 0.04, 0.04, 0.04, 0.08, 0.06, 0.12, 0.12])
    return {"2_fps.mp4": "", "240_fps.mp4": "", "negative.mkv": "", "repeated.mkv": ""}


def _raw(path: Path, times_s: list[float]) -> None:
    """Raw frames with times as they come."""
    width, height = 160, 120
    grey = bytes([128]) * (width * height * 3 // 2)
    with path.open("wb") as file:
        file.write(stream_header(width, height, Fraction(1, 25)))
        for time_s in times_s:
            header = frame_header(max(0, round(time_s * TICKS_PER_S)), TICKS_PER_S // 25, len(grey))
            before_0 = min(0, round(time_s * TICKS_PER_S)).to_bytes(
                2, "big", signed=True
            )  # only blocks go there
            file.write(header.replace(b"\x81\0\0\0", b"\x81" + before_0 + b"\0") + grey)


def _strange_files(folder: Path) -> dict[str, str]:
    (folder / "nowhere.mp4").symlink_to(folder / "missing.mp4")
    (folder / "itself.mp4").symlink_to(folder / "itself.mp4")
    os.mkfifo(folder / "fifo.mp4")
    below = folder / "below"
    below.mkdir()
    (below / "round").symlink_to(folder)
    moving(below / "whole.mp4", frames=10)
    moving(folder / "twice.mp4", frames=10)
    shutil.copy(folder / "twice.mp4", folder / "twice.mov")
    return {
        "nowhere.mp4": "FAILED no such file",
        "itself.mp4": "FAILED cannot be read: Too many levels",
        "fifo.mp4": "FAILED is a pipe",
        "below/whole.mp4": "",
        "twice.mp4": "",
        "twice.mov": "",
    }
