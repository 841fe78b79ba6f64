"""Tracks → people in one world: lifting and grounding, all that lies between the two passes."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_21, Skeleton
from core.types import Array, CameraPoses, Floats, Intrinsics
from pipeline.grounding.feet.soles import seen_feet
from pipeline.grounding.options import Camera, GroundOptions
from pipeline.grounding.person_motion import PersonMotion
from pipeline.grounding.world import World, estimate_world
from pipeline.kept_people import KeptPeople
from pipeline.lifting.people import LiftedPart, LiftedPeople, Lifting, lift_people
from pipeline.plausibility import Plausibility
from pipeline.results.archive import PoseTable
from pipeline.results.detections import Marks, TrackRows
from pipeline.results.measures import Measurement, PersonPart
from pipeline.results.person_table import PersonTable
from pipeline.results.rows import copy_fields, lifted_row, person_row
from pipeline.results.spool import Spool
from pipeline.runtime.progress import StageProgress, uncounted

_BLENDED = (
    "keypoints_2d", "joints_camera_m", "root_camera_m", "joints_world_m", "joint_sigma_m",
)  # fmt: skip


@dataclass(frozen=True)
class People:
    """Everyone in a video: their rows, what was measured on them, how up and floor were found.

    doubts: what cannot be right about them, a line each. world: what their camera space became.
    """

    table: PersonTable
    measures: dict[str, float | None]
    grounding: str
    doubts: tuple[str, ...]
    world: World


def find_people(
    tracks: Sequence[TrackRows],
    lifting: Lifting,
    fps: float,
    ground: GroundOptions,
    folder: Path | None = None,
    keep: Collection[int] | None = None,
    progress: StageProgress = uncounted,
) -> People:
    """Lift every track and put all people into one world.

    Everyone says where up and the floor are, whoever is kept.

    Args:
        tracks: The people.
        lifting: The video's frames, the network, the camera, the options of lifting.
        fps: The frames' mean rate.
        ground: The options of grounding.
        folder: Where rows are kept in nameless files; None for where temporary files go.
        keep: The `track_id`s of the people that are asked for; None for all.
        progress: Is told how far lifting has come.

    Returns:
        The people that are kept; the caller closes their table.
    """
    with _lifted(tracks, lifting, folder, progress) as lifted:
        return ground_people(lifted, fps, lifting.intrinsics, ground.camera, folder, keep)


@contextmanager
def _lifted(
    tracks: Sequence[TrackRows], lifting: Lifting, folder: Path | None, progress: StageProgress
) -> Iterator[LiftedPeople]:
    """People in camera space, whose rows are kept for the block."""
    detections = sum(map(len, tracks))
    with closing(Spool(lifted_row(COCO_21, lifting.lifter.spec.skeleton_out), folder)) as rows:
        yield lift_people(tracks, lifting, rows, lambda steps: progress(steps, "lift", detections))


def ground_people(
    lifted: LiftedPeople,
    fps: float,
    intrinsics: Intrinsics,
    camera: Camera,
    folder: Path | None = None,
    keep: Collection[int] | None = None,
) -> People:
    """Put all people into one world.

    Args:
        lifted: The people in camera space; rows may have `feet_seen` (2,), where other views than
            this camera's see feet.
        fps: The frames' mean rate.
        intrinsics: The camera.
        camera: Whether it moves.
        folder: Where rows are kept in nameless files; None for where temporary files go.
        keep: The `track_id`s of the people that are asked for; None for all.

    Returns:
        The people that are kept; the caller closes their table.
    """
    world = estimate_world(_Motions(lifted), fps, camera)
    floor = "one floor for all" if len(lifted.parts) > 1 else "floor under the lowest steps"
    grounding = f"up from balance and steps; {floor}; {camera} camera"
    return _ground(lifted.kept(keep), world, grounding, intrinsics, folder)


def mend_people(
    table: PoseTable,
    before: Sequence[TrackRows],
    after: Sequence[TrackRows],
    lifting: Lifting,
    world: World,
    grounding: str,
    folder: Path | None = None,
    progress: StageProgress = uncounted,
) -> People:
    """Lift those again who were corrected; the others' rows and the world stay as they are.

    Args:
        table: The rows of the people before.
        before: These people.
        after: The people as they are now.
        lifting: The video's frames, the network, the camera, the options of lifting.
        world: The world of the people before.
        grounding: How it was found.
        folder: Where rows are kept in nameless files; None for where temporary files go.
        progress: Is told how far lifting has come.

    Returns:
        The people; the caller closes their table.
    """
    same = {track.track_id: track for track in before}
    is_kept = [t.track_id in same and t.is_same(same[t.track_id]) for t in after]
    kept = [track for track, keep in zip(after, is_kept, strict=True) if keep]
    corrected = [track for track, keep in zip(after, is_kept, strict=True) if not keep]
    copied = KeptPeople(table, kept, lifting.frame_indices)
    with _lifted(corrected, lifting, folder, progress) as lifted:
        return _ground(lifted, world, grounding, lifting.intrinsics, folder, copied)


@dataclass(frozen=True)
class _Motions:
    """The motion of every part, to be gone through as often as needed."""

    lifted: LiftedPeople

    def __iter__(self) -> Iterator[PersonMotion]:
        return (_motion(self.lifted.read(part), self.lifted.joints) for part in self.lifted.parts)


def _motion(rows: Array, joints: Skeleton, marks: Marks | None = None) -> PersonMotion:
    poses = CameraPoses(
        rows["joints_camera_m"], rows["root_camera_m"], joints, rows["joint_sigma_m"]
    )
    frames = rows["frame_index"]
    marked = None if marks is None else marks.contacts[frames]
    has_feet = "feet_seen" in (rows.dtype.names or ())
    feet_seen = rows["feet_seen"] if has_feet else seen_feet(rows["keypoint_scores"])
    return PersonMotion(poses, frames, feet_seen, marked)


def _ground(
    lifted: LiftedPeople,
    world: World,
    grounding: str,
    intrinsics: Intrinsics,
    folder: Path | None,
    kept: KeptPeople | None = None,
) -> People:
    """Put people into a world, part after part; `grounding` says how it was found."""
    with ExitStack() as undo:
        table = _empty_table(lifted, folder, kept)
        undo.callback(table.close)  # unless all goes well
        measurement, plausibility = Measurement(), Plausibility()
        for part in _filled(table, kept, lifted, world, intrinsics):
            measurement.add(part)
            plausibility.add(part)
        undo.pop_all()
    table.persons = dict(sorted(table.persons.items()))
    return People(table, measurement.values(), grounding, plausibility.doubts(), world)


def _filled(
    table: PersonTable,
    kept: KeptPeople | None,
    lifted: LiftedPeople,
    world: World,
    intrinsics: Intrinsics,
) -> Iterator[PersonPart]:
    """Add everyone's rows to the table, blended where parts overlap; yield what measures get."""
    if kept is not None:
        for rows in kept:
            table.add(rows)
            yield from kept.parts(rows, world.fps, intrinsics)
    pending = np.zeros(0, table.rows.dtype)  # rows of the part before that the next one shares
    shared_next = [*(part.shared for part in lifted.parts[1:]), 0]
    for part, repeated in zip(lifted.parts, shared_next, strict=False):
        joints, contacts, own = _grounded_rows(lifted, part, world)
        rows = _blended(pending, own, part.shared)
        done, pending = np.split(rows, [len(rows) - repeated])
        if len(done):
            table.add(done)
            yield PersonPart(done, lifted.joints, joints, contacts, world.fps, intrinsics)


