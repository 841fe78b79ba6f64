"""What became of each clip: `batch_report.json` and `.csv`, and a table for people."""

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import OutputError
from core.files import remove_partial, written_whole
from pipeline.batch.addresses import Address
from pipeline.batch.jobs import Job, Outcome
from pipeline.results.locks import locked
from pipeline.results.staging import read_json
from pipeline.runtime.logs import printable

COLUMNS = ("clip", "status", "reason", "seconds", "frames", "people", "warnings", "folder")
WRITE_EVERY_S = 10.0
RETRY_EVERY_S = 0.02
"""How often to try to write while another run is writing its own report."""


@dataclass
class BatchReport:
    """Collects outcomes, and writes them every few seconds, so that a killed batch has a report."""

    stem: Path
    """The files' path without ending; may be an `Address`."""
    run_id: str
    """Marks the log lines of this run."""
    way: dict[str, Any]
    """What all results are made with: settings and weights, as JSON gives them back."""
    total: int
    """How many outcomes there will be."""
    outcomes: list[Outcome] = field(default_factory=list)
    """Those added so far."""
    _started: float = field(default_factory=time.monotonic)
    _written: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Add an outcome, and write the files if the last time was long ago.

        Raises:
            OutputError: The files cannot be written.
        """
        self.outcomes.append(outcome)
        if time.monotonic() - self._written > WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Write both files; each is whole at every moment.

        Raises:
            OutputError: The files cannot be written.
        """
        rows = [
            _row(outcome)
            for outcome in sorted(self.outcomes, key=lambda outcome: outcome.job.source)
        ]
        content = {
            "run": self.run_id,
            "way": self.way,
            "clips_total": self.total,
            **self._counts(),
            "seconds": round(time.monotonic() - self._started, 1),
            "clips": rows,
        }
        table = io.StringIO()
        lines = csv.DictWriter(table, COLUMNS)
        lines.writeheader()
        for row in rows:
            reason = row["reason"].removeprefix(f"{row['clip']}: ")
            lines.writerow(
                {name: printable(row[name]) for name in COLUMNS} | {"reason": printable(reason)}
            )
        _replace(self._path(".json"), json.dumps(content, indent=1) + "\n")
        _replace(self._path(".csv"), table.getvalue())
        self._written = time.monotonic()

    def failed_before(self, jobs: Sequence[Job]) -> dict[Job, str]:
        """Find the jobs that would fail again, by the report that a former batch left.

        Args:
            jobs: What this batch is to do.

        Returns:
            Those whose files were at fault when last tried with the same settings and weights, and
            have not changed since, each with its reason.
        """
        try:
            report = read_json(self._path(".json"))
            rows = (
                {row["clip"]: row for row in report["clips"] if row["file"]}
                if report["way"] == self.way
                else {}
            )
            again = [
                job
                for job in jobs
                if rows.get(str(job.source), {"file": 0})["file"] == _stamp(job.source)
            ]
            return {job: str(rows[str(job.source)]["reason"]) for job in again}
        except (OSError, LookupError, TypeError, AttributeError, ValueError, RecursionError):
            return {}

    def table(self) -> str:
        """Return a line for each status: clips, frames, people, seconds."""
        lines = [f"{'':8}{'clips':>8}{'frames':>10}{'people':>8}{'seconds':>10}"]
        for status, count in self._counts().items():
            these = [outcome for outcome in self.outcomes if outcome.status == status]
            frames = sum(outcome.frames for outcome in these)
            people = sum(outcome.people for outcome in these)
            seconds = sum(outcome.seconds for outcome in these)
            lines.append(f"{status:8}{count:>8}{frames:>10}{people:>8}{seconds:>10.1f}")
        return "\n".join(lines)

    def _path(self, ending: str) -> Path:
        return self.stem.with_name(self.stem.name + ending)

    def _counts(self) -> dict[str, int]:
        counts = Counter(outcome.status for outcome in self.outcomes)
        return {status: counts[status] for status in ("done", "skipped", "failed")}


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "clip": str(outcome.job.source),
        "status": outcome.status,
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 2),
        "frames": outcome.frames,
        "people": outcome.people,
        "warnings": "; ".join(outcome.warnings),
        "folder": str(outcome.job.folder),
        "file": _stamp(outcome.job.source) if outcome.lasting else None,
    }


def _stamp(path: Path) -> list[int] | None:
    """Return what changes with each change of a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _replace(path: Path, text: str) -> None:
    """Write a file whole, one run at a time."""
    try:
        if isinstance(path, Address):
            path.write_bytes(text.encode())
            return
        while not _try_to_replace(path, text):
            time.sleep(RETRY_EVERY_S)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


def _try_to_replace(path: Path, text: str) -> bool:
    """Write a file whole, unless another run is writing it."""
    with locked(path) as is_ours:
        if is_ours:
            remove_partial(path)
            with written_whole(path) as partial:
                partial.write_text(text, "utf-8", newline="")
        return is_ours
