"""Two readers of C3D agree with the result: ezc3d, and the pure Python one."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.export.base import ExportOptions, write_exports
from testkit.consumers import ask
from testkit.made.made_people import FRAMES, THERE, two_people

_TOLERANCE_MM = 0.1

READ = """
import json, sys
import c3d
with open(sys.argv[1], "rb") as file:
    reader = c3d.Reader(file)
    frames = [points[:, :4].tolist() for _, points, _ in reader.read_frames()]
    print(json.dumps({
        "rate": float(reader.point_rate),
        "labels": [label.strip() for label in reader.point_labels],
        "frames": frames,
    }))
"""


@pytest.fixture
def exported(folder: Path) -> Path:
    pytest.importorskip("ezc3d", reason="the extra export is not installed")
    assert write_exports(two_people(folder), ["c3d"], folder, ExportOptions(z_up=True)).lines == ()
    return folder / "clip_person1.c3d"


def joints_mm(folder: Path) -> np.ndarray:
    """(T, J, 3) of person 1, in the frames that they are in."""
    return two_people(folder).people[0].joints_world_m.astype(float) * 1000


def test_the_reader_in_python_agrees(exported: Path) -> None:
    read = ask("readers", READ, exported)
    frames = np.array(read["frames"])
    assert (read["rate"], frames.shape) == (30, (FRAMES, 21, 4))
    assert {"RHeel", "LBigToe", "Neck"} <= set(read["labels"])
    np.testing.assert_allclose(frames[THERE, :, :3], joints_mm(exported.parent), atol=_TOLERANCE_MM)
    assert (frames[30:45, :, 3] == -1).all()


def test_ezc3d_agrees(exported: Path) -> None:
    import ezc3d

    points = ezc3d.c3d(str(exported))["data"]["points"]
    assert points.shape == (4, 21, FRAMES)
    np.testing.assert_allclose(
        np.moveaxis(points[:3], 0, -1).swapaxes(0, 1)[THERE],
        joints_mm(exported.parent),
        atol=_TOLERANCE_MM,
    )
