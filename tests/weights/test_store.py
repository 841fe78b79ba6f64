from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import WeightsError
from tests.weights.made_files import CONTENT, SHA256, Server, entry
from weights.store import CACHE_VARIABLE, Store, default_cache, read_manifest


def test_an_existing_file_is_taken_as_it_is(store: Callable[..., Store], tmp_path: Path) -> None:
    own = tmp_path / "own.bin"
    own.write_bytes(b"anything")
    assert store().resolve(own) == own
    assert store().resolve(str(own)) == own


def test_a_folder_of_the_same_name_does_not_hide_a_file(
    store: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifter = tmp_path / "repository" / "model.bin"
    lifter.parent.mkdir()
    lifter.write_bytes(CONTENT)
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert store(entry(None)).resolve("model") == lifter


def test_an_unknown_name_lists_the_known_ones(store: Callable[..., Store]) -> None:
    with pytest.raises(WeightsError, match=r"nope is neither .* known: one, two"):
        store(entry(None, "one"), entry(None, "two")).resolve("nope")


def test_a_missing_or_changed_file_of_the_repository_is_said_to_be_so(
    store: Callable[..., Store], tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="belongs to the repository"):
        store(entry(None)).resolve("model")
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "model.bin").write_bytes(b"changed")
    with pytest.raises(
        WeightsError, match=f"expected sha256 {SHA256}, got [0-9a-f]{{64}}; restore it"
    ):
        store(entry(None)).resolve("model")


def test_a_wrong_file_put_into_the_cache_by_hand_is_refused(
    store: Callable[..., Store], tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "model.bin").write_bytes(b"another model")
    with pytest.raises(WeightsError, match="delete it"):
        store(entry("https://example.org/model.bin")).resolve("model")


def test_the_environment_chooses_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO3D_WEIGHTS", str(tmp_path / "elsewhere"))
    assert Store().cache == tmp_path / "elsewhere"


def test_the_manifest_reads_and_gives_every_file_its_own_path() -> None:
    entries = read_manifest().values()
    assert {"blazepose-detector", "blazepose-landmark-full", "demo-clip", "videopose3d-coco"} <= {
        e.name for e in entries
    }
    assert len({e.file for e in entries}) == len(entries)
    assert all(e.sha256 is None or len(e.sha256) in (8, 64) for e in entries)


def test_an_entry_without_one_source_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.toml"
    manifest.write_text('[model]\nfile = "m.bin"\nlicence = "MIT"\nabout = "nothing"\n')
    kinds = "wheel, npm, zip, url and repository"
    with pytest.raises(ValueError, match=f"model: expected one of {kinds}"):
        read_manifest(manifest)


def test_without_a_published_hash_the_first_copy_is_recorded_and_kept_to(
    store: Callable[..., Store], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    built = store(entry(server.url, sha256=None))
    path = built.resolve("model")
    assert f"recorded {SHA256}" in capsys.readouterr().err
    built.resolve("model")
    assert "recorded" not in capsys.readouterr().err, "said once"
    path.write_bytes(b"changed")
    with pytest.raises(WeightsError, match=f"expected sha256 {SHA256}"):
        built.resolve("model")


def test_the_cache_of_a_repository_is_in_it_and_that_of_a_package_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    room = tmp_path / "weights"
    room.mkdir()
    users = tmp_path / "home" / "video3d"
    assert default_cache(room) == users, "an installed package"
    (tmp_path / "pyproject.toml").touch()
    assert default_cache(room) == room / "cache", "a repository"
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert default_cache(room) == users, "a repository that cannot be written to"
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "mine"))
    assert default_cache(room) == tmp_path / "mine"


def test_a_cache_that_came_along_is_read_where_it_cannot_be_written(
    store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    built = store(entry("https://example.invalid/model.bin"))
    came_along = built.repository / "cache" / "model.bin"
    came_along.parent.mkdir(parents=True)
    came_along.write_bytes(CONTENT)
    assert built.resolve("model") == came_along


@pytest.mark.parametrize(("digits", "fits"), [(SHA256[:8], True), ("0" * 8, False)])
def test_a_publisher_may_give_the_first_digits_of_a_hash(
    digits: str, fits: bool, store: Callable[..., Store]
) -> None:
    built = store(entry("https://example.invalid/model.bin", sha256=digits))
    built.cache.mkdir()
    (built.cache / "model.bin").write_bytes(CONTENT)
    if fits:
        assert built.resolve("model").read_bytes() == CONTENT
    else:
        with pytest.raises(WeightsError, match=f"expected sha256 {digits}"):
            built.resolve("model")
