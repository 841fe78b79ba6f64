"""The engine of many machines: Ray actors, each with its networks, that take a clip at a time.

Every machine needs this program, the folder in which it was started, and the paths of clips and
results under the same names.
"""

import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from core.errors import UsageError, one_line
from pipeline.batch.dispatch import STALLED_S, STOP_WITHIN_S, Death, WorkerEngine
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.config import PipelineConfig
from pipeline.runtime.logs import LOG, LogOptions, start_logging

CONNECT_WITHIN_S = 5.0

ROOM_WITHIN_S = 60.0
"""How long no machine may have room for a worker before a warning says so."""

OBJECT_STORE_BYTES = 100 << 20
"""Jobs and outcomes are small; by itself Ray would set a third of the memory aside."""


class RayEngine(WorkerEngine["_RayWorker"]):
    """The engine of a Ray cluster: actors, wherever a machine has room for one.

    Args:
        config: How clips are worked on.
        log: How actors log.
        address: A running cluster's, `HOST:PORT` or `auto`; None starts Ray on this machine.
        workers: How many actors at most.
        cpus: Cores of its machine that an actor takes.
        gpus: GPUs of its machine that an actor takes.

    Raises:
        UsageError: There is no cluster at the address.
    """

    def __init__(
        self,
        config: PipelineConfig,
        log: LogOptions,
        address: str | None,
        workers: int,
        cpus: int,
        gpus: float,
    ) -> None:
        super().__init__(workers, config.output)
        self._ray = _connect(address)
        self._each = f"{cpus} cores, {gpus:g} GPUs"
        self._new_actor = self._ray.remote(_Actor).options(
            num_cpus=cpus, num_gpus=gpus, max_concurrency=2
        )
        self._actor_arguments = config, log, cpus, Path.cwd()

    def run(
        self, jobs: Sequence[Job], on_tick: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`; `on_tick` is not called, as a hundred bars could not be read."""
        try:
            yield from super().run(jobs, on_tick)
        except SystemExit as error:  # of our handler; Ray loses its status
            raise SystemExit(128 + signal.SIGTERM) from error
        finally:
            self._ray.shutdown()

    def _start(self) -> "_RayWorker":
        return _RayWorker(self._ray, self._new_actor.remote(*self._actor_arguments))

    def _await(self, team: Sequence["_RayWorker"]) -> list["_RayWorker"]:
        awaited = {worker.answer: worker for worker in team if worker.answer is not None}
        ready, _ = self._ray.wait(list(awaited), timeout=ROOM_WITHIN_S)
        if not ready and not any(worker.host for worker in team):
            LOG.warning(
                "no machine of the cluster has had room for a worker yet: each takes %s", self._each
            )
        return [awaited[answer] for answer in ready]

    def _stop(self, team: Sequence["_RayWorker"]) -> None:
        at_work = [worker for worker in team if worker.job is not None]
        for worker in at_work:
            worker.actor.stop.remote()
        if at_work:
            answers = [worker.answer for worker in at_work]
            self._ray.wait(answers, num_returns=len(answers), timeout=STOP_WITHIN_S)
        for worker in team:
            self._ray.kill(worker.actor)


class _RayWorker:
    """An actor, seen from here: starting, idle, or at work on `job`; see `Worker`."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self.actor, self.host = actor, ""
        self._ray = ray
        self.job: Job | None = None
        self.answer: Any = actor.host.remote()
        """The answer to what it has been asked last, if that is outstanding."""

    @property
    def is_idle(self) -> bool:
        return self.answer is None

    def give(self, job: Job) -> None:
        LOG.info("%s: goes to %s", job.source, self.host, extra={"clip": job.source})
        self.job, self.answer = job, self.actor.do.remote(job)

    def receive(self) -> Outcome | Death | None:
        job, answer = self.job, self.answer
        self.job = self.answer = None
        try:
            received = self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            self._ray.kill(self.actor)  # it may only be out of reach, and would keep its lock
            why = str(error).strip().rpartition("\n")[2].partition(" Some common causes")[0]
            if job is None:
                return Death(None, why)
            return Death(job, f"{job.source}: the worker at work on it ({self.host}) died: {why}")
        if isinstance(received, Outcome):
            return received
        self.host = received
        return None


class _Actor:
    """Does clips in a process of its own, on a machine that Ray chooses."""

    def __init__(self, config: PipelineConfig, log: LogOptions, threads: int, folder: Path) -> None:
        try:
            os.chdir(folder)  # where relative paths start
        except OSError as error:
            raise UsageError(f"{folder}: {error.strerror} on {socket.gethostname()}") from error
        start_logging(log)
        from pipeline.batch.clip import ClipWorker
        from pipeline.media.opencv import mute_opencv

        mute_opencv()
        self._worker = ClipWorker(config, threads)
        self._is_stopping = False

    def host(self) -> str:
        return f"process {os.getpid()} on {socket.gethostname()}"

    def do(self, job: Job) -> Outcome:
        try:
            self._on_tick(None)
            return self._worker.do(job, self._on_tick)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def stop(self) -> None:
        """Called while `do` runs in another thread, which ends with its next frame."""
        self._is_stopping = True

    def _on_tick(self, tick: Tick | None) -> None:
        if self._is_stopping:
            raise SystemExit(0)  # to Ray, an end as it should be
        # an actor that hangs ends itself; each call starts the time anew
        faulthandler.dump_traceback_later(STALLED_S, exit=True, file=sys.stderr)


def _connect(address: str | None) -> Any:
    """Return the module `ray`, connected; nothing of its own listens beyond this machine."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Ray's way to say 127.0.0.1, on Linux too
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        options = {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            **quiet,
        }
    else:
        _require_listener(address)
        options = {"address": address, **quiet}
    import ray

    ours = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"--ray-address {address}: {one_line(error)}") from error
    finally:
        signal.signal(signal.SIGTERM, ours)  # Ray sets one that ends with another status
    return ray


def _require_listener(address: str) -> None:
    """Refuse an address where nothing listens: Ray tries for minutes, and then ends the process."""
    host, _, port = address.rpartition(":")
    if not host:  # auto
        return
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), CONNECT_WITHIN_S)):
            pass
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(
            f"--ray-address {address}: no Ray there ({error}); `ray start --head` starts one"
        ) from error
