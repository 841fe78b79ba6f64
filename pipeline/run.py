"""One video through all stages: the wiring, and nothing else.

from pipeline.run import process_video
result = process_video("clip.mp4")
result.people[0].joints_world_m  # (T, J, 3) metres
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.files import result_stem
from core.lazy_scipy import load_meanwhile
from core.skeletons import Skeleton
from core.types import Array, Frame, VideoInfo
from pipeline.config import PipelineConfig
from pipeline.corrections.people import corrected_people
from pipeline.detection import FirstPass, detect_people
from pipeline.export.base import write_exports
from pipeline.grounding.standing import Standing, in_words
from pipeline.media.clip import check_clip
from pipeline.media.frame_times import constant_rate
from pipeline.media.images import is_still, write_image
from pipeline.media.video.fitting import Size
from pipeline.media.video_writer import VideoWriter
from pipeline.people import People, find_people, mend_people
from pipeline.render.compose import Space
from pipeline.render.modes import composer, video_size
from pipeline.render.person import PersonInFrame
from pipeline.results.archive import POSES, ArchiveTable, PoseTable, SpoolTable
from pipeline.results.detections import TrackRows
from pipeline.results.report import NO_PEOPLE, Report, versions
from pipeline.results.report_parts import DetectorReport, PersonReport
from pipeline.results.result import Result
from pipeline.results.resume import fingerprint, unchanged
from pipeline.results.staging import staged
from pipeline.results.stances import stances_by_person
from pipeline.results.verdicts.evidence import gather_evidence
from pipeline.results.verdicts.questions import verdicts
from pipeline.runtime.logs import counted
from pipeline.runtime.models import Models
from pipeline.runtime.prefetch import prefetch
from pipeline.runtime.progress import StageProgress, T, progress_bar
from pipeline.tracking.options import TrackOptions
from pipeline.tracking.selection import number_people, select_people
from pipeline.tracks_file import write_tracks

_LOOK_EVERY_S = 1.0  # at most, at the background, as long as the camera stands still
_BRIEF_S = 0.5  # for which a camera that stands still otherwise may move
_TOLD = 3  # times that a warning names


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


def _loading_scipy(progress: StageProgress) -> StageProgress:
    """The same progress; SciPy, which lifting needs, is loaded once the first item is done."""

    def counted(items: Iterable[T], stage: str, total: int | None) -> Iterator[T]:
        for number, item in enumerate(progress(items, stage, total)):
            if number == 1:
                load_meanwhile()
            yield item

    return counted


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
        models = models or opened.enter_context(closing(Models(config.detect, config.lift.lifter)))
        partial = opened.enter_context(staged(folder))
        lifter, weights = models.lifter, models.weights  # before hours of detection
        inputs = config.input_files(video)
        opened.enter_context(unchanged(inputs))
        made_of = fingerprint(inputs)
        with stopwatch.stage("detect"):
            standing = Standing(_LOOK_EVERY_S) if config.ground.camera == "static" else None
            first = detect_people(
                video, config.clip, models.detector, _loading_scipy(progress), partial,
                lambda info: video_size(config.render, info),
                standing.passing if standing else iter,
            )  # fmt: skip
            opened.callback(first.close)
            if standing:
                first = replace(first, warnings=(*first.warnings, *_moves(standing)))
            tracks = number_people(first.tracks(), config.track.people_order)
        with stopwatch.stage("lift"):
            lifting = first.lifting(lifter, config.lift.intrinsics(first.info), config.lift)
            keep = select_people([track.track_id for track in tracks], config.track)
            people = find_people(
                tracks, lifting, first.info.fps, config.ground, partial, keep, progress
            )
            opened.callback(people.table.close)
            kept = [track for track in tracks if track.track_id in keep]
            write_tracks(partial, first, kept, people.world, people.grounding)
            if config.corrections:
                corrected = corrected_people(
                    kept, config.corrections, first.frame_indices, first.times_s
                )
                people = mend_people(
                    SpoolTable(people.table.rows, people.table.joints), kept, corrected, lifting,
                    people.world, people.grounding, partial, progress,
                )  # fmt: skip
                opened.callback(people.table.close)
        report = Report(
            video=first.info,
            intrinsics=lifting.intrinsics,
            detector=DetectorReport(models.choice.name, models.choice.why),
            weights=weights,
            config=config.as_dict(),
            grounding=people.grounding,
            frames=len(first.times_s),
            people=(),
            measures=people.measures,
            warnings=_warnings(first, tracks, people, config.track),
            versions=versions(),
            input=made_of,
        )
        report = write_results(partial, report, first, people, config, stopwatch, progress)
    return Result(folder, report, ArchiveTable(folder / POSES))


def write_results(
    partial: Path,
    report: Report,
    first: FirstPass,
    people: People,
    config: PipelineConfig,
    stopwatch: Stopwatch,
    progress: StageProgress,
    shown: "Shown | None" = None,
) -> Report:
    """Write all files of a result, the report last.

    Args:
        partial: The folder that they are staged in.
        report: What is said of them; people, files and times are added.
        first: The video and its frames.
        people: Everyone, corrected or not.
        config: All options.
        stopwatch: How long the stages before took.
        progress: Is told how far drawing has come.
        shown: What the people are drawn beside; None for the video.

    Returns:
        The report as written.
    """
    table = SpoolTable(people.table.rows, people.table.joints)
    report = replace(report, people=_person_reports(people, table))
    report = replace(report, verdicts=verdicts(gather_evidence(report, table)))
    draft = Result(partial, report, table)
    exported = write_exports(draft, config.export.formats, partial, config.export)
    report = config.export.measured(report, draft.table).exported(exported.names, exported.lines)
    if config.corrections:
        config.corrections.write(partial)
    if config.render.render != "none":
        with stopwatch.stage("render"):
            if shown is None:
                video = first.info.path
                shown = Shown(first.info, lambda size: first.again(video, config.clip, size))
            _render(partial / f"{report.stem}_3d", shown, first, people, config, progress)
    return report.timed(stopwatch.seconds).write(partial)


def _moves(standing: Standing) -> list[str]:
    """A line about a camera that moves, which is taken for one that stands still."""
    spans = [(start, end) for start, end in standing.away_s if end - start >= _BRIEF_S]
    if standing.is_standing and not spans:
        return []
    when = ", ".join(in_words(spans[:_TOLD]))
    more = ", …" if len(spans) > _TOLD else ""
    return [
        f"the camera moves{f' ({when}{more})' if spans else ''}: poses are right, but ways in the "
        "world are as if it stood still; --camera moving where it travels with the people"
    ]


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


def _person_reports(people: People, table: PoseTable) -> tuple[PersonReport, ...]:
    stances = stances_by_person(table)
    return tuple(
        PersonReport.of(person, people.grounding, stances[person.track_id])
        for person in people.table.persons.values()
    )


class Shown(NamedTuple):
    """What is shown of a clip beside its people in 3D.

    info: The video, of the size of what is shown. open: Opens the frames, given the size at which
    they are wanted. keypoints: Whether people's 2D is drawn on them.
    """

    info: VideoInfo
    open: Callable[[Size], AbstractContextManager[Iterable[Frame]]]
    keypoints: bool = True


def _render(
    target: Path,
    shown: Shown,
    first: FirstPass,
    people: People,
    config: PipelineConfig,
    progress: StageProgress,
) -> None:
    """Pass 2: read what is shown again, where it is, draw, encode.

    A picture becomes a picture, beside `target`; so does each frame of "frames".
    """
    table = SpoolTable(people.table.rows, people.table.joints)
    cuts = [int(first.frame_indices[start]) for start in first.shot_starts]
    drawn = composer(config.render, shown.info, table.chunks, cuts)

    def in_frame(frame_index: int) -> list[PersonInFrame]:
        rows = people.table.in_frame(frame_index)
        if not shown.keypoints:
            rows["box_xyxy"] = rows["keypoints_2d"] = np.nan
        return [_drawable(row, people.table.joints) for row in rows]

    with ExitStack() as opened:
        frames: Iterable[Frame] = _blank_frames(first)
        if drawn.video_size is not None:
            reader = opened.enter_context(shown.open(drawn.video_size))
            frames = opened.enter_context(closing(prefetch(reader)))
        if isinstance(drawn, Space) and config.render.render == "frames":
            for frame in progress(frames, "render", len(first.times_s)):
                path = target.with_name(f"{target.name}_{frame.index:06d}.png")
                write_image(path, drawn.cut_out(frame, in_frame(frame.index)))
            return
        if is_still(first.info.path):
            frame = next(iter(frames))
            path = target.with_name(f"{target.name}.jpg")
            write_image(path, drawn.draw(frame, in_frame(frame.index)))
            return
        rate = constant_rate(first.times_s, first.info.fps)
        path = target.with_name(f"{target.name}.mp4")
        writer = opened.enter_context(
            VideoWriter(path, first.info, rate, config.clip.end, encoder=config.render.encoder)
        )
        drawings = opened.enter_context(
            closing(
                prefetch(
                    (frame.time_s, drawn.draw(frame, in_frame(frame.index))) for frame in frames
                )
            )
        )
        for time_s, drawing in progress(drawings, "render", len(first.times_s)):
            writer.write(drawing, time_s)


def _blank_frames(first: FirstPass) -> Iterator[Frame]:
    """The video's frames without their pictures, for what doesn't show them."""
    blank = np.zeros((1, 1, 3), np.uint8)
    for index, time_s in zip(first.frame_indices.tolist(), first.times_s.tolist(), strict=True):
        yield Frame(index, time_s, blank)


def _drawable(row: Array, joints: Skeleton) -> PersonInFrame:
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
