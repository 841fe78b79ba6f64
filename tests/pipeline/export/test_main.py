"""`python -m pipeline.export`: results in more formats, later."""

import shutil
from pathlib import Path

import pytest

from pipeline.export.__main__ import main
from pipeline.results.result import Result
from testkit.results import made_result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return made_result(tmp_path_factory.mktemp("made"))


def test_a_result_that_is_none_fails_and_the_others_are_done(
    result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = shutil.copytree(result.folder, tmp_path / "damaged")
    (damaged / "poses.npz").write_bytes(b"PK not really")
    good = shutil.copytree(result.folder, tmp_path / "good")
    file = good / "poses.npz"
    assert main([*map(str, (damaged, tmp_path, file, good)), "--to", "npz,npz"]) == 1
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["failed"] * 3
    assert str(damaged) in lines[0]
    assert f"{tmp_path}: no report.json there" in lines[1]
    assert lines[2].endswith("cannot be read (Not a directory)")
    assert said.out == f"{good}: poses.npz\n"


@pytest.mark.parametrize("formats", ["wings", "npz,wings", ""])
def test_a_format_that_does_not_exist_ends_with_2(
    formats: str, result: Result, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as status:
        main([str(result.folder), "--to", formats])
    assert status.value.code == 2
    assert "--to: there is no format" in capsys.readouterr().err
