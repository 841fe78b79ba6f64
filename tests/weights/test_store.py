"""The weights store against real files: wheels fetched by pip from a folder, downloads from a server on loopback."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from core.errors import WeightsError
from weights import fetch
from weights.fetch import Wheel
from weights.store import Entry, Store, read_manifest

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Store]:
    def build(*entries: Entry) -> Store:
        return Store(
            {entry.name: entry for entry in entries}, tmp_path / "repository", tmp_path / "cache"
        )

    return build


def entry(source: Wheel | str | None, name: str = "model", sha256: str | None = SHA256) -> Entry:
    return Entry(name, f"{name}.bin", sha256, len(CONTENT), "MIT", "made for a test", source)


# --- what a name or path means ---


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


# --- the manifest that ships ---


def test_the_manifest_reads_and_gives_every_file_its_own_place() -> None:
    entries = read_manifest().values()
    assert {"blazepose-detector", "blazepose-landmark-full", "demo-clip", "videopose3d-coco"} <= {
        e.name for e in entries
    }
    assert len({e.file for e in entries}) == len(entries)
    assert all(e.sha256 is None or len(e.sha256) == 64 for e in entries)


def test_an_entry_without_one_source_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.toml"
    manifest.write_text('[model]\nfile = "m.bin"\nlicence = "MIT"\nabout = "nothing"\n')
    with pytest.raises(ValueError, match="model: expected one of wheel, url and repository"):
        read_manifest(manifest)


# --- wheels ---


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
    shelf = store(
        entry(member("made/one.bin"), "one"), entry(member("made/two.bin"), "two", reverse)
    )
    assert shelf.resolve("one").read_bytes() == CONTENT
    next(wheels.glob("*.whl")).unlink()
    assert shelf.resolve("two").read_bytes() == CONTENT[::-1]
    assert sorted(path.name for path in shelf.cache.iterdir()) == ["one.bin", "two.bin"]


@pytest.mark.usefixtures("wheels")
def test_a_wrong_hash_leaves_nothing_behind(store: Callable[..., Store]) -> None:
    shelf = store(entry(member("made/one.bin"), sha256="0" * 64))
    with pytest.raises(WeightsError, match=f"has sha256 {SHA256}, not {'0' * 64}"):
        shelf.resolve("model")
    assert list(shelf.cache.iterdir()) == []


@pytest.mark.usefixtures("wheels")
def test_a_member_that_is_not_in_the_wheel_is_named(store: Callable[..., Store]) -> None:
    with pytest.raises(WeightsError, match=r"made/three\.bin"):
        store(entry(member("made/three.bin"))).resolve("model")


def test_out_of_reach_one_line_says_which_file_to_put_where(
    store: Callable[..., Store], wheels: Path
) -> None:
    next(wheels.glob("*.whl")).unlink()
    shelf = store(entry(member("made/one.bin")))
    with pytest.raises(WeightsError) as raised:
        shelf.resolve("model")
    text = str(raised.value)
    assert "\n" not in text
    for fact in (
        "made==1.0",
        "made/one.bin",
        "1,048,576 bytes",
        SHA256,
        str(shelf.cache / "model.bin"),
    ):
        assert fact in text
    (shelf.cache / "model.bin").write_bytes(CONTENT)
    assert shelf.resolve("model").read_bytes() == CONTENT


# --- downloads ---


class Server(ThreadingHTTPServer):
    """Serves `CONTENT`; breaks off the first `breaks` answers half-way, and writes down the ranges asked for."""

    breaks = 0
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if self.server.status != 200 or start >= len(CONTENT):
            self.send_response(self.server.status if self.server.status != 200 else 416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = CONTENT[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks > 0:
            self.server.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetch, "RETRY_PAUSE_S", 0.0)
    with Server() as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_broken_transfer_goes_on_where_it_stopped(
    store: Callable[..., Store], server: Server
) -> None:
    server.breaks = 2
    shelf = store(entry(server.url))
    assert shelf.resolve("model").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=524288-", "bytes=786432-"]
    shelf.resolve("model")
    assert len(server.ranges) == 3, "a file in the cache is not fetched again"


def test_a_later_run_resumes_what_an_earlier_one_left(
    store: Callable[..., Store], server: Server
) -> None:
    server.breaks = fetch.ATTEMPTS
    shelf = store(entry(server.url))
    with pytest.raises(WeightsError, match="broke off"):
        shelf.resolve("model")
    assert not (shelf.cache / "model.bin").exists()
    assert shelf.resolve("model").read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={len(CONTENT) * 15 // 16}-"
    assert [path.name for path in shelf.cache.iterdir()] == ["model.bin"]


@pytest.mark.parametrize("extra", [b"", b"more than there is"])
def test_a_part_that_is_whole_or_of_another_file_does_no_harm(
    store: Callable[..., Store], server: Server, extra: bytes
) -> None:
    shelf = store(entry(server.url))
    shelf.cache.mkdir()
    (shelf.cache / "model.bin.part").write_bytes(CONTENT + extra)
    assert shelf.resolve("model").read_bytes() == CONTENT


def test_a_wrong_hash_of_a_download_leaves_nothing_behind(
    store: Callable[..., Store], server: Server
) -> None:
    shelf = store(entry(server.url, sha256="0" * 64))
    with pytest.raises(WeightsError, match="has sha256"):
        shelf.resolve("model")
    assert list(shelf.cache.iterdir()) == []


def test_a_file_that_is_gone_is_not_asked_for_again(
    store: Callable[..., Store], server: Server
) -> None:
    server.status = 404
    with pytest.raises(WeightsError, match="404"):
        store(entry(server.url)).resolve("model")
    assert len(server.ranges) == 1


def test_without_a_published_hash_the_first_copy_is_recorded_and_kept_to(
    store: Callable[..., Store], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = store(entry(server.url, sha256=None))
    path = shelf.resolve("model")
    assert f"recorded {SHA256}" in capsys.readouterr().err
    shelf.resolve("model")
    assert "recorded" not in capsys.readouterr().err, "said once"
    path.write_bytes(b"changed")
    with pytest.raises(WeightsError, match=f"expected sha256 {SHA256}"):
        shelf.resolve("model")


@pytest.mark.parametrize(
    "url", ["http://example.org/model.bin", "file:///etc/hostname", "ftp://example.org/model.bin"]
)
def test_only_encrypted_downloads_leave_this_machine(store: Callable[..., Store], url: str) -> None:
    with pytest.raises(WeightsError, match="is not https"):
        store(entry(url)).resolve("model")
