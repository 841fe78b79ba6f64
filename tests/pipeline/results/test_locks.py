import errno
import fcntl
from pathlib import Path

import pytest

from core.errors import OutputError
from pipeline.results.locks import locked


def test_a_lock_whose_holder_died_locks_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    (tmp_path / ".x.lock").write_text("left by a killed run")
    with locked(folder) as first, locked(folder) as second:
        assert (first, second) == (True, False)
    with locked(folder) as third:
        assert third
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_the_lock_s_stead_is_refused_and_not_followed(
    tmp_path: Path, exists: bool
) -> None:
    other = tmp_path / "elsewhere"
    if exists:
        other.write_text("somebody's")
    (tmp_path / ".x.lock").symlink_to(other)
    with pytest.raises(OutputError, match=r"\.x\.lock: is a link"), locked(tmp_path / "x"):
        pass
    assert other.exists() == exists
    assert not exists or other.read_text() == "somebody's"


@pytest.mark.parametrize("below", ["clip", "a/clip"])
def test_a_file_where_a_folder_should_be_is_said(tmp_path: Path, below: str) -> None:
    (tmp_path / "out.mp4").write_bytes(b"x")
    with (
        pytest.raises(OutputError, match=r"cannot write there \(a file has that name\)"),
        locked(tmp_path / "out.mp4" / below),
    ):
        pass


def test_a_disk_that_knows_no_locks_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "x") as is_ours:
        assert is_ours
    assert list(tmp_path.iterdir()) == []
