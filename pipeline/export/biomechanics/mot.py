"""`mot`: joint angles for OpenSim, degrees, with the coordinates' names; a file a person."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from core.skeletons import Skeleton
from core.types import Floats
from pipeline.export.axes import y_up
from pipeline.export.base import Exporter
from pipeline.motion.angles import PELVIS, pelvis_axes
from pipeline.motion.even import Grid, even_blocks, even_grid
from pipeline.motion.quantities import QUANTITIES, Quantity
from pipeline.results.result import Result

_ROOT = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
)  # fmt: skip
_COORDINATES = {
    "hip_flexion_{}": "{}_hip_flexion", "hip_adduction_{}": "{}_hip_adduction",
    "knee_angle_{}": "{}_knee_flexion", "ankle_angle_{}": "{}_ankle_dorsiflexion",
    "arm_flex_{}": "{}_shoulder_flexion", "arm_add_{}": "{}_shoulder_adduction",
    "elbow_flex_{}": "{}_elbow_flexion",
}  # fmt: skip
_TRUNK = {"L5_S1_axial_rotation": "trunk_rotation"}
_ORIGIN_M = np.array([0.056, 0.079, 0.0])
"""From the middle of the hips to the pelvis' origin in OpenSim's models: forward, up, right."""
_TRUNK_LEAN_DEG, _THIGH_LEAN_DEG = 3.5, 1.8
"""How far the lines from pelvis to thorax and from knee to hip lean back in the models' neutral
pose, as Pose2Sim's Halpe markers of its full-body model have them."""
_OFFSETS_DEG = {"hip_flexion_r": _TRUNK_LEAN_DEG + _THIGH_LEAN_DEG}
_OFFSETS_DEG["hip_flexion_l"] = _OFFSETS_DEG["hip_flexion_r"]
_COUNT_WIDTH = 9
_ABOUT = "Angles of joint positions; turns about a limb's own axis are not known and left out."


class MotExporter(Exporter):
    """OpenSim's motion files: the coordinates of its full-body models that positions determine."""

    name = "mot"
    about = "joint angles in degrees for OpenSim, one file a person"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        grid = even_grid(result.table, result.report.video.fps)
        self.note(grid.note)
        for person in result.people:
            path = folder / f"{result.stem}_person{person.track_id}.mot"
            _write(path, result, grid, person.track_id, self.options.measures)


def _write(path: Path, result: Result, grid: Grid, track_id: int, with_sigma: bool) -> None:
    """Write a file; frames in which the person is not in view have no row."""
    skeleton = result.joints
    angles = _angles(skeleton)
    names = [*_ROOT, *angles, *(f"{name}_sigma" for name in angles if with_sigma)]
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{path.stem}\nversion=1\nnRows=")
        count_at = file.tell()
        file.write(f"{'':{_COUNT_WIDTH}}\nnColumns={len(names) + 1}\ninDegrees=yes\n")
        file.write(f"{_ABOUT}\nendheader\n" + "\t".join(["time", *names]) + "\n")
        for block in even_blocks(result.table, grid, track_id):
            known = np.flatnonzero(np.isfinite(block["joints_world_m"]).all((1, 2)))
            joints, sigmas = block["joints_world_m"][known], block["joint_sigma_m"][known]
            columns = [_root(joints, skeleton)]
            columns += [
                angle.values(joints, skeleton)[:, None] + _OFFSETS_DEG.get(name, 0.0)
                for name, angle in angles.items()
            ]
            if with_sigma:
                columns += [
                    angle.sigma(joints, sigmas, skeleton)[:, None] for angle in angles.values()
                ]
            times = grid.start_s + (block.start + known) / float(grid.rate)
            count += len(known)
            for time_s, row in zip(times.tolist(), np.hstack(columns).tolist(), strict=True):
                file.write("\t".join([f"{time_s:.6f}", *(f"{one:.4f}" for one in row)]) + "\n")
        file.seek(count_at)
        file.write(f"{count:<{_COUNT_WIDTH}}")


def _angles(skeleton: Skeleton) -> dict[str, Quantity]:
    """The angles that a skeleton has, by OpenSim's names."""
    names = {
        coordinate.format(side): angle.format(side)
        for side in ("r", "l")
        for coordinate, angle in _COORDINATES.items()
    }
    known = {name: QUANTITIES.entries()[angle] for name, angle in (names | _TRUNK).items()}
    return {name: angle for name, angle in known.items() if angle.is_known_of(skeleton)}


def _root(joints_m: Floats, skeleton: Skeleton) -> Floats:
    """(T, 6) of `_ROOT`: turns about Z, X, Y in this order, degrees, and the origin, metres."""
    if not len(joints_m):
        return np.zeros((0, 6))
    points = joints_m[:, skeleton.indices(PELVIS)].astype(np.float64)
    forward, up, right = np.moveaxis(y_up(pelvis_axes(points)), 1, 0)
    lean = np.radians(_TRUNK_LEAN_DEG)
    forward, up = (
        np.cos(lean) * forward - np.sin(lean) * up,
        np.cos(lean) * up + np.sin(lean) * forward,
    )
    axes = np.stack([forward, up, right], 1)
    turns = Rotation.from_matrix(np.swapaxes(axes, 1, 2)).as_euler("ZXY", degrees=True)
    origin = y_up(points[:, PELVIS.index("pelvis")]) + _ORIGIN_M @ axes
    return np.hstack([turns, origin])
