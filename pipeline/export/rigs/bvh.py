"""`bvh`: Biovision's hierarchy and motion, one file a person, for Blender and motion tools.

Centimetres, y up; the rest pose is a T. The root lies at the origin and has the position; all bones
have rotations, in the order z, x, y, degrees.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from core.rotations import euler_angles
from core.types import Floats
from pipeline.export.base import Exporter
from pipeline.export.rigs.motion import RigidPerson, rigid_people
from pipeline.export.rigs.names import BONE_NAMES, Rig, rig
from pipeline.results.result import Result

_CM = 100.0
_ROTATION = "Zrotation Xrotation Yrotation"


class BvhExporter(Exporter):
    """A skeleton and its motion as text."""

    name = "bvh"
    about = "a skeleton and its rotations a person, for Blender and motion tools"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        grid, people = rigid_people(result)
        self.note(grid.note)
        names = BONE_NAMES[self.options.bvh_names]
        for person in people:
            path = folder / f"{result.stem}_person{person.track_id}.bvh"
            _write(path, person, rig(names, person.rest))


def _write(path: Path, person: RigidPerson, skeleton: Rig) -> None:
    with path.open("w+", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in ("HIERARCHY", *_hierarchy(skeleton), "MOTION"))
        count_at = file.tell()
        file.write(_count(0))
        file.write(f"Frame Time: {1 / float(person.grid.rate):.8f}\n")
        count = _write_frames(file, person, skeleton)
        file.seek(count_at)
        file.write(_count(count))


def _count(frames: int) -> str:
    """The line that says how many frames follow; as long for one as for many."""
    return f"Frames: {frames:<10}\n"


def _hierarchy(skeleton: Rig, bone: int = 0, indent: str = "") -> Iterator[str]:
    """The lines of a bone and of those that hang on it."""
    is_root = skeleton.parents[bone] < 0
    yield f"{indent}{'ROOT' if is_root else 'JOINT'} {skeleton.names[bone]}"
    yield f"{indent}{{"
    inner = indent + "\t"
    yield f"{inner}OFFSET {_numbers(skeleton.offsets_m[bone] * _CM)}"
    if is_root:
        yield f"{inner}CHANNELS 6 Xposition Yposition Zposition {_ROTATION}"
    else:
        yield f"{inner}CHANNELS 3 {_ROTATION}"
    for child, parent in enumerate(skeleton.parents):
        if parent == bone:
            yield from _hierarchy(skeleton, child, inner)
    if bone in skeleton.tips_m:
        yield f"{inner}End Site"
        yield f"{inner}{{"
        yield f"{inner}\tOFFSET {_numbers(skeleton.tips_m[bone] * _CM)}"
        yield f"{inner}}}"
    yield f"{indent}}}"


def _write_frames(file: IO[str], person: RigidPerson, skeleton: Rig) -> int:
    """Write a line a frame; angles go on from the frame before, beyond a half turn too."""
    count, last = 0, None
    line = " ".join(["%.4f"] * (3 + 3 * len(skeleton.names))) + "\n"
    for poses in person.poses():
        relative = skeleton.relative(poses.rotations)
        angles = np.degrees(euler_angles(relative, "ZXY", last))
        last = np.radians(angles[-1])
        rows = np.concatenate([poses.root_m * _CM, angles.reshape(len(angles), -1)], 1)
        file.writelines(line % tuple(row) for row in rows.tolist())
        count += len(rows)
    return count


def _numbers(values: Floats) -> str:
    return " ".join(f"{value:.4f}" for value in values + 0.0)
