"""Clips and results at addresses that fsspec knows, like `s3://…`: fetched, worked on here, and put back whole."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from core.errors import OutputError, UsageError, Video3DError, one_line
from pipeline.batch.jobs import Job
from pipeline.results.staging import REPORT


class Address(PosixPath):
    """An address like `s3://bucket/a/x.mp4`: names as of a path, but fsspec answers for the disk."""

    def __str__(self) -> str:
        return super().__str__().replace(":/", "://", 1)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size and time of change, nothing else. `OSError` where there is none, or nobody answers."""
        with _as_os_error():
            system, path = _system(self)
            size, time_ns = system.info(path)["size"], int(system.modified(path).timestamp() * 1e9)
        mode = stat.S_IFREG | 0o444
        return os.stat_result(
            (mode, 0, 0, 1, 0, 0, size, 0, 0, 0), {"st_mtime_ns": time_ns, "st_ctime_ns": time_ns}
        )

    def read_bytes(self) -> bytes:
        """What lies there."""
        with _as_os_error():
            system, path = _system(self)
            content: bytes = system.cat_file(path)
            return content

    def write_bytes(self, data: Any) -> int:
        """Replace what lies there."""
        with _as_os_error():
            system, path = _system(self)
            system.pipe_file(path, data)
        return len(data)


def place(text: str) -> Path:
    """A path, or an address. `UsageError` where what reads such addresses is not installed."""
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Path(text)
    if scheme == "file":
        return Path(unquote(urlsplit(text).path))
    import fsspec

    if scheme not in fsspec.available_protocols():
        return Path(text)
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise UsageError(f"{text}: {one_line(error)}") from error
    return Address(text)


def is_far(job: Job) -> bool:
    """Whether its clip or its results are at an address."""
    return isinstance(job.source, Address) or isinstance(job.folder, Address)


def is_address(text: str) -> bool:
    """Whether `place` makes an address of it."""
    return "://" in text and isinstance(place(text), Address)


def files_at(text: str) -> list[tuple[Path, Path]]:
    """The files that an address names, by itself, as the folder above them, or by wildcards; each with its path below.

    `Video3DError` where nobody answers.
    """
    root = place(text)
    try:
        system, path = _system(root)
        if any(letter in path for letter in "*?["):
            top, found = path[: _first_wildcard(path)].rpartition("/")[0], system.glob(path)
        elif system.isdir(path):
            top, found = path.rstrip("/"), system.find(path)
        else:
            return [(root, Path(root.name))]
        scheme = str(root).partition("://")[0]
        return [
            (Address(f"{scheme}://{name.lstrip('/')}"), Path(name[len(top) :].lstrip("/")))
            for name in found
        ]
    except Exception as error:  # whatever its library raises
        raise Video3DError(f"{text}: cannot be listed ({one_line(error)})") from error


def _first_wildcard(path: str) -> int:
    return min(path.index(letter) for letter in "*?[" if letter in path)


@contextmanager
def fetched(job: Job) -> Iterator[Job]:
    """The same job on this machine's disk, until the block ends: a copy of the clip, a folder to put results in."""
    with tempfile.TemporaryDirectory(prefix="video3d-") as folder:
        near = job
        if isinstance(job.source, Address):
            near = replace(near, source=Path(folder, job.source.name))
            try:
                system, path = _system(job.source)
                system.get_file(path, str(near.source))
                time_ns = job.source.stat().st_mtime_ns
                os.utime(near.source, ns=(time_ns, time_ns))  # by which it is known again
            except Exception as error:
                raise Video3DError(
                    f"{job.source}: cannot be fetched ({one_line(error)})"
                ) from error
        if isinstance(job.folder, Address):
            near = replace(near, folder=Path(folder, "results", job.folder.name))
        yield near


def put_back(results: Path, folder: Path) -> None:
    """Copy a folder of results to its address, the report last: what is there without one is not whole."""
    try:
        system, path = _system(folder)
        if system.exists(f"{path}/{REPORT}"):
            system.rm_file(f"{path}/{REPORT}")
        for file in sorted(results.iterdir(), key=lambda file: file.name == REPORT):
            system.put_file(str(file), f"{path}/{file.name}")
    except Exception as error:
        raise OutputError(f"{folder}: cannot write there ({one_line(error)})") from error


def _system(address: Path) -> tuple[Any, str]:
    """fsspec's file system behind an address, and the path it has there."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(str(address))
    return system, path


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Libraries behind addresses raise errors of their own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(one_line(error)) from error
