"""The engine of one machine: worker processes, each with its networks and its share of the cores.

Not `concurrent.futures`: there, one worker that is killed takes the whole pool with it.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from pipeline.batch.addresses import is_far
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.batch.locks import tidy
from pipeline.config import PipelineConfig
from pipeline.runtime.logs import LOG, LogOptions, start_logging
from pipeline.runtime.signals import end_on_sigterm

TRIES = 2
"""A clip whose worker dies is given to another once: memory may have been short because of others."""

STOP_WITHIN_S = 5.0
STALLED_S = 2 * 3600.0
"""Who has said nothing for so long hangs. Lifting an hour of many people takes minutes without a word."""

_SPAWN = multiprocessing.get_context("spawn")  # torch's and OpenCV's threads do not survive a fork


class InProcess:
    """The engine for a single clip: no process to start, Ctrl-C where one expects it."""

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config

    def run(
        self, jobs: Sequence[Job], tell: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`."""
        from pipeline.batch.clip import ClipWorker

        worker = ClipWorker(self._config)
        for job in jobs:
            yield worker.do(replace(job, wait=True), tell)


class Pool:
    """`workers` processes that each take a clip at a time. One that dies is replaced; the others do not notice."""

    def __init__(self, config: PipelineConfig, workers: int, log: LogOptions) -> None:
        self._config, self._workers, self._log = config, workers, log

    def run(
        self, jobs: Sequence[Job], tell: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`."""
        waiting, deaths = deque(jobs), Counter[Path]()
        team: list[_Worker] = []
        try:
            while waiting or any(worker.job for worker in team):
                self._hand_out(waiting, team)
                for worker in _heard(team):
                    match worker.hear():
                        case Tick() as tick:
                            tell(tick)
                        case Outcome(status="busy", job=job):
                            waiting.append(replace(job, wait=True))
                        case Outcome() as outcome:
                            yield outcome
                        case Job() as job:
                            team.remove(worker)
                            reason = (
                                f"{job.source}: the process at work on it {worker.how_it_ended()}"
                            )
                            yield from again_or_failed(
                                job, reason, waiting, deaths, self._config.output
                            )
        finally:
            for worker in team:
                worker.stop()
                if worker.job is not None:
                    clear_after(worker.job, self._config.output)

    def _hand_out(self, waiting: deque[Job], team: list["_Worker"]) -> None:
        """A job for everyone who has none, new workers where there is need of them."""
        while len(team) < min(
            self._workers, len(waiting) + sum(worker.job is not None for worker in team)
        ):
            team.append(_Worker(self._config, max(1, usable_cores() // self._workers), self._log))
        for worker in team:
            if worker.job is None and waiting:
                worker.give(waiting.popleft())


def clear_after(job: Job, output: Path) -> None:
    """Clear away what a worker that did not end by itself left of its job."""
    if not is_far(job):
        tidy(job.folder, output)


def again_or_failed(
    job: Job, reason: str, waiting: deque[Job], deaths: Counter[Path], output: Path
) -> Iterator[Outcome]:
    """What becomes of a job whose worker died: it waits for another one, until it has cost `TRIES` of them."""
    clear_after(job, output)
    deaths[job.folder] += 1
    if deaths[job.folder] < TRIES:
        LOG.warning("%s; it is tried again", reason, extra={"clip": job.source})
        waiting.append(job)
    else:
        yield Outcome(job, "failed", f"{reason}, {TRIES} times")


class _Worker:
    """A worker process, seen from the parent."""

    def __init__(self, config: PipelineConfig, threads: int, log: LogOptions) -> None:
        self.job: Job | None = None
        self.connection, theirs = _SPAWN.Pipe()
        self._heard_s = time.monotonic()
        self._process = _SPAWN.Process(
            target=_serve, args=(theirs, config, threads, log), daemon=True
        )
        with _environment(
            OMP_NUM_THREADS=str(threads)
        ):  # numpy's and torch's libraries look there when they load
            self._process.start()
        theirs.close()  # so that the pipe ends with the process

    def give(self, job: Job) -> None:
        self.job, self._heard_s = job, time.monotonic()
        with suppress(OSError):  # it died idle: hearing from it will say so
            self.connection.send(job)

    def hear(self) -> Tick | Outcome | Job:
        """Its next message; if it has died, the job it had."""
        assert self.job is not None
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            return self.job
        self._heard_s = time.monotonic()
        if isinstance(message, Outcome):
            self.job = None
        assert isinstance(message, Tick | Outcome)
        return message

    def kill_if_stalled(self) -> None:
        if time.monotonic() - self._heard_s > STALLED_S:
            self._process.kill()

    def how_it_ended(self) -> str:
        self._process.join(STOP_WITHIN_S)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was killed ({signal.Signals(-code).name}; is memory short? fewer --workers need less)"
        return f"ended with status {code}"

    def stop(self) -> None:
        """End it: at once where it is idle, else after it has cleaned up."""
        self.connection.close()
        if self.job is not None:
            self._process.terminate()
        self._process.join(STOP_WITHIN_S)
        self._process.kill()
        self._process.join()


def _heard(team: Sequence[_Worker]) -> list[_Worker]:
    """Wait for the workers that have something to say."""
    at_work = {worker.connection: worker for worker in team if worker.job is not None}
    ready = wait(list(at_work), timeout=60)
    for worker in at_work.values():
        worker.kill_if_stalled()
    return [worker for connection, worker in at_work.items() if connection in ready]


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Variables for processes started meanwhile, unless the user has set them."""
    ours = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def _serve(connection: Connection, config: PipelineConfig, threads: int, log: LogOptions) -> None:
    """The worker process: jobs in, ticks and outcomes out, until the pipe closes."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches everyone at the terminal; the parent decides
    end_on_sigterm()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    start_logging(log)
    from pipeline.batch.clip import ClipWorker

    worker = ClipWorker(config, threads)
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send(worker.do(connection.recv(), connection.send))


def _end_with_parent() -> None:
    """A killed parent cannot stop anybody; its locks must not stay with orphans."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
