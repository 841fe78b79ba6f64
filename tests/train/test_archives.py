import numpy as np
import pytest

from core.archives import read_archive
from core.errors import OutputError
from train.archives import write_archive


def nested() -> dict:
    return {
        "S1": {"Walking 1": [np.arange(6, dtype=np.float32).reshape(3, 2), np.zeros((0, 2))]},
        "n": {"w": 1000},
    }


def test_dictionaries_of_arrays_survive(tmp_path):
    path = tmp_path / "deep" / "data.npz"
    write_archive(path, positions=nested(), plain=np.arange(3))
    got = read_archive(path)
    np.testing.assert_array_equal(got["plain"], np.arange(3))
    np.testing.assert_array_equal(
        got["positions"]["S1"]["Walking 1"][0], nested()["S1"]["Walking 1"][0]
    )
    assert got["positions"]["n"] == {"w": 1000}
    again = np.load(path, allow_pickle=True)["positions"].item()  # as VideoPose3D opens it
    assert again["n"] == {"w": 1000}
    assert [file.name for file in path.parent.iterdir()] == ["data.npz"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"under\.npz: cannot be written"):
        write_archive(tmp_path / "file" / "under.npz", a=np.zeros(1))
