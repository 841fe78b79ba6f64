"""Several videos of the same people at once → one result: the wiring, and nothing else.

from pipeline.views import process_views
result = process_views(["left.mp4", "right.mp4"])
result.report.views.views[1].position_m  # where the second camera stands

The result has the frames of the first video; everything that reads one of a single video reads it.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import UsageError
from core.files import views_stem
from core.types import Floats
from pipeline.config import PipelineConfig
from pipeline.grounding.axes import world_axes
from pipeline.grounding.world import World
from pipeline.media.clip import check_clip
from pipeline.multiview.calibration_files.pose2sim_toml import write as write_cameras
from pipeline.multiview.fusion import SharedFrames, fuse_people, fused_row
from pipeline.multiview.scene import Calibration, Camera
from pipeline.people import People, ground_people
from pipeline.render.modes import video_size
from pipeline.render.mosaic import Mosaic
from pipeline.results.archive import POSES, ArchiveTable
from pipeline.results.report import NO_PEOPLE, Report, versions
from pipeline.results.report_parts import DetectorReport, SeenReport, ViewReport, ViewsReport
from pipeline.results.result import Result
from pipeline.results.resume import fingerprint, unchanged
from pipeline.results.spool import Spool
from pipeline.results.staging import staged
from pipeline.run import Shown, Stopwatch, write_results
from pipeline.runtime.models import Models
from pipeline.runtime.progress import StageProgress, progress_bar
from pipeline.tracking.selection import select_people
from pipeline.view_pictures import ViewPictures
from pipeline.view_tracks import JoinedViews, film_view, join_views, known_cameras, probe_views

CALIBRATION = "calibration.toml"
"""The cameras in the result's folder, in Pose2Sim's form."""


def process_views(
    videos: Sequence[str | Path],
    config: PipelineConfig | None = None,
    folder: str | Path | None = None,
    models: Models | None = None,
    progress: StageProgress = progress_bar,
) -> Result:
    """Detect, track and lift in each of several views, join them, ground, export and render.

    Args:
        videos: Two videos or more, that show the same people at the same time.
        config: All options; None for the defaults.
        folder: Where results go, and after which they are called; None for a folder in
            `config.output` that is called after the videos.
        models: The networks of earlier videos with the same options, which spares loading them.
        progress: Is told how far each stage has come.

    Returns:
        The result, as `load_result(folder)` gives it later: on the frames of the first video.

    Raises:
        Video3DError: Something went wrong, said in one line; nothing half-made is left.
    """
    paths, config = [Path(video) for video in videos], config or PipelineConfig()
    config = replace(config, several=replace(config.several, views=True))
    if len(paths) < 2:
        raise UsageError("`views` are two videos or more of the same people")
    config.require_uncorrected()
    config.several.require_offsets(len(paths))
    folder = config.output / views_stem(paths) if folder is None else Path(folder)
    for path in paths:
        check_clip(path, config.clip)
    config.require_inputs()
    stopwatch = Stopwatch()
    with ExitStack() as opened:
        models = models or opened.enter_context(closing(Models(config.detect, config.lift.lifter)))
        partial = opened.enter_context(staged(folder))
        inputs = config.input_files(*paths)
        opened.enter_context(unchanged(inputs))
        made_of = fingerprint(inputs)
        infos = probe_views(paths)
        cameras = known_cameras(infos, config)
        known: Sequence[Camera | None] = cameras or [None] * len(paths)
        mosaic = Mosaic(infos)
        is_shown = video_size(config.render, infos[0]) is not None
        sizes = mosaic.sizes if is_shown else [None] * len(paths)
        with stopwatch.stage("detect"):
            filmed = [
                film_view(path, config, models, camera, size, progress, partial, opened)
                for path, camera, size in zip(paths, known, sizes, strict=True)
            ]
        with stopwatch.stage("join"):
            joined = join_views(filmed, config, cameras, partial, opened)
        first, shared, calibration = filmed[0].first, joined.shared, joined.calibration
        with stopwatch.stage("lift"):
            rows = Spool(fused_row(shared[0].joints), partial)
            opened.callback(rows.close)
            frames = SharedFrames(first.frame_indices, first.times_s, first.info.fps)
            fused, seen = fuse_people(calibration, shared, frames, rows, config.lift.smooth)
            intrinsics = calibration.cameras[0].intrinsics
            people = ground_people(
                fused, first.info.fps, intrinsics, config.ground.camera, partial,
                select_people([person.person_id for person in calibration.people], config.track),
            )  # fmt: skip
            opened.callback(people.table.close)
        in_world = [
            replace(_in_world(camera, people.world), name=path.stem)
            for camera, path in zip(calibration.cameras, paths, strict=True)
        ]
        write_cameras(partial / CALIBRATION, in_world)
        report = Report(
            video=first.info,
            intrinsics=intrinsics,
            detector=DetectorReport(models.choice.name, models.choice.why),
            weights=models.weights,
            config=config.as_dict(),
            grounding=people.grounding,
            frames=len(first.times_s),
            people=(),
            measures=people.measures,
            warnings=_warnings(joined, people),
            versions=versions(),
            input=made_of,
            views=ViewsReport(folder.name, _view_reports(joined, in_world, seen)),
        )
        pictures = ViewPictures(joined, mosaic, _person_of(calibration, people))
        info = replace(first.info, width=mosaic.size[0], height=mosaic.size[1])
        shown = Shown(info, lambda _: pictures.frames(config.clip), keypoints=False)
        report = write_results(partial, report, first, people, config, stopwatch, progress, shown)
    return Result(folder, report, ArchiveTable(folder / POSES))


def _in_world(camera: Camera, world: World) -> Camera:
    """A camera whose shared axes are the first camera's, with the world's instead.

    With A the rotation and o the origin of the world, x_world = A x - o, so that
    R x + t = R Aᵀ x_world + R Aᵀ o + t.
    """
    rotation = camera.rotation @ world_axes(world.up).T
    origin = world.origin + np.array([0.0, 0.0, world.floor_m])
    return replace(camera, rotation=rotation, translation=camera.translation + rotation @ origin)


def _warnings(joined: JoinedViews, people: People) -> tuple[str, ...]:
    own = [
        *(f"{view.video.name}: {text}" for view in joined.filmed for text in view.first.warnings),
        *(text for view in joined.filmed for text in view.doubts),
    ]
    no_people = [] if people.table.persons else [NO_PEOPLE]
    return (*own, *joined.calibration.doubts, *people.doubts, *no_people)


def _view_reports(
    joined: JoinedViews, in_world: Sequence[Camera], seen: dict[int, list[int]]
) -> tuple[ViewReport, ...]:
    reports, calibration = [], joined.calibration
    views = zip(joined.filmed, joined.clocks, in_world, strict=True)
    for number, (view, clock, camera) in enumerate(views):
        residual = float(calibration.residual_px[number])
        reports.append(
            ViewReport(
                video=view.first.info,
                offset_s=round(clock.offset_s, 4),
                drift=round(clock.drift, 7),
                found_by=clock.found_by,
                margin=clock.margin,
                intrinsics=camera.intrinsics,
                distortion=_plain(camera.distortion),
                position_m=_plain(camera.position),
                rotation=tuple(_plain(row) for row in camera.rotation),
                residual_px=round(residual, 2) if np.isfinite(residual) else None,
                people=tuple(SeenReport(person, frames[number]) for person, frames in seen.items()),
                focal_sigma=round(float(calibration.focal_sigma[number]), 4),
                position_sigma_m=round(float(calibration.position_sigma_m[number]), 3),
            )
        )
    return tuple(reports)


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def _person_of(calibration: Calibration, people: People) -> list[dict[int, int]]:
    """For each view the people that were kept, by track."""
    found: list[dict[int, int]] = [{} for _ in calibration.cameras]
    for person in calibration.people:
        for persons, track_ids in zip(found, person.track_ids, strict=True):
            if person.person_id in people.table.persons:
                persons.update(dict.fromkeys(track_ids, person.person_id))
    return found
