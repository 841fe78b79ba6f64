"""OpenSim 4.6 reads `trc` and `mot`, and its inverse kinematics agrees with our angles.

The full-body model, its markers and its scaling are Pose2Sim's (BSD-3), members of its wheel.
"""

from pathlib import Path

import numpy as np
import pytest

from pipeline.export.axes import y_up
from pipeline.export.base import write_exports
from pipeline.export.biomechanics.markers import marker_names
from pipeline.results.result import Person, Result
from testkit.consumers import ask, environment
from weights.fetch import download_wheel, unpack_members
from weights.sources import FetchError, Wheel
from weights.store import default_cache

_SETUP = "Pose2Sim/OpenSim_Setup"
_MEMBERS = {
    "model": f"{_SETUP}/Model_Pose2Sim_simple.osim",
    "markers": f"{_SETUP}/Markers_Halpe26.xml",
    "scaling": f"{_SETUP}/Scaling_Setup_Pose2Sim_Halpe26.xml",
    "tasks": f"{_SETUP}/IK_Setup_Pose2Sim_Halpe26.xml",
}
_WHEEL = Wheel("pose2sim==0.10.49", "manylinux_2_28_x86_64", "", 51_189_031)
_MAX_ERROR_M, _MAX_ANGLE_DEG = 0.03, 5.0

READ = """
import json, sys
import opensim
table = opensim.TimeSeriesTableVec3(sys.argv[1])
rows = [[[v[i] for i in range(3)] for v in map(row.getElt, [0] * row.ncol(), range(row.ncol()))]
        for row in (table.getRowAtIndex(i) for i in range(table.getNumRows()))]
motion = opensim.TimeSeriesTable(sys.argv[2])
print(json.dumps({
    "labels": list(table.getColumnLabels()), "times": list(table.getIndependentColumn()),
    "rows": rows, "units": table.getTableMetaDataString("Units"),
    "rate": float(table.getTableMetaDataString("DataRate")),
    "angles": list(motion.getColumnLabels()), "motion_rows": motion.getNumRows(),
    "in_degrees": motion.getTableMetaDataString("inDegrees"),
}))
"""

SOLVE = """
import json, pathlib, sys
import opensim
model, markers, scaling, tasks, trc, folder = sys.argv[1:]
folder = pathlib.Path(folder)
opensim.Logger.setLevelString("Error")
times = opensim.TimeSeriesTableVec3(trc).getIndependentColumn()
span = opensim.ArrayDouble()
span.append(times[0]); span.append(times[-1])
body = opensim.Model(model)
body.set_MarkerSet(opensim.MarkerSet(markers))
body.initSystem()
tool = opensim.ScaleTool(scaling)
scaler = tool.getModelScaler()
order = opensim.ArrayStr()
order.append("measurements")
scaler.setScalingOrder(order)
scaler.setMarkerFileName(trc)
scaler.setTimeRange(span)
scaler.setOutputModelFileName(str(folder / "scaled.osim"))
assert scaler.processModel(body, "", 70.0)
body = opensim.Model(str(folder / "scaled.osim"))
body.initSystem()
solver = opensim.InverseKinematicsTool(tasks, False)
solver.setModel(body)
solver.setMarkerDataFileName(trc)
solver.setStartTime(times[0]); solver.setEndTime(times[-1])
solver.setOutputMotionFileName(str(folder / "solved.mot"))
solver.setResultsDir(str(folder))
assert solver.run()
print(json.dumps(sorted(path.name for path in folder.iterdir())))
"""


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    environment("opensim")
    folder = default_cache() / "pose2sim-0.10.49"
    if not all((folder / member).exists() for member in _MEMBERS.values()):
        try:
            wheel = download_wheel(_WHEEL, tmp_path_factory.mktemp("wheel"))
        except FetchError as error:
            pytest.skip(f"Pose2Sim's wheel cannot be had: {error}")
        unpack_members(wheel, list(_MEMBERS.values()), folder)
    return {name: folder / member for name, member in _MEMBERS.items()}


def storage(path: Path) -> dict[str, np.ndarray]:
    """The columns of one of OpenSim's text files."""
    lines = path.read_text().split("endheader\n")[1].splitlines()
    values = np.array([[float(cell) for cell in line.split()] for line in lines[1:] if line])
    return dict(zip(lines[0].split("\t"), values.T, strict=True))


def test_its_own_adapters_read_markers_and_angles(
    filmed: Result, walker: Person, folder: Path
) -> None:
    environment("opensim")
    assert write_exports(filmed, ["trc", "mot"], folder).failures == []
    name = f"{filmed.stem}_person{walker.track_id}"
    read = ask("opensim", READ, folder / f"{name}.trc", folder / f"{name}.mot")
    assert read["labels"] == list(marker_names(filmed.joints))
    assert (read["units"], read["rate"], read["in_degrees"]) == ("m", 30.0, "yes")
    rows, own = np.array(read["rows"], float), y_up(walker.joints_world_m)
    held = (np.array(read["times"])[:, None] - walker.times_s).round(4) == 0
    frames, seen = np.nonzero(held)
    assert len(seen) == len(own)
    np.testing.assert_allclose(rows[frames], own[seen], atol=1e-5)
    assert read["motion_rows"] == len(own)
    assert {"hip_flexion_r", "knee_angle_l", "pelvis_tx"} <= set(read["angles"])


def test_inverse_kinematics_of_a_walk_agrees_with_our_angles(
    filmed: Result, walker: Person, setup: dict[str, Path], folder: Path
) -> None:
    write_exports(filmed, ["trc", "mot"], folder)
    ours = folder / f"{filmed.stem}_person{walker.track_id}.mot"
    solved = folder / "solved"
    solved.mkdir()
    ask("opensim", SOLVE, *setup.values(), ours.with_suffix(".trc"), solved)
    errors = storage(solved / "_ik_marker_errors.sto")["marker_error_RMS"]
    assert np.sqrt((errors**2).mean()) <= _MAX_ERROR_M
    theirs, own = storage(solved / "solved.mot"), storage(ours)
    for angle in ("hip_flexion", "knee_angle"):
        both = [
            np.interp(theirs["time"], own["time"], own[name]) - theirs[name]
            for name in (f"{angle}_r", f"{angle}_l")
        ]
        assert np.sqrt(np.square(both).mean()) <= _MAX_ANGLE_DEG, angle
