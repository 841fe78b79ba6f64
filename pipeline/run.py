"""One video through all stages: the wiring, and nothing else.

from pipeline.run import process_video
result = process_video("clip.mp4")
result.people[0].joints_world_m  # (T, 17, 3) metres
"""

import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files import result_stem
from core.skeletons import COCO_17
from core.types import Array, Floats, VideoInfo
from detectors.base import SmoothedDetector, WarningDetector, detect_all
from pipeline.config import PipelineConfig
from pipeline.export.base import write_exports
from pipeline.media.clip import check_clip, open_clip
from pipeline.media.frame_times import constant_rate, measured
from pipeline.media.images import is_still, write_image
from pipeline.media.video_writer import VideoWriter
from pipeline.people import People, find_people
from pipeline.render.compose import SideBySide
from pipeline.render.person import PersonInFrame
from pipeline.results.archive import POSES, ArchiveTable, SpoolTable
from pipeline.results.detections import DetectionSpool, TrackRows
from pipeline.results.report import NO_PEOPLE, DetectorReport, PersonReport, Report, versions
from pipeline.results.result import Result
from pipeline.results.resume import fingerprint
from pipeline.results.staging import staged
from pipeline.runtime.logs import counted
from pipeline.runtime.models import Models
from pipeline.runtime.prefetch import prefetch
from pipeline.runtime.progress import StageProgress, progress_bar
from pipeline.tracking.options import TrackOptions
from pipeline.tracking.selection import number_people, select_people
from pipeline.tracking.tracker import track_people


@dataclass(frozen=True)
class _FirstPass:
    """What pass 1 keeps of a video: of F frames the indices (F,), times (F,) s and detections.

    is_smoothed: whether the keypoints were smoothed before. detector_warnings: what the detector
    says of the video.
    """

    info: VideoInfo
    frame_indices: NDArray[np.int64]
    times_s: Floats
    detections: DetectionSpool
    warning: str | None
    is_smoothed: bool
    detector_warnings: tuple[str, ...]


class _Stopwatch:
    """How long each stage takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def process_video(
    video: str | Path,
    config: PipelineConfig | None = None,
    folder: str | Path | None = None,
    models: Models | None = None,
    progress: StageProgress = progress_bar,
) -> Result:
    """Detect, track, lift, ground, export and render one video.

    Args:
        video: A video, a picture, or (with the option `fps`) a folder of numbered pictures.
        config: All options; None for the defaults.
        folder: Where results go; None for a folder of the video's name in `config.output`.
        models: The networks of earlier videos with the same options, which spares loading them.
        progress: Is told how far each stage has come.

    Returns:
        The result, as `load_result(folder)` gives it later.

    Raises:
        Video3DError: Something went wrong, said in one line; nothing half-made is left.
    """
    video, config = Path(video), config or PipelineConfig()
    folder = config.output / result_stem(video) if folder is None else Path(folder)
    check_clip(video, config.clip)
    config.require_inputs()
    stopwatch = _Stopwatch()
    with ExitStack() as opened:
        if models is None:
            models = Models(config.detect, config.lift.lifter)
            opened.callback(models.close)
        partial = opened.enter_context(staged(folder))
        lifter, weights = models.lifter, models.weights
        made_of = fingerprint(config.input_files(video))
        with stopwatch.stage("detect"):
            first = _detect(video, config, models, progress, partial)
            opened.callback(first.detections.close)
            found = track_people(first.detections, first.info.fps)
            tracks = number_people(found, config.track.people_order)
        with stopwatch.stage("lift"):
            intrinsics = config.lift.intrinsics(first.info)
            people = find_people(
                tracks, first.frame_indices, first.times_s, first.info.fps, lifter, intrinsics,
                config.lift, config.ground, partial, select_people(tracks, config.track),
                first.is_smoothed,
            )  # fmt: skip
            opened.callback(people.table.close)
        report = Report(
            video=first.info,
            intrinsics=intrinsics,
            detector=DetectorReport(models.choice.name, models.choice.why),
            weights=weights,
            config=config.as_dict(),
            grounding=people.grounding,
            frames=len(first.times_s),
            people=_person_reports(people),
            measures=people.measures,
            warnings=_warnings(first, tracks, people, config.track),
            versions=versions(),
            input=made_of,
        )
        draft = Result(partial, report, SpoolTable(people.table.rows))
        failures = write_exports(draft, config.export.formats, partial)
        report = replace(report, warnings=(*report.warnings, *failures))
        if config.render.render:
            with stopwatch.stage("render"):
                _render(
                    video, partial / f"{result_stem(video)}_3d", first, people, config, progress
                )
        report = report.timed(stopwatch.seconds).write(partial)
    return Result(folder, report, ArchiveTable(folder / POSES))


def _detect(
    video: Path, config: PipelineConfig, models: Models, progress: StageProgress, folder: Path
) -> _FirstPass:
    """Pass 1: read the video once and keep only people's keypoints."""
    times = array("d")
    with ExitStack() as opened:
        reader = opened.enter_context(open_clip(video, config.clip))
        detections = DetectionSpool(COCO_17, folder)
        undo = opened.enter_context(ExitStack())
        undo.callback(detections.close)  # unless all goes well
        detector = models.detector
        detector.begin(reader.info, reader.picture_numbers)
        frames = opened.enter_context(closing(prefetch(reader)))
        counted = progress(frames, "detect", reader.info.frame_count)
        for frame, detected in detect_all(detector, counted):
            detections.append(detected.to_skeleton(COCO_17))
            times.append(frame.time_s)
        undo.pop_all()
    is_whole = config.clip.start is None and config.clip.end is None
    info = measured(reader.info, np.array(times)) if is_whole else reader.info
    return _FirstPass(
        info, detections.frame_indices, np.array(times), detections, reader.warning,
        isinstance(detector, SmoothedDetector) and detector.is_smoothed,
        detector.warnings(info) if isinstance(detector, WarningDetector) else (),
    )  # fmt: skip


