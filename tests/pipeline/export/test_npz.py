import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.__main__ import main
from pipeline.results.report import read_report
from pipeline.results.result import Result
from testkit.results import FRAMES, made_result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return made_result(tmp_path_factory.mktemp("made"), people=2)


def test_rows_come_by_frame_then_person(result: Result) -> None:
    with np.load(result.folder / "poses.npz") as archive:
        np.testing.assert_array_equal(archive["frame_index"], np.repeat(np.arange(FRAMES), 2))
        np.testing.assert_array_equal(archive["track_id"], np.tile([1, 2], FRAMES))


def test_the_archive_can_be_written_anew_from_itself(result: Result, tmp_path: Path) -> None:
    copy = shutil.copytree(result.folder, tmp_path / "copy")
    with np.load(copy / "poses.npz") as archive:
        before = dict(archive)
    assert main([str(copy), "--to", "npz"]) == 0
    with np.load(copy / "poses.npz") as archive:
        after = dict(archive)
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values)
    assert read_report(copy).files == result.report.files
