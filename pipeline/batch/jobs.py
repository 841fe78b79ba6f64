"""The words of a batch: a job, how far it has come, how it ended, and who carries jobs out."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Status = Literal["done", "skipped", "failed", "busy"]


@dataclass(frozen=True)
class Job:
    """One video and the folder its results go to; `wait` to wait for another run that works on it."""

    source: Path
    folder: Path
    wait: bool = False


@dataclass(frozen=True)
class Tick:
    """How far the stage of a job has come; `total` None where nobody knows."""

    job: Job
    stage: str
    count: int
    total: int | None


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    `done` now, `skipped` because it was done before, `failed` for `reason`, or `busy`: another run is at it. `seconds`
    is the time it took, `frames` and `people` what was found; `trace` where it failed, for whoever mends this program;
    `lasting` says that the file is at fault, so that trying it again is no use.
    """

    job: Job
    status: Status
    reason: str = ""
    seconds: float = 0.0
    frames: int = 0
    people: int = 0
    warnings: tuple[str, ...] = ()
    trace: str = ""
    lasting: bool = False


def from_report(job: Job, status: Status, report: dict[str, Any], seconds: float = 0.0) -> Outcome:
    """What a video's report says, as the outcome of its job."""
    return Outcome(
        job, status, "", seconds, report["frames"], len(report["people"]), tuple(report["warnings"])
    )


class Engine(Protocol):
    """Carries out jobs, wherever: in this process, in others, on other machines."""

    def run(
        self, jobs: Sequence[Job], tell: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """One outcome a job, as they come, never `busy`; closing the iterator stops all work cleanly.

        A job's failure, or the death of who worked on it, is an outcome and never an exception.
        """
