"""What became of every clip: `batch_report.json` and `.csv`, and a table to read."""

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
from pipeline.batch.addresses import Address
from pipeline.batch.jobs import Job, Outcome
from pipeline.batch.locks import locked
from pipeline.results.resume import read_json
from pipeline.runtime.logs import printable

COLUMNS = ("clip", "status", "reason", "seconds", "frames", "people", "warnings", "folder")
WRITE_EVERY_S = 10.0
LOOK_AGAIN_S = 0.02


@dataclass
class BatchReport:
    """Outcomes as they come; the files follow every few seconds, so that a killed batch leaves them too.

    `stem` is the files' path without ending; `way` what all results were made with; `total` how many outcomes there
    will be.
    """

    stem: Path
    run_id: str
    way: dict[str, Any]
    total: int
    outcomes: list[Outcome] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    _written: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Note an outcome."""
        self.outcomes.append(outcome)
        if time.monotonic() - self._written > WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Bring the files up to date, each whole at every moment. `OutputError` where they cannot be written."""
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
        """Why those of `jobs` failed whose files were at fault when last tried the same way, and are unchanged."""
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
        """A line for each way in which clips ended, and what they held."""
        lines = [f"{'':8}{'clips':>8}{'frames':>10}{'people':>8}{'seconds':>10}"]
        for status, count in self._counts().items():
            of = [outcome for outcome in self.outcomes if outcome.status == status]
            frames, people = (
                sum(outcome.frames for outcome in of),
                sum(outcome.people for outcome in of),
            )
            lines.append(
                f"{status:8}{count:>8}{frames:>10}{people:>8}{sum(o.seconds for o in of):>10.1f}"
            )
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
    """What changes whenever somebody touches a file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _replace(path: Path, text: str) -> None:
    try:
        if isinstance(path, Address):
            path.write_bytes(text.encode())
            return
        while not _replaced(path, text):  # another run is writing its own
            time.sleep(LOOK_AGAIN_S)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


def _replaced(path: Path, text: str) -> bool:
    partial = path.with_name(f".{path.name}.partial")
    with locked(path) as mine:
        if mine:
            try:
                partial.write_text(text, "utf-8", newline="")
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        return mine
