"""A result's people as rigid bones at an even frame rate, in constant memory; y up.

x is the world's x, y its height, z points to the camera: a person who faces it stands as in the
rest pose. Where a person is out of view for a while, they turn and move evenly from the last pose
before to the first one after.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.kinematics import TWIST_MARGIN_S, RestPose, bone_rotations, rest_pose
from core.rotations import from_quaternions, quaternions
from core.runs import true_runs
from core.types import Array, Floats
from pipeline.export.axes import y_up
from pipeline.export.rigs.feet import plant_feet
from pipeline.motion.even import Grid, even_blocks, even_grid
from pipeline.results.archive import PoseTable
from pipeline.results.result import Result

_SAMPLED_ROWS = 2000  # of a person that tell their bones' lengths
_FILLED_FRAMES = 1000  # of a gap, at a time
_WHOLE = 1e-3  # how far a determinant may be from 1; it is 0 where joints coincide


@dataclass(frozen=True)
class Poses:
    """T frames of a person on a grid, from frame `start`.

    rotations (T, B, 3, 3) of `core.kinematics.BONES`; root_m (T, 3) the pelvis, metres;
    in_view, False for the frames of a gap.
    """

    start: int
    rotations: Floats
    root_m: Floats
    in_view: bool = True


@dataclass(frozen=True)
class _Rows:
    """Frames that follow each other: joints (T, J, 3) y up, contacts (T, 4)."""

    start: int
    joints: Floats
    contacts: NDArray[np.bool_]

    @property
    def stop(self) -> int:
        return self.start + len(self.joints)

    def after(self, skipped: int) -> "_Rows":
        """All but the first ones."""
        return _Rows(self.start + skipped, self.joints[skipped:], self.contacts[skipped:])

    def and_then(self, rows: "_Rows") -> "_Rows":
        """These and the next ones."""
        joints = np.concatenate([self.joints, rows.joints])
        return _Rows(self.start, joints, np.concatenate([self.contacts, rows.contacts]))


@dataclass(frozen=True)
class RigidPerson:
    """A person of a result: their rest pose, and their poses when asked for."""

    track_id: int
    rest: RestPose
    grid: Grid
    _table: PoseTable

    def poses(self) -> Iterator[Poses]:
        """Their poses from the first frame in which they are in view to the last, without holes."""
        skeleton, fps = self._table.joints, float(self.grid.rate)
        before: Poses | None = None
        margin = max(1, round(TWIST_MARGIN_S * fps))
        for rows, own in _windows(self._rows_in_view(), margin):
            rotations = bone_rotations(rows.joints, skeleton, fps)
            rotations, root = plant_feet(
                rotations, rows.joints, rows.contacts, self.rest, skeleton, fps
            )
            is_whole = np.abs(np.linalg.det(rotations[own]) - 1).max(1) < _WHOLE  # nor NaN
            for start, stop in true_runs(is_whole):
                taken = slice(own.start + start, own.start + stop)
                poses = Poses(rows.start + taken.start, rotations[taken], root[taken])
                if before is not None:
                    yield from _between(before, poses)
                yield poses
                before = poses

    def _rows_in_view(self) -> Iterator["_Rows"]:
        for block in even_blocks(self._table, self.grid, self.track_id):
            joints = y_up(block["joints_world_m"].astype(np.float64))
            for start, stop in true_runs(block.is_known & np.isfinite(joints).all((1, 2))):
                yield _Rows(block.start + start, joints[start:stop], block["contacts"][start:stop])


def rigid_people(result: Result) -> tuple[Grid, list[RigidPerson]]:
    """Everyone in a result, by track id, and the times at which their poses are."""
    table = result.table
    grid = even_grid(table, result.report.video.fps)
    samples = _samples(table)
    people = [
        RigidPerson(track_id, rest_pose(joints, table.joints), grid, table)
        for track_id, joints in sorted(samples.items())
    ]
    return grid, people


def _samples(table: PoseTable) -> dict[int, Floats]:
    """Joints (N, J, 3) of each person in frames spread over the whole table."""
    rows: dict[int, list[Array]] = {}
    seen: dict[int, int] = {}
    total: dict[int, int] = {}
    for ids in table.chunks("track_id"):
        for track_id, count in zip(*np.unique(ids, return_counts=True), strict=True):
            total[int(track_id)] = total.get(int(track_id), 0) + int(count)
    for ids, joints in zip(table.chunks("track_id"), table.chunks("joints_world_m"), strict=True):
        for track_id in np.unique(ids).tolist():
            own = joints[ids == track_id]
            step = total[track_id] // _SAMPLED_ROWS + 1
            taken = own[-seen.get(track_id, 0) % step :: step]
            seen[track_id] = seen.get(track_id, 0) + len(own)
            rows.setdefault(track_id, []).append(taken[np.isfinite(taken).all((1, 2))])
    return {track_id: y_up(np.concatenate(parts)) for track_id, parts in rows.items()}


def _windows(parts: Iterable[_Rows], margin: int) -> Iterator[tuple[_Rows, slice]]:
    """Rows with up to `margin` neighbours on either side, and which of them are a window's own."""
    held: _Rows | None = None
    first = 0  # of the held rows that was no window's own yet
    for part in parts:
        if held is not None and held.stop != part.start:
            yield held, slice(first, len(held.joints))
            held, first = None, 0
        held = part if held is None else held.and_then(part)
        last = len(held.joints) - margin
        if last > first:
            yield held, slice(first, last)
            outdated = max(last - margin, 0)
            held, first = held.after(outdated), last - outdated
    if held is not None:
        yield held, slice(first, len(held.joints))


def _between(before: Poses, after: Poses) -> Iterator[Poses]:
    """The frames of a gap: rotations and root on the straight way from one pose to the next."""
    first, last = before.start + len(before.root_m) - 1, after.start
    q, r = quaternions(before.rotations[-1]), quaternions(after.rotations[0])
    r = r * np.where((q * r).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    for start in range(first + 1, last, _FILLED_FRAMES):
        frames = np.arange(start, min(start + _FILLED_FRAMES, last))
        share = ((frames - first) / (last - first))[:, None]
        root = (1 - share) * before.root_m[-1] + share * after.root_m[0]
        turned = (1 - share[..., None]) * q + share[..., None] * r
        yield Poses(start, from_quaternions(turned), root, in_view=False)
