"""Fuzz targets: all that reads files from outside, each with good files to begin from."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from core.archives import read_archive
from core.errors import InputError, Video3DError
from core.skeletons import COCO_17
from core.types import VideoInfo
from detectors.stored.layouts import LAYOUTS
from detectors.stored.replay import Replay
from lifter.predict import Lifter
from lifter.published.pickles import read_published
from pipeline.batch.clip import ClipWorker
from pipeline.batch.jobs import Job
from pipeline.batch.previous import made_with, report_before
from pipeline.batch.report import BatchReport
from pipeline.config import PipelineConfig
from pipeline.corrections.edits import (
    CORRECTIONS,
    Contact,
    Corrections,
    Delete,
    Merge,
    Point,
    Split,
    Swap,
    read_corrections,
)  # fmt: skip
from pipeline.results.resume import weights_report
from testkit.lifters import published_lifter
from testkit.made.motion import bvh
from testkit.make_video import moving, run_ffmpeg
from testkit.stored.formats import FORMATS
from testkit.walker import CAMERA, keypoints, moving_root, sequence_of, walking
from train.reproduce.options import read_config
from train.wild.motion.mocap import load_mocap
from weights.store import resolve


@dataclass(frozen=True)
class Target:
    """`seeds` writes good files into a folder; `read` gets a file and a folder for results."""

    seeds: Callable[[Path], list[Path]]
    read: Callable[[Path, Path], str]
    text: bool = False
    share: int = 1
    """How many of the inputs it gets, relative to the others."""
    is_refused: bool = False
    """Whether the good files are of a kind that is not read."""


def _videos(folder: Path) -> list[Path]:
    short = [
        moving(folder / f"clip.{end}", frames=6, sound_s=0.3)
        for end in ("mp4", "mkv", "ts", "mov", "flv")
    ]
    first = moving(folder / "index_first.mp4", frames=6, options="-movflags +faststart")
    coded = {"avi": "mpeg4", "webm": "libvpx", "mpg": "mpeg2video", "gif": "gif"}
    for end, codec in coded.items():
        short.append(folder / f"{codec}.{end}")
        words = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=0.25", "-c:v", codec)
        run_ffmpeg(*words, str(short[-1]))
    return [*short, first]


@cache
def _worker(out: Path) -> ClipWorker:
    return ClipWorker(PipelineConfig(output=out, overwrite=True))


def _read_video(path: Path, out: Path) -> str:
    outcome = _worker(out).do(Job(path, out / "clip"), lambda tick: None)
    if "a fault of this program" in outcome.reason:
        raise AssertionError(outcome.trace)
    left = [file for file in out.rglob("*") if file.name.startswith(".")]
    assert not left, f"left behind: {left}"
    assert outcome.status == "done" or not (out / "clip").exists(), "half-made results"
    shutil.rmtree(out / "clip", ignore_errors=True)
    return outcome.reason


def _pictures(folder: Path) -> list[Path]:
    picture = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    rgb = np.kron(picture, np.ones((10, 10, 1), np.uint8))
    ways = {
        "jpg": {}, "png": {}, "bmp": {}, "tif": {"compression": "tiff_lzw"}, "webp": {}, "jp2": {},
        "ppm": {}, "avif": {},
    }  # fmt: skip
    for end, options in ways.items():
        Image.fromarray(rgb).save(folder / f"still.{end}", **options)
    Image.fromarray(rgb).save(folder / "scans.jpg", progressive=True)
    Image.fromarray(rgb).save(folder / "lossless.webp", lossless=True)
    frames = [Image.fromarray(np.roll(rgb, shift, 1)) for shift in (20, 40)]
    for end in ("png", "webp"):
        path = folder / f"animation.{end}"
        Image.fromarray(rgb).save(path, save_all=True, append_images=frames, duration=40)
    cv2.imwrite(str(folder / "deflated.tiff"), rgb)
    return sorted(folder.iterdir())


_PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile {}\nduration 1\n",
    "mpd": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
    'mimeType="video/mp4"><Representation id="1" bandwidth="9"><BaseURL>{}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "idx": "# VobSub index file, v7\nsize: 160x120\nid: en, index: 0\n"
    "timestamp: 00:00:00:000, filepos: 000000000\n",
    "sdp": "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "pls": "[playlist]\nFile1={}\nNumberOfEntries=1\n",
    "asx": '<asx version="3.0"><entry><ref href="{}"/></entry></asx>',
}


def _playlists(folder: Path) -> list[Path]:
    """Texts that name a video beside them, also with a video's ending; none is read."""
    neighbour = moving(folder / "neighbour.ts", frames=2)
    for end, text in _PLAYLISTS.items():
        for path in (folder / f"list.{end}", folder / f"{end}.mp4"):
            path.write_text(text.format(neighbour))
    return [path for path in sorted(folder.iterdir()) if path != neighbour]


def _motion(folder: Path) -> list[Path]:
    path = folder / "walk.bvh"
    path.write_text(bvh([{}, {"LeftUpLeg": [20, 0, 0]}, {"LeftUpLeg": [40, 0, 0]}]))
    return [path]


def _read_motion(path: Path, out: Path) -> str:
    load_mocap([path])
    return ""


