"""What the machines of a cluster get from this one: the program, its weights, its libraries.

Ray's `runtime_env` carries them. A machine keeps the program under its `/tmp/ray/session_*`, in
`runtime_resources/working_dir_files`, and the libraries beside it in `runtime_resources/pip`, an
environment a set of libraries, until its `ray` is stopped.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import UsageError, WeightsError
from pipeline.batch.options import Shipped
from pipeline.config import PipelineConfig
from pipeline.runtime.logs import LOG
from weights.store import CACHE_FOLDER, Store

PROGRAM = "video3d"
ROOT = Path(__file__).parents[3]
ROOMS = ("core", "detectors", "lifter", "pipeline", "weights")
"""What workers import; training stays here."""

IF_INSTALLED = ("torchvision", "s3fs", "gcsfs", "adlfs", "paramiko")
"""Libraries of some runs, which are sent where they are installed here: a detector's, and those of
fsspec's addresses."""

SETUP_WITHIN_S = 3600
"""How long a machine may install; torch for a GPU is some gigabytes."""


@contextmanager
def runtime_env(shipped: Shipped, config: PipelineConfig) -> Iterator[dict[str, Any]]:
    """Prepare the `runtime_env` of workers; Ray must be connected inside the block.

    Args:
        shipped: What machines get from here.
        config: The run, which says what weights they need.

    Yields:
        The argument of `ray.init`; empty where nothing is to be sent.

    Raises:
        UsageError: It is not known which libraries belong to this program.
    """
    if shipped == "nothing":
        yield {}
        return
    with TemporaryDirectory(prefix="video3d-") as folder:
        copy_program(Path(folder), weight_files(config))
        environment: dict[str, Any] = {
            "working_dir": folder,
            "config": {"setup_timeout_seconds": SETUP_WITHIN_S, "eager_install": False},
        }
        if shipped == "all":
            environment["pip"] = {"packages": pinned_libraries(), "pip_check": False}
        yield environment


def copy_program(folder: Path, weights: Sequence[Path]) -> None:
    """Copy what workers import into a folder, and weights to where they look for them."""
    for room in ROOMS:
        skip = shutil.ignore_patterns("__pycache__", CACHE_FOLDER)
        shutil.copytree(ROOT / room, folder / room, ignore=skip)
    cache = folder / "weights" / CACHE_FOLDER
    cache.mkdir()
    for path in weights:
        shutil.copy(path, cache / path.name)


def weight_files(config: PipelineConfig) -> list[Path]:
    """The files of the manifest that a run needs besides the program's own, fetched if need be.

    One that cannot be had here is left out with a warning: each machine tries for itself.
    """
    store, found = Store(), []
    for name in (*config.detect.choose().backend.weight_names(), config.lift.lifter):
        entry = store.entries.get(str(name))
        if entry is None or entry.source is None or Path(name).is_file():
            continue
        try:
            found.append(store.resolve(name))
        except WeightsError as error:
            LOG.warning("%s; each machine of the cluster will try for itself", error)
    return found


def pinned_libraries() -> list[str]:
    """The libraries that this program asks for, as `NAME==VERSION`, in the versions that run here.

    The part of a version after `+`, as of torch's builds, is each machine's own.

    Raises:
        UsageError: The program runs without being installed, so its list is not known.
    """
    try:
        wanted = metadata.requires(PROGRAM) or []
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            "`ray_ship` all needs the list of libraries, and this program is not installed:"
            " pip install -e . in its folder, or `ray_ship` program"
        ) from error
    names = [_name(line) for line in wanted if "extra ==" not in line]
    for name in IF_INSTALLED:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        names.append(name)
    return [f"{name}=={metadata.version(name).partition('+')[0]}" for name in names]


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None, requirement
    return found[0]