def _empty_table(lifted: LiftedPeople, folder: Path | None, kept: KeptPeople | None) -> PersonTable:
    """A table for rows that are kept, then those of all parts, those that two parts share once."""
    frames = [
        lifted.rows.read(part.start + part.shared, part.stop)["frame_index"].copy()
        for part in lifted.parts
    ]
    track_ids = [
        np.full(len(own), part.track_id) for own, part in zip(frames, lifted.parts, strict=True)
    ]
    if kept is not None:
        frames, track_ids = [*kept.frames(), *frames], [*kept.track_ids(), *track_ids]
    return PersonTable(frames, track_ids, lifted.joints, folder)


def _grounded_rows(
    lifted: LiftedPeople, part: LiftedPart, world: World
) -> tuple[Floats, NDArray[np.bool_], Array]:
    """World joints (T, J, 3) m, contacts (T, 4) and rows (T,) of `person_row` of a part."""
    own = lifted.read(part)
    joints, contacts = world.ground(_motion(own, lifted.joints, part.marks))
    rows = np.zeros(len(own), person_row(COCO_21, lifted.joints))
    copy_fields(rows, own)
    rows["track_id"] = part.track_id
    rows["observed"] = own["keypoint_scores"] > 0
    rows["joints_world_m"], rows["contacts"] = joints, contacts
    return joints, contacts, rows


def _blended(before: Array, rows: Array, shared: int) -> Array:
    """`rows`, the first `shared` of which fade from those of the part before, the same frames."""
    weight = (np.arange(shared) + 1) / (shared + 1)
    for name in _BLENDED:
        new, old = rows[name][:shared], before[name]
        rows[name][:shared] = old + weight.reshape(-1, *[1] * (new.ndim - 1)) * (new - old)
    return rows