def _warnings(
    first: _FirstPass, tracks: Sequence[TrackRows], people: People, options: TrackOptions
) -> tuple[str, ...]:
    warnings = [first.warning] if first.warning else []
    warnings += [*first.detector_warnings, *people.doubts]
    missing = sorted(set(options.person_id) - set(range(1, len(tracks) + 1)))
    if missing:
        numbers = ", ".join(map(str, missing))
        there_are = counted(len(tracks), "person", "people")
        warnings.append(f"--person-id {numbers}: this video has {there_are}")
    if not people.table.persons and not (missing and tracks):
        warnings.append(NO_PEOPLE)
    return tuple(warnings)


def _person_reports(people: People) -> tuple[PersonReport, ...]:
    persons = people.table.persons.values()
    return tuple(PersonReport.of(person, people.grounding) for person in persons)


def _render(
    video: Path,
    target: Path,
    first: _FirstPass,
    people: People,
    config: PipelineConfig,
    progress: StageProgress,
) -> None:
    """Pass 2: read the video again, draw, encode. A picture becomes a picture, beside `target`."""
    side_by_side = SideBySide(first.info, people.table.worlds())

    def in_frame(frame_index: int) -> list[PersonInFrame]:
        return [_drawable(row) for row in people.table.in_frame(frame_index)]

    if is_still(video):
        with open_clip(video) as still:
            frame = next(iter(still))
        drawing = side_by_side.draw(frame, in_frame(frame.index))
        write_image(target.with_name(f"{target.name}.jpg"), drawing)
        return
    rate = constant_rate(first.times_s, first.info.fps)
    path = target.with_name(f"{target.name}.mp4")
    with (
        open_clip(video, config.clip) as reader,
        VideoWriter(path, first.info, rate, config.clip.end) as writer,
        closing(prefetch(reader)) as frames,
        closing(
            prefetch(
                (frame.time_s, side_by_side.draw(frame, in_frame(frame.index))) for frame in frames
            )
        ) as drawings,
    ):
        for time_s, drawing in progress(drawings, "render", len(first.times_s)):
            writer.write(drawing, time_s)


def _drawable(row: Array) -> PersonInFrame:
    """A row of `PERSON_ROW` as the pictures want it."""
    return PersonInFrame(
        int(row["track_id"]),
        row["box_xyxy"],
        row["keypoints_2d"],
        row["keypoint_scores"],
        row["joints_world_m"],
    )
