"""`trc`, `c3d` and `mot` hold the joints, where OpenSim expects them."""

from pathlib import Path

import numpy as np
import pytest

from core.skeletons import H36M_17, H36M_21, Skeleton
from pipeline.export.base import ExportOptions, write_exports
from pipeline.export.biomechanics import c3d_points
from testkit.made.made_people import FRAMES, THERE, two_people


def trc(path: Path) -> tuple[list[str], np.ndarray]:
    """The markers' names and the rows (T, 2 + 3 M) of a file; empty cells are NaN."""
    lines = path.read_text().split("\n")
    rows = [[float(cell or "nan") for cell in line.split("\t")] for line in lines[6:] if line]
    assert int(lines[2].split("\t")[2]) == len(rows)
    return [name for name in lines[3].split("\t")[2:] if name], np.array(rows)


@pytest.mark.parametrize("skeleton", [H36M_17, H36M_21], ids=lambda skeleton: skeleton.name)
def test_trc_has_markers_by_pose2sims_names_y_up(skeleton: Skeleton, tmp_path: Path) -> None:
    result = two_people(tmp_path, skeleton=skeleton)
    assert write_exports(result, ["trc"], tmp_path).lines == ()
    names, rows = trc(tmp_path / "clip_person1.trc")
    wanted = {"Hip", "RShoulder", "LWrist", "RKnee", "Neck", "Head"}
    feet = {"RHeel", "RBigToe", "LHeel", "LBigToe"}
    assert wanted <= set(names)
    assert (feet <= set(names)) == (skeleton == H36M_21)
    assert len(rows) == FRAMES
    np.testing.assert_allclose(rows[:, 1], np.arange(FRAMES) / 30, atol=1e-6)
    knee = 2 + 3 * names.index("RKnee")
    x, y, z = rows[THERE, knee : knee + 3].T
    own = result.people[0].joints_world_m[:, skeleton.index("r_knee")].T
    np.testing.assert_allclose([x, -z, y], own, atol=1e-5)
    assert np.isnan(rows[30:45, 2:]).all()


@pytest.mark.parametrize("z_up", [False, True])
def test_c3d_is_in_millimetres_and_says_what_is_missing(z_up: bool, tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d", reason="the extra export is not installed")
    result = two_people(tmp_path)
    options = ExportOptions(z_up=z_up)
    assert write_exports(result, ["c3d"], tmp_path, options).lines == ()
    read = ezc3d.c3d(str(tmp_path / "clip_person1.c3d"))
    labels = read["parameters"]["POINT"]["LABELS"]["value"]
    x, y, z = read["data"]["points"][:3, labels.index("LHeel")][:, THERE] / 1000
    own = result.people[0].joints_world_m[:, H36M_21.index("l_heel")].T
    np.testing.assert_allclose([x, y, z] if z_up else [x, -z, y], own, atol=1e-4)
    residuals = read["data"]["meta_points"]["residuals"][0]
    assert (residuals[:, 30:45] == -1).all()
    assert np.isnan(read["data"]["points"][0, :, 30:45]).all()
    heel = H36M_21.index("l_heel")
    np.testing.assert_allclose(
        residuals[heel, THERE], result.people[0].joint_sigma_m[:, heel] * 1000, rtol=0.05, atol=1
    )


def test_c3d_goes_on_in_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ezc3d = pytest.importorskip("ezc3d", reason="the extra export is not installed")
    monkeypatch.setattr(c3d_points, "MAX_FRAMES", 70)
    said = write_exports(two_people(tmp_path), ["c3d"], tmp_path)
    assert said.failures == []
    assert len(said.notes) == 2
    frames = [
        ezc3d.c3d(str(tmp_path / f"clip_person1{part}.c3d"))["data"]["points"].shape[2]
        for part in ("", "_part2")
    ]
    assert sum(frames) == FRAMES
    assert all(count <= 70 for count in frames)


def test_mot_has_a_row_for_each_frame_that_a_person_is_in(tmp_path: Path) -> None:
    result = two_people(tmp_path)
    write_exports(result, ["mot"], tmp_path, ExportOptions(measures=True))
    head, _, table = (tmp_path / "clip_person1.mot").read_text().partition("endheader\n")
    names, *lines = table.splitlines()
    columns = names.split("\t")
    rows = np.array([line.split("\t") for line in lines], float)
    assert f"nRows={len(THERE)}" in head
    assert f"nColumns={len(columns)}" in head
    np.testing.assert_allclose(rows[:, 0], THERE / 30, atol=1e-6)
    assert {"hip_flexion_r", "knee_angle_l", "ankle_angle_r", "knee_angle_l_sigma"} <= set(columns)
    height = rows[:, columns.index("pelvis_ty")]
    assert (np.abs(height - result.people[0].joints_world_m[:, 0, 2]) < 0.1).all()
