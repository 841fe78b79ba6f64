"""The words of a batch: a job, its progress, its outcome, and the engine that carries jobs out."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pipeline.results.report import Report

Status = Literal["done", "skipped", "failed", "busy"]


@dataclass(frozen=True)
class Job:
    """One video of a batch."""

    source: Path
    """The video, a folder of pictures, or an `Address`."""
    folder: Path
    """Where its results go."""
    wait: bool = False
    """Whether to wait for another run that is at work on it, instead of answering `busy`."""
    views: tuple[Path, ...] = ()
    """The videos that together make the result, where there are several; `source` names them."""

    @property
    def videos(self) -> tuple[Path, ...]:
        """All videos that the result is made of."""
        return self.views or (self.source,)


@dataclass(frozen=True)
class Tick:
    """How far a stage of a job has come."""

    job: Job
    stage: str
    count: int
    """Items that have passed."""
    total: int | None
    """Items that there will be; None where that is unknown."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    job: Job
    status: Status
    """`done` now, `skipped` as it was done before, `failed`, or `busy`: another run is at it."""
    reason: str = ""
    """Why it failed, or what was added to what was done, in one line."""
    seconds: float = 0.0
    """The time it took."""
    frames: int = 0
    """Frames of the video that were worked on."""
    people: int = 0
    """People in the results."""
    warnings: tuple[str, ...] = ()
    """What the clip's report warns of."""
    lacks: tuple[str, ...] = ()
    """The export formats that could not be written."""
    trace: str = ""
    """Where in the program it failed."""
    lasting: bool = False
    """Whether the file is at fault, so that another try is no use until it changes."""


def from_report(job: Job, status: Status, report: Report, seconds: float = 0.0) -> Outcome:
    """What a video's report says, as the outcome of its job."""
    people, warnings = len(report.people), tuple(report.warnings)
    return Outcome(job, status, "", seconds, report.frames, people, warnings)


class Engine(Protocol):
    """Carries out jobs: in this process, in others, or on other machines."""

    def run(
        self, jobs: Sequence[Job], on_tick: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """Carry out jobs; closing the generator stops all work cleanly.

        A job's failure, or the death of the process at work on it, is an outcome and never an
        exception.

        Args:
            jobs: What to do.
            on_tick: Called as jobs progress, in this thread.

        Yields:
            One outcome a job, in the order in which they end; none is `busy`.
        """
