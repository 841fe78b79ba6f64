"""Ways to fetch a file: a member of a PyPI wheel, a download that resumes, a file of a zip."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from core.files import make_way
from weights.sources import FetchError, Wheel

ATTEMPTS = 4
RETRY_PAUSE_S = 1.0
"""After the first failure; doubled after each further one."""
TIMEOUT_S = 30
CHUNK_BYTES = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TRANSIENT_STATUS = (408, 425, 429, 500, 502, 503, 504)


def download_wheel(wheel: Wheel, folder: Path) -> Path:
    """Download a wheel by pip, with the user's index, proxy and certificates.

    The Python version and platform are the wheel's, not this machine's: it is only unpacked.

    Args:
        wheel: What to download.
        folder: An empty folder to put it into.

    Returns:
        The wheel's path.

    Raises:
        FetchError: pip is missing or fails.
    """
    log = folder / "pip.log"
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
        "--platform", wheel.platform, "--python-version", "3.11", "--implementation", "cp",
        "--abi", "cp311", "--dest", str(folder), "--progress-bar", "off",
        "--disable-pip-version-check", wheel.requirement,
    ]  # fmt: skip
    with (
        log.open("wb") as output,
        tqdm(
            desc=wheel.requirement, total=wheel.size, unit="B", unit_scale=True, disable=None
        ) as bar,
    ):
        pip = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TMPDIR": str(folder)},
        )
        try:
            while pip.poll() is None:
                time.sleep(0.1)
                bar.update(_largest_file(folder) - bar.n)
        finally:
            pip.kill()  # an interrupted wait must not leave pip writing into a deleted folder
            pip.wait()
        bar.update(wheel.size - bar.n if pip.returncode == 0 else 0)
    if pip.returncode != 0:
        raise FetchError(_pip_complaint(log.read_text("utf-8", "replace")))
    return next(folder.glob("*.whl"))


def _largest_file(folder: Path) -> int:
    """Bytes that pip has of the wheel so far.

    pip makes and deletes files and folders meanwhile, where `rglob` would raise.
    """
    sizes = [0]
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                sizes.append(Path(parent, name).stat().st_size)
    return max(sizes)


def _pip_complaint(log: str) -> str:
    """The line of pip's output that says what is wrong."""
    if "No module named pip" in log:
        return f"{sys.executable} has no pip (`{sys.executable} -m ensurepip` adds it)"
    errors = [
        line.removeprefix("ERROR: ") for line in log.splitlines() if line.startswith("ERROR: ")
    ]
    return f"pip download failed ({errors[-1] if errors else 'no reason given'})"


def unpack_members(wheel: Path, members: list[str], folder: Path) -> dict[str, Path]:
    """Unpack some members into `folder`.

    Returns:
        Their paths by name.

    Raises:
        FetchError: The wheel is damaged or lacks one of them.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {member: Path(archive.extract(member, folder)) for member in members}
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"{wheel.name} does not hold {', '.join(members)} ({error})") from error


def unpack_named(archive: Path, name: str, target: Path) -> None:
    """Unpack the one file of a name, in whatever folder of a zip archive, and delete the archive.

    Raises:
        FetchError: The archive is damaged, or has not one file of that name.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            found = [path for path in opened.namelist() if PurePosixPath(path).name == name]
            if len(found) != 1:
                raise FetchError(f"the archive has {len(found)} files {name}, not one")
            make_way(target)
            with opened.open(found[0]) as member, target.open("wb") as file:
                shutil.copyfileobj(member, file, CHUNK_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FetchError(f"what was fetched is no whole zip archive ({error})") from error
    finally:
        archive.unlink()  # a damaged one must not be continued by the next download


def download_url(url: str, part: Path, label: str, attempts: int = ATTEMPTS) -> None:
    """Download a file, from where an earlier attempt or run stopped.

    Args:
        url: Where from; https, or http from this machine.
        part: The file to write or continue.
        label: What the progress bar calls it.
        attempts: How often it is tried.

    Raises:
        FetchError: It failed for good, or that often.
    """
    _require_encrypted(url)
    for attempt in range(1, attempts + 1):
        try:
            return _continue_download(url, part, label)
        except (OSError, HTTPException) as error:  # URLError and broken connections are OSErrors
            final = False
            if isinstance(error, urllib.error.HTTPError):
                error.close()
                final = error.code not in TRANSIENT_STATUS
            if final or attempt == attempts:
                raise FetchError(f"{url}: {error}") from error
            time.sleep(RETRY_PAUSE_S * 2 ** (attempt - 1))
    return None


def _continue_download(url: str, part: Path, label: str) -> None:
    """One attempt of `download_url`."""
    make_way(part)
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response: HTTPResponse
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            _require_encrypted(response.url)
            have = have if response.status == HTTPStatus.PARTIAL_CONTENT else 0
            _append(response, part, have, label)
    except urllib.error.HTTPError as error:
        # Nothing lies beyond the part: it is whole already, or the server has another file now.
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range") != f"bytes */{have}":
            part.unlink()
            raise ConnectionError("the part fetched earlier is of another file") from error


def _append(response: HTTPResponse, part: Path, have: int, label: str) -> None:
    """Write the body at byte `have` of `part`; raise `ConnectionError` if it ends early."""
    length = response.headers.get("Content-Length")
    total = have + int(length) if length is not None else None
    with (
        part.open("r+b" if have else "wb") as file,
        tqdm(desc=label, total=total, initial=have, unit="B", unit_scale=True, disable=None) as bar,
    ):
        file.seek(have)
        while chunk := response.read(CHUNK_BYTES):
            bar.update(file.write(chunk))
        reached = file.tell()
    if total is not None and reached != total:
        raise ConnectionError(f"the transfer broke off at {reached:,} of {total:,} bytes")


def _require_encrypted(url: str) -> None:
    """Refuse plain http except from this machine; redirects are checked too."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise FetchError(f"{url} is not https")
