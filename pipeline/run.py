"""One video through all stages: the wiring, and nothing else.

from pipeline.run import process_video
report = process_video(Path("clip.mp4"), PipelineConfig(output=Path("out")))
"""

import json
import platform
import time
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import Floats, Intrinsics, VideoInfo
from detectors.base import Detector, detect_all
from detectors.replay import Replay
from pipeline.config import PipelineConfig
from pipeline.export.npz import write_npz
from pipeline.lifting.people import lift_people
from pipeline.media.frame_times import constant_rate, measured
from pipeline.media.images import ImageReader, check_clip, is_image, open_clip, write_image
from pipeline.media.video_reader import VideoReader
from pipeline.media.video_writer import VideoWriter
from pipeline.render.compose import SideBySide
from pipeline.results.people import People, PersonSeen
from pipeline.results.resume import fingerprint, sources
from pipeline.results.spool import DetectionSpool
from pipeline.results.staging import REPORT, staged
from pipeline.runtime.models import Models
from pipeline.runtime.prefetch import ahead
from pipeline.runtime.progress import Progress, bar
from pipeline.tracking.selection import select_people
from pipeline.tracking.tracker import Followed, track_people

_PACKAGES = (
    "torch",
    "numpy",
    "opencv-python-headless",
    "ai-edge-litert",
    "scipy",
    "torchvision",
    "detectron2",
)


@dataclass(frozen=True)
class Seen:
    """A video after pass 1: its F frames' indices, times and people."""

    info: VideoInfo
    frame_indices: NDArray[np.int64]
    times_s: Floats
    detections: DetectionSpool


@dataclass
class _Log:
    """What the report will say."""

    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def process_video(
    video: Path,
    config: PipelineConfig,
    folder: Path | None = None,
    models: Models | None = None,
    progress: Progress = bar,
) -> dict[str, Any]:
    """Detect, track, lift, ground, write, render; returns the report. A `Video3DError` leaves nothing half-made.

    Results go to `folder`, else to one of the video's name in `config.output`. `models` spares loading the networks
    again for every video.
    """
    check_clip(video, config.fps)
    models = models or Models(config)
    log = _Log()
    with staged(folder or config.output / video.stem) as partial, ExitStack() as undo:
        lifter, made_of = models.lifter, fingerprint(sources(video, config))
        with log.stage("detect"):
            detections = undo.enter_context(closing(DetectionSpool(partial)))
            seen = _detect(video, config, models, progress, log, detections)
            tracks = _track(seen, config, log)
        with log.stage("lift"):
            intrinsics = config.intrinsics(seen.info)
            frames, times, fps = seen.frame_indices, seen.times_s, seen.info.fps
            people = lift_people(tracks, frames, times, fps, lifter, intrinsics, config, partial)
            undo.callback(people.close)
        if not people:
            log.warnings.append("nobody was found in this video")
        metadata = _metadata(seen.info, intrinsics, config, models)
        write_npz(partial / "poses.npz", people.rows, metadata)
        if config.render:
            with log.stage("render"):
                _render(video, partial / f"{video.stem}_3d", seen, people, config, progress)
        report = _report(seen, people, metadata, log)
        report |= {
            "input": made_of,
            "files": {file.name: file.stat().st_size for file in partial.iterdir()},
        }
        (partial / REPORT).write_text(json.dumps(report, indent=1) + "\n")
    return report


def _detect(
    video: Path,
    config: PipelineConfig,
    models: Models,
    progress: Progress,
    log: _Log,
    detections: DetectionSpool,
) -> Seen:
    """Pass 1: read the video once and keep only people's keypoints."""
    times = array("d")
    with open_clip(video, config.start, config.end, config.fps) as reader:
        detector = (
            _replay(video, config.keypoints, config, reader)
            if config.keypoints
            else models.detector()
        )
        with closing(ahead(reader)) as frames:
            for frame, found in detect_all(
                detector, progress(frames, "detect", reader.info.frame_count)
            ):
                detections.append(found)
                times.append(frame.time_s)
        if reader.warning:
            log.warnings.append(reader.warning)
    whole = config.start is None and config.end is None
    info = measured(reader.info, np.array(times)) if whole else reader.info
    return Seen(info, detections.frame_indices, np.array(times), detections)


def _track(seen: Seen, config: PipelineConfig, log: _Log) -> list[Followed]:
    """Who is who, and who of them is wanted."""
    tracks = track_people(seen.detections, seen.info.fps)
    missing = sorted(set(config.person_id) - set(range(1, len(tracks) + 1)))
    if missing:
        log.warnings.append(
            f"--person-id {', '.join(map(str, missing))}: there are {len(tracks)} people in this video"
        )
    return select_people(tracks, config.people_order, config.max_people, config.person_id)


def _replay(
    video: Path, keypoints: Path, config: PipelineConfig, reader: VideoReader | ImageReader
) -> Detector:
    numbers = reader.numbers if isinstance(reader, ImageReader) else None
    return Replay(keypoints, config.keypoints_skeleton, video.stem, numbers)


def _render(
    video: Path,
    target: Path,
    seen: Seen,
    people: People,
    config: PipelineConfig,
    progress: Progress,
) -> None:
    """Pass 2: read the video again, draw, encode. `target` gets its ending here: a picture becomes a picture."""
    picture = SideBySide(seen.info, people.worlds())
    if is_image(video):
        with open_clip(video) as still:
            frame = next(iter(still))
        write_image(
            target.with_name(f"{target.name}.jpg"),
            picture.draw(frame, people.in_frame(frame.index)),
        )
        return
    rate = constant_rate(seen.times_s, seen.info.fps)
    with (
        open_clip(video, config.start, config.end, config.fps) as reader,
        VideoWriter(target.with_name(f"{target.name}.mp4"), seen.info, rate, config.end) as writer,
        closing(ahead(reader)) as frames,
        closing(
            ahead(
                (frame.time_s, picture.draw(frame, people.in_frame(frame.index)))
                for frame in frames
            )
        ) as drawn,
    ):
        for time_s, drawing in progress(drawn, "render", len(seen.times_s)):
            writer.write(drawing, time_s)


def _metadata(
    info: VideoInfo, intrinsics: Intrinsics, config: PipelineConfig, models: Models
) -> dict[str, Any]:
    return {
        "video": {**vars(info), "path": str(info.path)},
        "intrinsics": vars(intrinsics),
        "detector": models.chosen._asdict(),
        "weights": models.weights,
        "config": config.as_dict(),
    }


def _report(seen: Seen, people: People, metadata: dict[str, Any], log: _Log) -> dict[str, Any]:
    frames = len(seen.times_s)
    busy = sum(log.seconds.values())
    return {
        "status": "done",
        **metadata,
        "versions": {"python": platform.python_version(), **_versions()},
        "frames": frames,
        "seconds": log.seconds,
        "frames_per_second": round(frames / busy, 2) if busy else None,
        "people": [_person_report(person, people.grounding) for person in people.persons.values()],
        "reprojection_error_px": _rounded(people.reprojection_error_px),
        "bone_length_spread": _rounded(people.bone_spread),
        "foot_skate_m_s": _rounded(people.foot_skate_m_s),
        "warnings": log.warnings,
    }


def _person_report(person: PersonSeen, grounding: str) -> dict[str, Any]:
    return {
        "track_id": person.track_id,
        "first_frame": person.first_frame,
        "last_frame": person.last_frame,
        "frames_seen": person.frames_seen,
        "frames_bridged": person.frames_bridged,
        "grounding": grounding,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
