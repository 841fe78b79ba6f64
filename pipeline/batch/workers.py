"""The engines of one machine: this process, or a pool of processes that divide its cores."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Event
from typing import Any

from core.errors import Video3DError, shortage
from core.limits import usable_cores
from pipeline.batch.addresses import is_remote
from pipeline.batch.dispatch import STALLED_S, STOP_WITHIN_S, Death, WorkerEngine
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.config import PipelineConfig
from pipeline.media.clip import look_ahead
from pipeline.runtime.address_space import check_address_space
from pipeline.runtime.logs import LOG, LogOptions, start_logging
from pipeline.runtime.progress import Tell, told_progress
from pipeline.runtime.signals import end_on_sigterm

_CHECK_STALLED_EVERY_S = 60
_CHECK_EVERY_S = 0.2

_SPAWN = multiprocessing.get_context("spawn")  # torch's and OpenCV's threads do not survive a fork


class InProcess:
    """The engine for a single clip: no process to start, and Ctrl-C ends it where it is."""

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config

    def run(
        self, jobs: Sequence[Job], on_tick: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`."""
        with ThreadPoolExecutor(1) as ahead:  # ffmpeg looks at the clip while libraries are loaded
            ahead.map(look_ahead, [job.source for job in jobs if not is_remote(job)])
            from pipeline.batch.clip import ClipWorker

            worker = ClipWorker(self._config)
            worker.load_lifter()
        with closing(worker):
            for job in jobs:
                yield worker.do(replace(job, wait=True), on_tick)


class Pool(WorkerEngine["WorkerProcess"]):
    """The engine of one machine: processes, each with its networks and a share of the cores.

    Args:
        config: How clips are worked on.
        workers: How many processes.
        log: How they log.
        check: Called several times a second where it is given; what it raises ends all work.
        spares: Processes that were started beforehand, for as many threads; they are used up.
    """

    def __init__(
        self,
        config: PipelineConfig,
        workers: int,
        log: LogOptions,
        check: Callable[[], None] | None = None,
        spares: list["WorkerProcess"] | None = None,
    ) -> None:
        super().__init__(workers, config.output)
        self._config, self._log, self._check, self._spares = config, log, check, spares
        self._threads = max(1, usable_cores() // workers)

    def _start(self) -> "WorkerProcess":
        process = self._spares.pop() if self._spares else WorkerProcess(self._threads, self._log)
        process.begin(self._config)
        return process

    def _await(self, team: Sequence["WorkerProcess"]) -> list["WorkerProcess"]:
        at_work = {worker.connection: worker for worker in team if worker.job is not None}
        if self._check is not None:
            self._check()
        every = _CHECK_STALLED_EVERY_S if self._check is None else _CHECK_EVERY_S
        ready = wait(list(at_work), timeout=every)
        for worker in at_work.values():
            worker.kill_if_stalled()
        return [worker for connection, worker in at_work.items() if connection in ready]

    def _stop(self, team: Sequence["WorkerProcess"]) -> None:
        for worker in team:
            worker.stop()
            if worker.job is not None:
                self._clear(worker.job)


class WorkerProcess:
    """A worker process, seen from the parent; see `Worker`. It loads libraries until `begin`.

    Args:
        threads: How many each library may use.
        log: How it logs.
    """

    def __init__(self, threads: int, log: LogOptions) -> None:
        self.job: Job | None = None
        self.connection, theirs = _SPAWN.Pipe()
        self._last_message_s = time.monotonic()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, threads, log), daemon=True)
        # numpy's and torch's libraries read it when they are loaded
        with _environment(OMP_NUM_THREADS=str(threads)):
            self._process.start()
        theirs.close()  # so that the pipe ends with the process

    @property
    def is_idle(self) -> bool:
        """See `Worker`."""
        return self.job is None

    def begin(self, config: PipelineConfig) -> None:
        """Say how clips are worked on, before the first one."""
        with suppress(OSError):  # where it died, `receive` says so
            self.connection.send(config)

    def give(self, job: Job) -> None:
        """See `Worker`."""
        self.job, self._last_message_s = job, time.monotonic()
        with suppress(OSError):  # where it died idle, `receive` says so
            self.connection.send(job)

    def receive(self) -> Tick | Outcome | Death:
        """See `Worker`."""
        assert self.job is not None
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            how = self._how_it_ended()
            return Death(self.job, f"{self.job.source}: the process at work on it {how}")
        self._last_message_s = time.monotonic()
        if isinstance(message, Outcome):
            self.job = None
        assert isinstance(message, Tick | Outcome)
        return message

    def kill_if_stalled(self) -> None:
        """Kill it where it has said nothing for `STALLED_S`."""
        if time.monotonic() - self._last_message_s > STALLED_S:
            self._process.kill()

    def stop(self) -> None:
        """End it: at once where it is idle, else after it has cleaned up."""
        self.connection.close()
        if self.job is not None:
            self._process.terminate()
        self._process.join(STOP_WITHIN_S)
        self._process.kill()
        self._process.join()

    def _how_it_ended(self) -> str:
        self._process.join(STOP_WITHIN_S)
        code = self._process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return f"was killed ({name}; is memory short? fewer --workers need less)"
        return f"ended with status {code}"


