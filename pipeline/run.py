"""One video through all stages: the wiring, and nothing else.

from pipeline.run import process_video
result = process_video("clip.mp4")
result.people[0].joints_world_m  # (T, J, 3) metres
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from core.files import result_stem
from core.skeletons import Skeleton
from core.types import Array
from pipeline.config import PipelineConfig
from pipeline.detection import FirstPass, detect_people
from pipeline.export.base import write_exports
from pipeline.media.clip import check_clip, open_clip
from pipeline.media.frame_times import constant_rate
from pipeline.media.images import is_still, write_image
from pipeline.media.video_writer import VideoWriter
from pipeline.people import People, find_people
from pipeline.render.compose import SideBySide
from pipeline.render.person import PersonInFrame
from pipeline.results.archive import POSES, ArchiveTable, PoseTable, SpoolTable
from pipeline.results.detections import TrackRows
from pipeline.results.report import NO_PEOPLE, DetectorReport, PersonReport, Report, versions
from pipeline.results.result import Result
from pipeline.results.resume import fingerprint, unchanged
from pipeline.results.staging import staged
from pipeline.results.stances import stances_by_person
from pipeline.runtime.logs import counted
from pipeline.runtime.models import Models
from pipeline.runtime.prefetch import prefetch
from pipeline.runtime.progress import StageProgress, progress_bar
from pipeline.tracking.options import TrackOptions
from pipeline.tracking.selection import number_people, select_people
from pipeline.tracking.tracker import track_people


class Stopwatch:
    """How long each stage takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of the block."""
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
    stopwatch = Stopwatch()
    with ExitStack() as opened:
        if models is None:
            models = Models(config.detect, config.lift.lifter)
            opened.callback(models.close)
        partial = opened.enter_context(staged(folder))
        lifter, weights = models.lifter, models.weights
        opened.enter_context(unchanged(config.input_files(video)))
        made_of = fingerprint(config.input_files(video))
        with stopwatch.stage("detect"):
            first = detect_people(video, config.clip, models.detector, progress, partial)
            opened.callback(first.detections.close)
            found = track_people(first.detections, first.info.fps, shot_starts=first.shot_starts)
            tracks = number_people(found, config.track.people_order)
        with stopwatch.stage("lift"):
            intrinsics = config.lift.intrinsics(first.info)
            people = find_people(
                tracks, first.frame_indices, first.times_s, first.info.fps, lifter, intrinsics,
                config.lift, config.ground, partial, select_people(tracks, config.track),
                first.is_smoothed,
            )  # fmt: skip
            opened.callback(people.table.close)
        table = SpoolTable(people.table.rows, people.table.joints)
        report = Report(
            video=first.info,
            intrinsics=intrinsics,
            detector=DetectorReport(models.choice.name, models.choice.why),
            weights=weights,
            config=config.as_dict(),
            grounding=people.grounding,
            frames=len(first.times_s),
            people=person_reports(people, table),
            measures=people.measures,
            warnings=_warnings(first, tracks, people, config.track),
            versions=versions(),
            input=made_of,
        )
        draft = Result(partial, report, table)
        exported = write_exports(draft, config.export.formats, partial, config.export)
        report = config.export.measured(report, draft.table)
        report = replace(report, warnings=(*report.warnings, *exported.lines))
        if config.render.render:
            with stopwatch.stage("render"):
                _render(
                    video, partial / f"{result_stem(video)}_3d", first, people, config, progress
                )
        report = report.timed(stopwatch.seconds).write(partial)
    return Result(folder, report, ArchiveTable(folder / POSES))


def _warnings(
    first: FirstPass, tracks: Sequence[TrackRows], people: People, options: TrackOptions
) -> tuple[str, ...]:
    warnings = [*first.warnings, *people.doubts]
    missing = sorted(set(options.person_id) - set(range(1, len(tracks) + 1)))
    if missing:
        numbers = ", ".join(map(str, missing))
        there_are = counted(len(tracks), "person", "people")
        warnings.append(f"--person-id {numbers}: this video has {there_are}")
    if not people.table.persons and not (missing and tracks):
        warnings.append(NO_PEOPLE)
    return tuple(warnings)


def person_reports(people: People, table: PoseTable) -> tuple[PersonReport, ...]:
    """Everyone in a table, as reports say it."""
    stances = stances_by_person(table)
    return tuple(
        PersonReport.of(person, people.grounding, stances[person.track_id])
        for person in people.table.persons.values()
    )


def _render(
    video: Path,
    target: Path,
    first: FirstPass,
    people: People,
    config: PipelineConfig,
    progress: StageProgress,
) -> None:
    """Pass 2: read the video again, draw, encode. A picture becomes a picture, beside `target`."""
    side_by_side = SideBySide(first.info, people.table.worlds())

    def in_frame(frame_index: int) -> list[PersonInFrame]:
        rows = people.table.in_frame(frame_index)
        return [drawable(row, people.table.joints) for row in rows]

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


def drawable(row: Array, joints: Skeleton) -> PersonInFrame:
    """A row of `person_row` with these joints as the pictures want it."""
    return PersonInFrame(
        int(row["track_id"]),
        row["box_xyxy"],
        row["keypoints_2d"],
        row["keypoint_scores"],
        row["joints_world_m"],
        row["joint_sigma_m"],
        joints,
    )