def _stored(folder: Path) -> list[Path]:
    walk = keypoints(walking(3), np.tile([0.0, 0.0, 5.0], (3, 1))) / 3
    scene = [[np.concatenate([frame, np.full((17, 1), 0.9)], 1)] for frame in walk]
    written = []
    for number, stored in enumerate(FORMATS.values()):
        (folder / str(number)).mkdir()
        written.append(stored.write(folder / str(number), scene, (640, 360)))
    return [_first_file(path) if path.is_dir() else path for path in written]


def _first_file(folder: Path) -> Path:
    """The first file that is good alone; Sports2D's in metres are not."""
    return min(file for file in folder.iterdir() if "_m_person" not in file.name)


def _read_stored(path: Path, out: Path) -> str:
    reasons = []
    # Where a file does not say what its joints are.
    for skeleton in (None, *LAYOUTS):
        try:
            Replay(path, skeleton).begin(VideoInfo(Path("clip.mp4"), 640, 360, 25.0, None, 0, None))
        except InputError as error:
            reasons.append(str(error))
        else:
            return ""
    return reasons[0]


def _read_npz(path: Path, out: Path) -> str:
    read_archive(path)
    return ""


def _reports(folder: Path) -> list[Path]:
    clip = moving(folder / "clip.mp4", frames=2)
    ClipWorker(PipelineConfig.from_flat(output=folder / "out", render=False)).do(
        Job(clip, folder / "out" / "clip"), print
    )
    rows = [{"clip": str(clip), "file": [1, 2, 3], "reason": "is empty"}]
    batch = folder / "batch.json"
    batch.write_text(json.dumps({"way": _way(PipelineConfig()), "clips": rows}))
    return [folder / "out" / "clip" / "report.json", batch]


def _way(config: PipelineConfig) -> dict[str, Any]:
    return made_with(config, weights_report(config.weight_files()))


def _read_report(path: Path, out: Path) -> str:
    folder = out / "report"
    folder.mkdir(parents=True, exist_ok=True)
    config = PipelineConfig.from_flat(render=False)
    shutil.copy(path, folder / "report.json")
    shutil.copy(path, out / "batch_report.json")
    report_before(Job(path, folder), config, weights_report(config.weight_files()))
    BatchReport(out / "batch_report", "0", _way(PipelineConfig()), 1).failed_before(
        [Job(path, folder)]
    )
    return ""


def _lifters(folder: Path) -> list[Path]:
    return [Path(shutil.copy(resolve("lifter"), folder / "lifter.safetensors"))]


def _checkpoints(folder: Path) -> list[Path]:
    """A checkpoint as torch writes it, and as it did when VideoPose3D was new."""
    new, old = published_lifter(folder / "new.bin", COCO_17), folder / "old.bin"
    content = read_published(new) | {"random_state": np.random.RandomState(0)}
    torch.save(content, new)
    torch.save(content, old, _use_new_zipfile_serialization=False)
    return [new, old]


def _read_lifter(path: Path, out: Path) -> str:
    walk = sequence_of(keypoints(walking(8), moving_root(8)))
    lifted = Lifter.load(path).lift(walk, CAMERA)
    assert np.isfinite(lifted.joints_m).all(), "joints that are no numbers"
    return ""


def _configs(folder: Path) -> list[Path]:
    (folder / "config.toml").write_text(
        'epochs = 3\nlearning-rate = 0.001\narchitecture = "3,3,3"\ncausal = true\n'
    )
    return [folder / "config.toml"]


def _read_config(path: Path, out: Path) -> str:
    read_config(path)
    return ""


def _corrections(folder: Path) -> list[Path]:
    edits = (
        Point(1, 12, "left_wrist", (10.5, -3.0)), Swap(2, 3, 9, ("wrist",)), Split(1, 40),
        Merge(3, 2), Delete(2, 5, 6), Contact(1, 0, 7, "right_toe", False),
    )  # fmt: skip
    Corrections(edits).write(folder)
    return [folder / CORRECTIONS]


def _read_corrections(path: Path, out: Path) -> str:
    read_corrections(path)
    return ""


TARGETS = {
    "video": Target(_videos, _read_video, share=8),
    "picture": Target(_pictures, _read_video, share=4),
    "playlist": Target(_playlists, _read_video, text=True, share=2, is_refused=True),
    "keypoints": Target(_stored, _read_stored, text=True, share=6),
    "npz": Target(
        lambda folder: [path for path in _stored(folder) if path.suffix == ".npz"],
        _read_npz,
        share=2,
    ),
    "report": Target(_reports, _read_report, text=True),
    "safetensors": Target(_lifters, _read_lifter),
    "checkpoint": Target(_checkpoints, _read_lifter, share=3),
    "toml": Target(_configs, _read_config, text=True),
    "corrections": Target(_corrections, _read_corrections, text=True),
    "motion": Target(_motion, _read_motion, text=True),
}


def read(name: str, path: Path, out: Path) -> str:
    """Read a file as its target does: "" where that succeeds, else the line that says why not."""
    try:
        reason = TARGETS[name].read(path, out)
    except Video3DError as error:
        reason = str(error)
    assert "\n" not in reason.replace(str(path), ""), f"more than one line: {reason!r}"
    return reason
