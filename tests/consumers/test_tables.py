"""pandas, DuckDB, xarray, jsonschema and movement read the tables."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.export.base import ExportOptions, write_exports
from testkit.consumers import ask
from testkit.made.made_people import FRAMES, two_people

TABLES = '''
import json, sys
import duckdb, pandas
folder = sys.argv[1]
table = pandas.read_csv(f"{folder}/clip.csv")
knee = table[(table.person == 1) & (table.joint == "l_knee")]
query = """SELECT frame, x, y, z, sigma, observed FROM '{}'
           WHERE person = 1 AND joint = 'l_knee' ORDER BY frame"""
parquet = duckdb.sql(query.format(f"{folder}/clip.parquet")).fetchall()
from_csv = duckdb.sql(query.format(f"{folder}/clip.csv")).fetchall()
measures = f"{folder}/clip_measures.parquet"
units = duckdb.sql(f"SELECT DISTINCT unit FROM '{measures}' ORDER BY unit").fetchall()
print(json.dumps({
    "types": {name: str(kind) for name, kind in table.dtypes.items()},
    "pandas": knee[["x", "y", "z"]].values.tolist(),
    "observed": knee.observed.tolist(), "parquet": parquet, "csv": from_csv,
    "units": [unit for unit, in units],
}))
'''

GRID = """
import json, sys
import xarray
data = xarray.open_dataset(sys.argv[1], engine="h5netcdf")
one = data.position.sel(individual="person_1", keypoint="l_knee")
print(json.dumps({
    "dims": {name: int(size) for name, size in data.sizes.items()},
    "attrs": {name: value if isinstance(value, str) else float(value)
              for name, value in data.attrs.items()},
    "order": list(data.position.dims), "times": data.time.values.tolist(),
    "space": data.space.values.tolist(), "confidence": list(data.confidence.dims),
    "knee": [[None if v != v else v for v in row] for row in one.values.tolist()],
}))
"""

SCHEMA = """
import json, sys
import jsonschema
folder = sys.argv[1]
schema = json.load(open(f"{folder}/clip_schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
content = json.load(open(f"{folder}/clip.json"))
validator = jsonschema.Draft202012Validator(schema)
faults = [error.message for error in validator.iter_errors(content)]
content["frames"][0]["people"][0]["joints_m"][0] = [1, 2]
print(json.dumps({"faults": faults, "of_damaged": len(list(validator.iter_errors(content)))}))
"""

MOVEMENT = """
import json, sys
import xarray
from movement.kinematics import compute_velocity
from movement.validators.datasets import ValidPosesInputs
data = xarray.open_dataset(sys.argv[1])
ValidPosesInputs.validate(data)
speed = compute_velocity(data.position)
print(json.dumps({"keypoints": data.keypoint.values.tolist(), "dims": list(speed.dims)}))
"""


@pytest.fixture
def exported(folder: Path) -> Path:
    options = ExportOptions(measures=True)
    said = write_exports(two_people(folder), ["csv", "parquet", "json", "nc"], folder, options)
    assert said.lines == ()
    return folder


def knee_of(folder: Path) -> np.ndarray:
    result = two_people(folder)
    return result.people[0].joints_world_m[:, result.joints.index("l_knee")]


def test_pandas_and_duckdb_read_the_same(exported: Path) -> None:
    read, knee = ask("readers", TABLES, exported), knee_of(exported)
    np.testing.assert_allclose(read["pandas"], knee, atol=5.1e-5)
    for source, tolerance in (("csv", 5.1e-5), ("parquet", 1e-7)):
        np.testing.assert_allclose([row[1:4] for row in read[source]], knee, atol=tolerance)
        assert [row[5] for row in read[source]] == read["observed"]
    assert read["types"]["observed"] == "bool"
    assert read["types"]["frame"] == "int64"
    assert read["units"] == ["deg", "m", "m/s"]


def test_xarray_reads_the_grid(exported: Path) -> None:
    read, result = ask("readers", GRID, exported / "clip.nc"), two_people(exported)
    assert read["order"] == ["time", "space", "keypoint", "individual"]
    assert read["confidence"] == ["time", "keypoint", "individual"]
    assert read["dims"] == {"time": FRAMES, "space": 3, "keypoint": 21, "individual": 2}
    assert read["space"] == ["x", "y", "z"]
    assert read["attrs"]["fps"] == 30
    assert read["attrs"]["time_unit"] == "seconds"
    assert read["attrs"]["ds_type"] == "poses"
    np.testing.assert_allclose(read["times"], np.arange(FRAMES) / 30)
    known = [row for row in read["knee"] if row[0] is not None]
    np.testing.assert_allclose(known, knee_of(exported), atol=1e-6)
    assert len(known) == len(result.people[0].frame_indices)


def test_the_json_is_as_its_schema_says(exported: Path) -> None:
    answer = ask("readers", SCHEMA, exported)
    assert answer["faults"] == []
    assert answer["of_damaged"] > 0


def test_movement_takes_the_grid(exported: Path) -> None:
    answer = ask("movement", MOVEMENT, exported / "clip.nc")
    assert answer["dims"] == ["time", "space", "keypoint", "individual"]
    assert "r_heel" in answer["keypoints"]
