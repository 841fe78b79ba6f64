"""Whether a video's results are whole, and made of the same file with the same settings."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError
from detectors import base as detectors
from pipeline.config import PipelineConfig
from pipeline.results.staging import REPORT
from weights.store import resolve, sha256_of

NOT_SETTINGS = frozenset({"output", "overwrite"})
"""Fields of the configuration that change nothing in the results."""

MAX_REPORT_BYTES = 64 << 20


def sources(clip: Path, config: PipelineConfig) -> list[Path]:
    """The files and folders that a clip's results are made of."""
    return [clip] if config.keypoints is None else [clip, config.keypoints]


def fingerprint(paths: Sequence[Path]) -> dict[str, Any]:
    """What tells files, taken together, from others: size, newest time of change, sha256. A folder is what lies in it.

    `InputError` where one cannot be read.
    """
    sha256 = hashlib.sha256()
    try:
        size, mtime_ns = _size_and_time(paths)
        for path in _files(paths):
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: sha256)
    except OSError as error:
        raise InputError(
            f"{error.filename or paths[0]}: cannot be read: {error.strerror or error}"
        ) from error
    return {"size": size, "mtime_ns": mtime_ns, "sha256": sha256.hexdigest()}


def _files(paths: Sequence[Path]) -> list[Path]:
    """The paths that are files, or not there, which is to be said; those in folders. Pipes would be waited for."""
    inside = [
        file for path in paths if path.is_dir() for file in sorted(path.iterdir()) if file.is_file()
    ]
    return [path for path in paths if path.is_file() or not path.exists()] + inside


def _size_and_time(paths: Sequence[Path]) -> tuple[int, int]:
    statuses = [file.stat() for file in _files(paths)]
    return sum(status.st_size for status in statuses), max(
        (status.st_mtime_ns for status in statuses), default=0
    )


def weights_of(config: PipelineConfig) -> dict[str, Any]:
    """The files behind the networks, as reports name them; fetched where they are missing. Or a `WeightsError`."""
    files = {"lifter": resolve(config.lifter)}
    if config.d2_weights is not None:
        choice = detectors.choose(config.detector, **config.detectron2_options)
        if choice.name == "detectron2":
            files["detector"] = resolve(config.d2_weights)
    return {role: {"file": file.name, "sha256": sha256_of(file)} for role, file in files.items()}


def finished(
    clip: Path, folder: Path, config: PipelineConfig, weights: dict[str, Any]
) -> dict[str, Any] | None:
    """The report in `folder`, if everything it names is there and was made of these files with these settings.

    A report that cannot be read is no report.
    """
    try:
        report = read_json(folder / REPORT)
        whole = all(
            (folder / name).stat().st_size == size for name, size in report["files"].items()
        )
        same = (
            settings(report["config"]) == settings(config.as_dict())
            and report["weights"] == weights
        )
        usable = isinstance(report["frames"], int) and {
            *map(type, (report["people"], report["warnings"]))
        } == {list}
        if not (report["status"] == "done" and whole and same and usable):
            return None
        return report if _are_same_files(sources(clip, config), report["input"]) else None
    except (
        OSError,
        InputError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
        RecursionError,
    ):
        return None


def read_json(path: Path) -> dict[str, Any]:
    """A report that this program wrote. `OSError`, `ValueError`, `RecursionError` where it is none or too large."""
    if path.stat().st_size > MAX_REPORT_BYTES:
        raise ValueError(f"{path} is too large for a report")
    report = json.loads(path.read_bytes())
    if not isinstance(report, dict):
        raise ValueError(f"{path} holds no report")
    return report


def way_of(config: PipelineConfig) -> dict[str, Any]:
    """What all results of a run are made with, as JSON gives it back."""
    return {"settings": settings(config.as_dict()), "weights": weights_of(config)}


def settings(config: dict[str, Any]) -> dict[str, Any]:
    """Those of a configuration's plain values that results depend on, as JSON gives them back."""
    kept = {name: value for name, value in config.items() if name not in NOT_SETTINGS}
    plain: dict[str, Any] = json.loads(json.dumps(kept))
    return plain


def _are_same_files(paths: Sequence[Path], before: dict[str, Any]) -> bool:
    """Whether files are those of which `before` is the fingerprint: their time tells, or else their content."""
    size, mtime_ns = _size_and_time(paths)
    if size != before["size"]:
        return False
    return bool(mtime_ns == before["mtime_ns"] or fingerprint(paths)["sha256"] == before["sha256"])