def new_event() -> Event:
    """An event that can be among the arguments of `in_process`."""
    return _SPAWN.Event()


def in_process(
    work: Callable[..., object],
    arguments: tuple[Any, ...],
    check: Callable[[], None],
    tell: Tell,
) -> None:
    """Call a function in a process of its own.

    Args:
        work: A module's function, whose last argument is a `StageProgress`.
        arguments: The others.
        check: Called several times a second; what it raises ends the process.
        tell: Is told what the function counts.

    Raises:
        Video3DError: The function raised it, or the process died.
    """
    connection, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_call, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        while isinstance(said := _next_said(connection, check), tuple):
            tell(*said)
    except (EOFError, OSError) as error:
        raise Video3DError(f"the process of {work.__name__} died") from error
    finally:
        process.terminate()
        process.join(STOP_WITHIN_S)
        process.kill()
        process.join()
        connection.close()
    if said is not None:
        raise Video3DError(said)


def _next_said(connection: Connection, check: Callable[[], None]) -> Any:
    """What a process says next: a count, what went wrong, or None at its end."""
    while not wait([connection], timeout=_CHECK_EVERY_S):
        check()
    check()
    return connection.recv()


def _call(connection: Connection, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Run `in_process`'s process: send what went wrong, None for nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_on_sigterm()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work(*arguments, told_progress(lambda *said: connection.send(said)))
    except Exception as error:
        if not isinstance(error, Video3DError) and shortage(error) is None:
            connection.send(f"a fault of this program, {type(error).__name__}: {error}")
            raise
        connection.send(shortage(error) or str(error))
    else:
        connection.send(None)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Set variables for processes started in the block, unless the user has set them."""
    ours = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def _serve(connection: Connection, threads: int, log: LogOptions) -> None:
    """Run the worker process: receive the configuration, then jobs, until the pipe closes."""
    # a terminal sends Ctrl-C to all processes; what becomes of the workers is the parent's choice
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_on_sigterm()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    start_logging(log)
    try:
        check_address_space()
        from pipeline.batch.clip import ClipWorker
        from pipeline.media.opencv import mute_opencv

        mute_opencv()
        worker = ClipWorker(connection.recv(), threads)
    except EOFError:  # it was not needed
        return
    except Exception as error:
        if (text := shortage(error)) is None:
            raise
        LOG.error("a worker cannot start: %s", text)
        sys.exit(1)
    with suppress(EOFError, ConnectionError), closing(worker):
        while True:
            connection.send(worker.do(connection.recv(), connection.send))


def _end_with_parent() -> None:
    """End when the parent is killed, which then stops no worker: orphans would keep their locks."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
