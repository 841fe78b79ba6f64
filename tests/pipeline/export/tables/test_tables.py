"""`csv`, `parquet`, `json` and `nc` hold what the result holds."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from core.skeletons import H36M_17, H36M_21
from pipeline.export.base import ExportOptions, write_exports
from pipeline.results.result import Result
from testkit.made.made_people import FRAMES, two_people


@pytest.fixture(params=[H36M_17, H36M_21], ids=lambda skeleton: skeleton.name)
def result(request: pytest.FixtureRequest, tmp_path: Path) -> Result:
    return two_people(tmp_path, skeleton=request.param)


def written(result: Result, name: str, folder: Path, measures: bool = False) -> Path:
    said = write_exports(result, [name], folder, ExportOptions(measures=measures))
    assert said.lines == ()
    return folder / f"clip.{name}"


def test_csv_has_a_row_a_joint_and_says_what_columns_are(result: Result, tmp_path: Path) -> None:
    with written(result, "csv", tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    table, joints = result.table, len(result.joints)
    assert len(rows) == len(table) * joints
    position = np.array([[float(row[axis]) for axis in "xyz"] for row in rows])
    stored = table.column("joints_world_m").reshape(-1, 3)
    np.testing.assert_allclose(position, stored, atol=5.1e-5)
    assert [row["joint"] for row in rows[:joints]] == list(result.joints.joints)
    assert [row["person"] for row in rows] == [
        str(track_id) for track_id in table.column("track_id") for _ in range(joints)
    ]
    knee = result.joints.index("l_knee")
    seen = table.column("observed")[:, result.keypoints.index("left_knee")]
    assert [row["observed"] == "true" for row in rows[knee::joints]] == seen.tolist()
    about = json.loads((tmp_path / "clip.csv-metadata.json").read_text())
    columns = about["tableSchema"]["columns"]
    assert [column["name"] for column in columns] == list(rows[0])
    assert {column["name"] for column in columns if column.get("schema:unitText") == "m"} == {
        "x", "y", "z", "sigma",
    }  # fmt: skip


def test_csv_leaves_cells_empty_where_nothing_is_known(tmp_path: Path) -> None:
    result = two_people(tmp_path)
    result.table.columns["joint_sigma_m"][:] = np.nan
    with written(result, "csv", tmp_path).open(newline="") as file:
        assert {row["sigma"] for row in csv.DictReader(file)} == {""}


def test_measures_are_tables_of_their_own(result: Result, tmp_path: Path) -> None:
    written(result, "csv", tmp_path, measures=True)
    with (tmp_path / "clip_measures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    units = {row["measure"]: row["unit"] for row in rows}
    assert units["r_knee_flexion"] == "deg"
    assert units["l_thigh_length"] == "m"
    assert units["r_wrist_speed"] == "m/s"
    assert ("l_ankle_dorsiflexion" in units) == (result.joints == H36M_21)
    assert len(rows) == len(result.table) * len(units)
    thighs = [row for row in rows if row["measure"] == "l_thigh_length"]
    assert all(abs(float(row["value"]) - 0.42) < 1e-4 for row in thighs)
    assert all(0.005 < float(row["sigma"]) < 0.05 for row in thighs)
    with (tmp_path / "clip_steps.csv").open(newline="") as file:
        assert all(float(row["time_s"]) > 0 for row in csv.DictReader(file))


def test_parquet_has_the_rows_of_csv_with_units(result: Result, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra export is not installed")
    table = parquet.read_table(written(result, "parquet", tmp_path))
    stored = result.table.column("joints_world_m").reshape(-1, 3)
    np.testing.assert_array_equal(np.stack([table[axis] for axis in "xyz"], 1), stored)
    assert table.schema.field("x").metadata[b"unit"] == b"m"
    assert b"floor" in table.schema.metadata[b"axes"]
    assert table["observed"].to_pylist().count(False) > 0


def test_json_has_an_object_a_frame_and_null_where_nothing_is_known(tmp_path: Path) -> None:
    result = two_people(tmp_path)
    result.table.columns["joints_world_m"][0, 5] = np.nan
    content = json.loads(written(result, "json", tmp_path).read_text())
    frames = content["frames"]
    assert [frame["frame"] for frame in frames] == list(range(FRAMES))
    assert [person["person"] for person in frames[20]["people"]] == [1, 2]
    assert [person["person"] for person in frames[35]["people"]] == [2]
    assert frames[0]["people"][0]["joints_m"][5] == [None, None, None]
    assert content["joints"] == list(result.joints.joints)


def test_nc_is_nan_where_people_are_out_of_view(result: Result, tmp_path: Path) -> None:
    h5netcdf = pytest.importorskip("h5netcdf", reason="the extra export is not installed")
    with h5netcdf.File(written(result, "nc", tmp_path), "r") as file:
        position = file["position"][:]
        assert file["position"].dimensions == ("time", "space", "keypoint", "individual")
        assert position.shape == (FRAMES, 3, len(result.joints), 2)
        assert np.isnan(position[30:45, ..., 0]).all()
        assert np.isfinite(position[45:, ..., 0]).all()
        person = result.people[1]
        np.testing.assert_array_equal(
            position[10:, ..., 1], np.swapaxes(person.joints_world_m, 1, 2)
        )
        scores = file["confidence"][10:, result.joints.index("r_knee"), 1]
        np.testing.assert_array_equal(
            scores, person.keypoint_scores[:, result.keypoints.index("right_knee")]
        )


def test_nc_of_a_video_without_an_even_rate_says_so(tmp_path: Path) -> None:
    pytest.importorskip("h5netcdf", reason="the extra export is not installed")
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.06, FRAMES))
    said = write_exports(two_people(tmp_path, times), ["nc"], tmp_path)
    assert said.failures == []
    assert len(said.notes) == 1
    assert "resampled" in said.notes[0]


def test_a_library_that_is_missing_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = write_exports(two_people(tmp_path), ["parquet", "csv"], tmp_path)
    assert len(said.failures) == 1
    assert "it needs pyarrow, which is not installed: pip install" in said.failures[0]
    assert not list(tmp_path.glob("*.parquet"))
    assert (tmp_path / "clip.csv").exists()
