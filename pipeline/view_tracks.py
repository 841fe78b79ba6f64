"""Pass 1 of several views: who is in each, lifted by each alone; then all in one time and space."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.skeletons import COCO_21
from core.types import Intrinsics, VideoInfo
from pipeline.config import PipelineConfig
from pipeline.detection import FirstPass, detect_people
from pipeline.grounding.standing import Standing
from pipeline.lifting.people import LiftedPeople, lift_people
from pipeline.media.images import is_still
from pipeline.media.video.fitting import Size
from pipeline.media.video_reader import probe
from pipeline.multiview.calibration import calibrate
from pipeline.multiview.calibration_files.read import read_cameras
from pipeline.multiview.doubts import check_standing
from pipeline.multiview.scene import Calibration, Camera, View
from pipeline.multiview.shared_frames import SharedTracks, chosen_frames, share_tracks
from pipeline.multiview.sync.clocks import Clock, Recording, given_clocks, synchronise
from pipeline.multiview.sync.correlation import Signal
from pipeline.multiview.sync.motion import LONGEST_S, motion_signal
from pipeline.multiview.sync.sound import onsets
from pipeline.results.rows import lifted_row
from pipeline.results.spool import Spool
from pipeline.runtime.models import Models
from pipeline.runtime.progress import StageProgress
from pipeline.tracking.selection import number_people

_COMPARED = 4
"""So many people of a view, those seen longest, have their motion compared with other views'."""


@dataclass(frozen=True)
class FilmedView:
    """One view by itself: the file, what its first pass gave, its lens, its people lifted.

    doubts: What cannot be relied on, a line each.
    """

    video: Path
    first: FirstPass
    intrinsics: Intrinsics
    lifted: LiftedPeople
    doubts: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.first.times_s[-1]) + 1 / self.first.info.fps


@dataclass(frozen=True)
class JoinedViews:
    """Several views in one time and space, the first one first.

    clocks: Each one's against the first one's. shared: Everyone's tracks in each at the frames of
    the first. calibration: The cameras, and who is who.
    """

    filmed: Sequence[FilmedView]
    clocks: Sequence[Clock]
    shared: Sequence[SharedTracks]
    calibration: Calibration


def probe_views(videos: Sequence[Path]) -> list[VideoInfo]:
    """What the views are, all of them before any is worked on.

    Raises:
        InputError: One cannot be read, is no video, or is there twice.
    """
    for number, video in enumerate(videos):
        if any(video.samefile(other) for other in videos[:number]):
            raise InputError(f"{video}: is given twice; each view is a video of its own")
        if is_still(video):
            raise InputError(f"{video}: is a picture; views are videos")
    return [probe(video) for video in videos]


def known_cameras(infos: Sequence[VideoInfo], config: PipelineConfig) -> list[Camera] | None:
    """The cameras of `--calibration`, one a view; None without."""
    if config.several.calibration is None:
        return None
    sizes = [(info.width, info.height) for info in infos]
    return read_cameras(config.several.calibration, [info.path.stem for info in infos], sizes)


def film_view(
    video: Path,
    config: PipelineConfig,
    models: Models,
    camera: Camera | None,
    size: Size | None,
    progress: StageProgress,
    folder: Path,
    opened: ExitStack,
) -> FilmedView:
    """Find, track and lift everyone in one view.

    Args:
        video: The view.
        config: All options.
        models: The networks.
        camera: The view's, where it is known.
        size: At which its frames are shown; None where they are not.
        progress: Is told how far it has come.
        folder: Where rows are kept, in nameless files.
        opened: Closes them.

    Raises:
        InputError: The view cannot be read, or its camera moves.
    """
    backend = config.detect.choose().backend
    own = backend.of_view(video)
    with ExitStack() as here:
        detector = models.detector
        if own is not backend:
            detector = own.build()
            here.callback(detector.close)
        standing = Standing()
        first = detect_people(
            video, config.clip, detector, progress, folder, lambda _: size, standing.passing
        )
        opened.callback(first.close)
        doubts = check_standing(video.name, standing)
        tracks = number_people(first.tracks(), config.track.people_order)
        intrinsics = config.lift.intrinsics(first.info) if camera is None else camera.intrinsics
        rows = Spool(lifted_row(COCO_21, models.lifter.spec.skeleton_out), folder)
        opened.callback(rows.close)
        lifting = first.lifting(models.lifter, intrinsics, config.lift)
        lifted = lift_people(tracks, lifting, rows)
    return FilmedView(video, first, intrinsics, lifted, tuple(doubts))


