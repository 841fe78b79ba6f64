"""Clips and results at addresses that fsspec knows, like `s3://…`.

A clip is copied to this machine, worked on here, and its results are copied to their address.
"""

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
from pipeline.media.web_file import WebFiles, is_web, web_name
from pipeline.results.staging import REPORT, listed_files


class Address(PosixPath):
    """An address like `s3://bucket/a/x.mp4`: a path's names, with fsspec instead of the disk."""

    def __str__(self) -> str:
        return super().__str__().replace(":/", "://", 1)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return size and time of change, nothing else.

        Raises:
            OSError: There is no such file, or the store does not answer.
        """
        with _as_os_error():
            system, path = _file_system(self)
            size, time_ns = system.info(path)["size"], int(system.modified(path).timestamp() * 1e9)
        mode = stat.S_IFREG | 0o444
        return os.stat_result(
            (mode, 0, 0, 1, 0, 0, size, 0, 0, 0), {"st_mtime_ns": time_ns, "st_ctime_ns": time_ns}
        )

    def read_bytes(self) -> bytes:
        """Return the file's content."""
        with _as_os_error():
            system, path = _file_system(self)
            content: bytes = system.cat_file(path)
            return content

    def write_bytes(self, data: Any) -> int:
        """Replace the file's content."""
        with _as_os_error():
            system, path = _file_system(self)
            system.pipe_file(path, data)
        return len(data)


def parse_location(text: str) -> Path:
    """Make a path or an `Address` of a word of the command line.

    Args:
        text: A path, `file://…`, or an address with a scheme that fsspec knows; with an unknown
            scheme it counts as a path.

    Raises:
        UsageError: The library behind such addresses is not installed.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Path(text)
    if scheme == "file":
        return Path(unquote(urlsplit(text).path))
    if is_web(text):
        return Address(text)
    import fsspec

    if scheme not in fsspec.available_protocols():
        return Path(text)
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise UsageError(f"{text}: {one_line(error)}") from error
    return Address(text)


def is_address(text: str) -> bool:
    """Say whether `parse_location` makes an address of a word."""
    return "://" in text and isinstance(parse_location(text), Address)


def is_remote(job: Job) -> bool:
    """Say whether a job's clip or its results are at an address."""
    return isinstance(job.source, Address) or isinstance(job.folder, Address)


def files_at(text: str) -> list[tuple[Path, Path]]:
    """List the files that an address names.

    Args:
        text: The address of a file, of a folder above files, or with wildcards.

    Returns:
        Each file's address, and its path below the folder, or below the part without wildcards.

    Raises:
        Video3DError: The store does not answer.
    """
    root = parse_location(text)
    if is_web(text):
        return [(root, Path(web_name(text)))]
    try:
        system, path = _file_system(root)
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
    except Exception as error:  # each store's library raises its own
        raise Video3DError(f"{text}: cannot be listed ({one_line(error)})") from error


def _first_wildcard(path: str) -> int:
    return min(path.index(letter) for letter in "*?[" if letter in path)


@contextmanager
def local_copy(job: Job) -> Iterator[Job]:
    """Bring a job to this machine's disk, for as long as the block lasts.

    Args:
        job: Its clip, its results, or both are at an address.

    Yields:
        The same job, with a copy of the clip and a local folder for the results.

    Raises:
        Video3DError: The clip cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="video3d-") as folder:
        local = job
        if isinstance(job.source, Address):
            local = replace(local, source=Path(folder, _file_name(job.source)))
            try:
                system, path = _file_system(job.source)
                system.get_file(path, str(local.source))
                time_ns = job.source.stat().st_mtime_ns
                os.utime(local.source, ns=(time_ns, time_ns))  # part of the clip's fingerprint
            except Exception as error:
                raise Video3DError(
                    f"{job.source}: cannot be fetched ({one_line(error)})"
                ) from error
        if isinstance(job.folder, Address):
            local = replace(local, folder=Path(folder, "results", job.folder.name))
        yield local


def upload_results(results: Path, folder: Path) -> None:
    """Copy a folder of results to an address, the report last: without one, results are not whole.

    Args:
        results: The folder on this machine.
        folder: The address.

    Raises:
        OutputError: The store refuses.
    """
    try:
        system, path = _file_system(folder)
        outdated = listed_files(folder) - listed_files(results)
        for name in (REPORT, *outdated):
            if system.exists(f"{path}/{name}"):
                system.rm_file(f"{path}/{name}")
        for file in sorted(results.iterdir(), key=lambda file: file.name == REPORT):
            system.put_file(str(file), f"{path}/{file.name}")
    except Exception as error:
        raise OutputError(f"{folder}: cannot write there ({one_line(error)})") from error


def _file_name(address: Path) -> str:
    """Return the name of the file at an address."""
    return web_name(str(address)) if is_web(str(address)) else address.name


def _file_system(address: Path) -> tuple[Any, str]:
    """Return fsspec's file system behind an address, and the path in it."""
    if is_web(str(address)):
        return WebFiles(), str(address)
    from fsspec.core import url_to_fs

    system, path = url_to_fs(str(address))
    return system, path


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Turn what stores' libraries raise into `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(one_line(error)) from error
