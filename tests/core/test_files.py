import contextlib
import os
import secrets
from pathlib import Path

import pytest

from core.files import remove_partial, result_stem, written_whole


def test_a_file_appears_when_its_block_ends_and_not_after_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with written_whole(path) as partial:
        partial.write_text("old")
        assert not path.exists()
    with contextlib.suppress(KeyError), written_whole(path) as partial:
        partial.write_text("new")
        raise KeyError
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.json", "old")]


def test_a_link_at_the_unfinished_file_s_name_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: "01234567")
    other = tmp_path / "elsewhere"
    other.write_text("somebody's")
    (tmp_path / ".a.01234567.part.json").symlink_to(other)
    with pytest.raises(FileExistsError), written_whole(tmp_path / "a.json") as partial:
        partial.write_text("ours")
    assert other.read_text() == "somebody's"


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a[1].json"
    killed, others = written_whole(path), written_whole(tmp_path / "a[1].1of4.json")
    killed.__enter__().touch()
    others.__enter__().touch()
    remove_partial(path)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a[1].1of4.")


def test_the_names_of_results_are_those_of_the_files_unless_too_long() -> None:
    assert result_stem(Path("a/two people.mp4")) == "two people"
    long, other = (result_stem(Path(f"{'ä' * 120}{end}.mp4")) for end in "xy")
    assert len(f".{long}_3d.01234567.part.mp4".encode()) <= 255
    assert long.startswith("ä" * 90)
    assert long != other


@pytest.mark.parametrize(
    "name", ["a\nb", "a\tb", os.fsdecode(b"a\xffb"), os.fsdecode(b"a\xffb" * 99)]
)
def test_the_names_of_results_are_text_of_one_line(name: str) -> None:
    stem, other = result_stem(Path(f"{name}.mp4")), result_stem(Path("a_b.mp4"))
    assert stem.encode().decode().isprintable()
    assert len(stem.encode()) <= 200
    assert stem.startswith("a_b")
    assert stem != other