def join_views(
    filmed: Sequence[FilmedView],
    config: PipelineConfig,
    cameras: Sequence[Camera] | None,
    folder: Path,
    opened: ExitStack,
) -> JoinedViews:
    """Find clocks, cameras, and who is who.

    Args:
        filmed: The views, the first one first.
        config: All options.
        cameras: Known ones, one a view; None to find them.
        folder: Where rows are kept, in nameless files.
        opened: Closes them.

    Raises:
        InputError: The views cannot be joined.
    """
    clocks = _find_clocks(filmed, config.several.offset)
    shared = _share_views(filmed, clocks, folder, opened)
    calibration = calibrate(
        _calibration_views(filmed, shared), filmed[0].first.info.fps, cameras=cameras,
        height_m=config.lift.height_m,
    )  # fmt: skip
    return JoinedViews(filmed, clocks, shared, calibration)


def _find_clocks(views: Sequence[FilmedView], offsets_s: Sequence[float]) -> list[Clock]:
    """Each view's clock against the first one's: as given, or from sound and motion."""
    if offsets_s:
        return given_clocks(offsets_s)
    recordings = [
        Recording(view.video.name, onsets(view.video), list(_motions(view))) for view in views
    ]
    return synchronise(recordings)


def _motions(view: FilmedView) -> Iterator[Signal]:
    """The motion of the people that a view sees longest, as far as motion is compared."""
    rows: Counter[int] = Counter()
    for part in view.lifted.parts:
        rows[part.track_id] += part.stop - part.start
    for track_id, _ in rows.most_common(_COMPARED):
        joints, times = [], []
        for part in view.lifted.parts:
            if part.track_id == track_id:
                own = view.lifted.read(part)[part.shared :]
                if not len(own) or own["time_s"][0] > LONGEST_S:
                    continue
                joints.append(own["joints_camera_m"])
                times.append(own["time_s"])
        if times:
            signal = motion_signal(
                np.concatenate(joints), np.concatenate(times), view.lifted.joints, view.seconds
            )
            if signal is not None:
                yield signal


def _share_views(
    views: Sequence[FilmedView], clocks: Sequence[Clock], folder: Path, opened: ExitStack
) -> list[SharedTracks]:
    """Everyone's tracks at the frames of the first view; `InputError` where a view has none."""
    shared_s = views[0].first.times_s
    shared = []
    for view, clock in zip(views, clocks, strict=True):
        start, end = clock.to_shared(np.array([0.0, view.seconds]))
        if start > shared_s[-1] or end < shared_s[0]:
            raise InputError(
                f"{view.video}: filmed from {start:.2f} to {end:.2f} s on the clock of"
                f" {views[0].video.name}, which ends after {views[0].seconds:.2f} s: they have"
                " nothing in common"
            )
        shared.append(share_tracks(view.lifted, clock, shared_s, folder))
        opened.callback(shared[-1].rows.close)
    return shared


def _calibration_views(views: Sequence[FilmedView], shared: Sequence[SharedTracks]) -> list[View]:
    """What cameras are found from: everyone's tracks, of a long video thinned out."""
    first = views[0].first
    chosen = chosen_frames(shared, len(first.times_s), first.info.fps)
    found = []
    for view, tracks in zip(views, shared, strict=True):
        sightings = []
        for track_id in tracks.frames:
            rows = tracks.read_some(track_id, chosen)
            if len(rows):
                sightings.append(tracks.sighting(track_id, rows))
        info: VideoInfo = view.first.info
        found.append(
            View(view.video.name, info.width, info.height, view.intrinsics, tuple(sightings))
        )
    return found
