"""Whether a video's results are whole, and made of the same files with the same settings."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.files import open_input
from detectors.choice import DetectOptions
from pipeline.render.options import RenderOptions
from pipeline.results.report import Report, read_report
from pipeline.results.report_parts import InputReport, WeightsReport
from weights.store import identify

NOT_SETTINGS = frozenset({
    "output", "overwrite", "export", "plots", "measures", "z_up", "bvh_names", "blender",
    "private", "embed_mb",
})  # fmt: skip
"""Options that change nothing in the poses and pictures."""


def fingerprint(paths: Sequence[Path]) -> InputReport:
    """What tells files, taken together, from others. A folder is the files in it.

    Raises:
        InputError: One cannot be read.
    """
    sha256 = hashlib.sha256()
    try:
        size, mtime_ns = _size_and_time(paths)
        for path in _files(paths):
            with open_input(path) as file:
                hashlib.file_digest(file, lambda: sha256)
    except OSError as error:
        at_fault = error.filename or paths[0]
        raise InputError(f"{at_fault}: cannot be read: {error.strerror or error}") from error
    return InputReport(size, mtime_ns, sha256.hexdigest())


@contextmanager
def unchanged(paths: Sequence[Path]) -> Iterator[None]:
    """Make sure that files stay the same while the block reads them, more than once.

    Args:
        paths: The files, and folders of files.

    Raises:
        InputError: At the end of the block one is another file, or has another size or time. What
            the block itself raises then is the cause.
    """
    before = _identities(paths)
    try:
        yield
    except Exception as error:
        _require_same(before, _identities(paths), error)
        raise
    _require_same(before, _identities(paths))


def _require_same(
    before: Mapping[Path, object], after: Mapping[Path, object], cause: Exception | None = None
) -> None:
    changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    if changed:
        raise InputError(
            f"{changed[0]}: was changed or removed while it was read; run it again"
        ) from cause


def _identities(paths: Sequence[Path]) -> dict[Path, tuple[int, ...]]:
    """What tells the files that are there from others of the same names: inode, size and time."""
    identities: dict[Path, tuple[int, ...]] = {}
    for file in _files(paths):
        with suppress(FileNotFoundError):
            status = file.stat()
            told_by = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            identities[file] = told_by
    return identities


def _files(paths: Sequence[Path]) -> list[Path]:
    """The paths that are files or missing (reading raises), then the files in folders; no pipes."""
    inside = [
        file for path in paths if path.is_dir() for file in sorted(path.iterdir()) if file.is_file()
    ]
    return [path for path in paths if path.is_file() or not path.exists()] + inside


def _size_and_time(paths: Sequence[Path]) -> tuple[int, int]:
    statuses = [file.stat() for file in _files(paths)]
    newest = max((status.st_mtime_ns for status in statuses), default=0)
    return sum(status.st_size for status in statuses), newest


def network_files(detect: DetectOptions, lifter: str) -> dict[str, str | Path]:
    """The networks' files by role, as names in the weights manifest or paths.

    A detector's own files are left out: its name and its packages' versions tell them.
    """
    return {"lifter": lifter, **detect.choose().backend.weight_files()}


def weights_report(files: Mapping[str, str | Path]) -> dict[str, WeightsReport]:
    """Files of weights as reports name them; nothing is fetched.

    Args:
        files: Role → name in the weights manifest, or path.

    Raises:
        WeightsError: One is neither a file nor known weights.
    """
    return {role: WeightsReport(*identify(file)) for role, file in files.items()}


def finished(
    folder: Path,
    inputs: Sequence[Path],
    config: Mapping[str, Any],
    defaults: Mapping[str, Any],
    weights: Mapping[str, WeightsReport],
) -> Report | None:
    """The report in a folder of results, if it is whole and made of the same with the same.

    Args:
        folder: Where the results would be.
        inputs: The files and folders that they would be made of.
        config: The configuration's plain values, by option.
        defaults: Those of an unchanged configuration: what an earlier version did where it did not
            know an option yet.
        weights: What `weights_report` gives for the networks.

    Returns:
        None where there is no report, it cannot be read, a file that it names is missing or has
        another size, or anything that results depend on differs.
    """
    try:
        report = read_report(folder)
        if not _is_whole(folder, report) or report.input is None:
            return None
        if comparable({**defaults, **report.config}) != comparable(config):
            return None
        is_same = report.weights == weights and _are_same_files(inputs, report.input)
        return report if is_same else None
    except (OSError, InputError, TypeError, ValueError):
        return None


def _is_whole(folder: Path, report: Report) -> bool:
    sizes = report.files.items()
    return report.status == "done" and all(
        (folder / name).stat().st_size == size for name, size in sizes
    )


def comparable(config: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a configuration's plain values that results depend on, as JSON gives them back.

    Earlier versions knew only whether something is drawn, not what.
    """
    kept = {name: value for name, value in config.items() if name not in NOT_SETTINGS}
    if isinstance(kept.get("render"), bool):
        kept["render"] = RenderOptions(render=kept["render"]).render
    plain: dict[str, Any] = json.loads(json.dumps(kept))
    return plain


def _are_same_files(paths: Sequence[Path], before: InputReport) -> bool:
    """Whether files are those of a fingerprint: their time tells, or else their content."""
    size, mtime_ns = _size_and_time(paths)
    if size != before.size:
        return False
    return mtime_ns == before.mtime_ns or fingerprint(paths).sha256 == before.sha256
