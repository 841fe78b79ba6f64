"""Hand out jobs to workers that may die: the loop that process pools and Ray clusters share.

Neither `concurrent.futures` nor `ray.util.ActorPool` will do: one worker that dies ends the batch.
"""

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from core.errors import one_line
from pipeline.batch.addresses import is_remote
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.results.locks import clear_unfinished
from pipeline.runtime.logs import LOG

TRIES = 2
"""How many workers a clip may cost: memory may have been short because of other clips."""

STOP_WITHIN_S = 5.0
"""How long a worker that is asked to stop may take to clean up."""

STALLED_S = 2 * 3600.0
"""After so long without a message a worker hangs. An hour of many people is lifted in minutes."""


@dataclass(frozen=True)
class Death:
    """The end of a worker that was not asked to stop."""

    job: Job | None
    """What it was at work on; None where it could not even start."""
    reason: str


class Worker(Protocol):
    """Carries out one job at a time: a process, or a Ray actor."""

    job: Job | None
    """What it is at work on."""

    @property
    def is_idle(self) -> bool:
        """Whether it has started and has no job."""

    def give(self, job: Job) -> None:
        """Let an idle worker begin with a job."""

    def receive(self) -> Tick | Outcome | Death | None:
        """Read the worker's next message; None where it says that it has started.

        After an outcome the worker is idle; after a death its process has ended.
        """


W = TypeVar("W", bound=Worker)


class WorkerEngine(ABC, Generic[W]):
    """An `Engine` of workers; a subclass knows how to start, await and stop one.

    A worker that dies at work is replaced, and its job tried again up to `TRIES` times. One that
    cannot start is not replaced.
    """

    def __init__(self, workers: int, output: Path) -> None:
        """Take the number of workers and the batch's output folder."""
        self._workers, self._output = workers, output

    def run(
        self, jobs: Sequence[Job], on_tick: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`."""
        waiting, deaths = deque(jobs), Counter[Path]()
        team: list[W] = []
        try:
            while waiting or any(worker.job for worker in team):
                yield from self._hand_out(waiting, team)
                for worker in self._await(team) if team else []:
                    match worker.receive():
                        case Tick() as tick:
                            on_tick(tick)
                        case Outcome(status="busy", job=job):
                            waiting.append(replace(job, wait=True))
                        case Outcome() as outcome:
                            yield outcome
                        case Death(job, reason):
                            team.remove(worker)
                            if job is None:
                                yield from self._do_without(reason, waiting)
                            else:
                                yield from self._retry_or_fail(job, reason, waiting, deaths)
        finally:
            self._stop(team)

    @abstractmethod
    def _start(self) -> W:
        """Start a worker, without waiting for it."""

    @abstractmethod
    def _await(self, team: Sequence[W]) -> list[W]:
        """Wait until workers have messages, or some time has passed; return those that have."""

    @abstractmethod
    def _stop(self, team: Sequence[W]) -> None:
        """Stop all workers; those at work clean up first, if they do so within `STOP_WITHIN_S`."""

    def _hand_out(self, waiting: deque[Job], team: list[W]) -> Iterator[Outcome]:
        """Give jobs to idle workers, and start new ones where there are jobs for them."""
        at_work = sum(worker.job is not None for worker in team)
        while len(team) < min(self._workers, len(waiting) + at_work):
            try:
                team.append(self._start())
            except OSError as error:  # too many open files, processes, or too little memory
                yield from self._do_without(one_line(error), waiting)
        for worker in team:
            if worker.is_idle and waiting:
                worker.give(waiting.popleft())

    def _do_without(self, reason: str, waiting: deque[Job]) -> Iterator[Outcome]:
        """Go on with one worker less; without any, all that waits has failed."""
        self._workers -= 1
        LOG.warning("a worker could not start, and is done without: %s", reason)
        while self._workers == 0 and waiting:
            job = waiting.popleft()
            yield Outcome(job, "failed", f"{job.source}: no worker could start: {reason}")

    def _retry_or_fail(
        self, job: Job, reason: str, waiting: deque[Job], deaths: Counter[Path]
    ) -> Iterator[Outcome]:
        """Let a dead worker's job wait for another one, until it has cost `TRIES` of them."""
        self._clear(job)
        deaths[job.folder] += 1
        if deaths[job.folder] < TRIES:
            LOG.warning("%s; it is tried again", reason, extra={"clip": job.source})
            waiting.append(job)
        else:
            yield Outcome(job, "failed", f"{reason}, {TRIES} times")

    def _clear(self, job: Job) -> None:
        """Delete what a worker that did not end by itself left of its job."""
        if not is_remote(job):
            clear_unfinished(job.folder, self._output)
