"""The engine of many machines: Ray actors, each with its networks, that take a clip at a time.

Every machine needs this program, the folder in which it was started, and what clips' and results' paths name there.
Not `ray.util.ActorPool`: there, one actor that dies ends the batch.
"""

import faulthandler
import os
import signal
import socket
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import UsageError, one_line
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.batch.workers import STALLED_S, STOP_WITHIN_S, again_or_failed
from pipeline.config import PipelineConfig
from pipeline.runtime.logs import LOG, LogOptions, start_logging

CONNECT_WITHIN_S = 5.0

ROOM_WITHIN_S = 60.0
"""How long no machine may have room for a worker before that is said."""

OBJECT_STORE_BYTES = 100 << 20
"""Jobs and outcomes are small; by itself Ray would set a third of the memory aside."""


class RayEngine:
    """`workers` actors, wherever the cluster has room. One that dies is replaced; the others do not notice.

    `address` is a running cluster's, `HOST:PORT` or `auto`; None starts Ray on this machine. Each worker takes `cpus`
    and `gpus` of its machine. `UsageError` where there is no cluster at the address.
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
        self._ray, self._wanted = _connect(address), workers
        self._each = f"{cpus} cores, {gpus:g} GPUs"
        self._new_actor = self._ray.remote(_Actor).options(
            num_cpus=cpus, num_gpus=gpus, max_concurrency=2
        )
        self._output, self._of_actors = config.output, (config, log, cpus, Path.cwd())

    def run(
        self, jobs: Sequence[Job], tell: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`. How far clips have come is not told: with a hundred workers nobody could read it."""
        waiting, deaths = deque(jobs), Counter[Path]()
        team: list[_Worker] = []
        try:
            while waiting or any(worker.job for worker in team):
                self._hand_out(waiting, team)
                for worker in self._heard(team):
                    job, answer = worker.hear()
                    match answer:
                        case Outcome(status="busy", job=job):
                            waiting.append(replace(job, wait=True))
                        case Outcome() as outcome:
                            yield outcome
                        case Exception() as error:
                            team.remove(worker)
                            yield from self._without(worker, job, error, waiting, deaths)
        except SystemExit as error:
            raise SystemExit(
                128 + signal.SIGTERM
            ) from error  # of our handler; Ray loses its status
        finally:
            self._stop(team)
            self._ray.shutdown()

    def _hand_out(self, waiting: deque[Job], team: list["_Worker"]) -> None:
        """A job for everyone who has started and has none, new workers where there is need of them."""
        while len(team) < min(
            self._wanted, len(waiting) + sum(worker.job is not None for worker in team)
        ):
            team.append(_Worker(self._ray, self._new_actor.remote(*self._of_actors)))
        for worker in team:
            if worker.is_idle and waiting:
                worker.give(waiting.popleft())

    def _heard(self, team: Sequence["_Worker"]) -> list["_Worker"]:
        """Wait for the workers that have something to say."""
        awaited = {worker.answer: worker for worker in team if worker.answer is not None}
        ready, _ = self._ray.wait(list(awaited), timeout=ROOM_WITHIN_S)
        if not ready and not any(worker.place for worker in team):
            LOG.warning(
                "no machine of the cluster has had room for a worker yet: each takes %s", self._each
            )
        return [awaited[answer] for answer in ready]

    def _without(
        self,
        worker: "_Worker",
        job: Job | None,
        error: Exception,
        waiting: deque[Job],
        deaths: Counter[Path],
    ) -> Generator[Outcome, None, None]:
        """Go on after a worker's death: its job is for another. One that could not even start is not replaced."""
        self._ray.kill(worker.actor)  # it may only be out of reach, and would hold its clip's lock
        why = str(error).strip().rpartition("\n")[2].partition(" Some common causes")[0]
        if job is None:
            self._wanted -= 1
            LOG.warning("a worker could not start, and is done without: %s", why)
            while self._wanted == 0 and waiting:
                lost = waiting.popleft()
                yield Outcome(lost, "failed", f"{lost.source}: no worker could start: {why}")
            return
        reason = f"{job.source}: the worker at work on it ({worker.place}) died: {why}"
        yield from again_or_failed(job, reason, waiting, deaths, self._output)

    def _stop(self, team: Sequence["_Worker"]) -> None:
        """End all: those at work after they have cleaned up, if they do so soon."""
        at_work = [worker for worker in team if worker.job is not None]
        for worker in at_work:
            worker.actor.stop.remote()
        if at_work:
            answers = [worker.answer for worker in at_work]
            self._ray.wait(answers, num_returns=len(answers), timeout=STOP_WITHIN_S)
        for worker in team:
            self._ray.kill(worker.actor)


class _Worker:
    """An actor, seen from here: starting, idle, or at work on `job`."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self.actor, self.place = actor, ""
        self._ray = ray
        self.job: Job | None = None
        self.answer: Any = actor.place.remote()
        """What it has been asked last and is to answer, if anything."""

    @property
    def is_idle(self) -> bool:
        return self.answer is None

    def give(self, job: Job) -> None:
        LOG.info("%s: goes to %s", job.source, self.place, extra={"clip": job.source})
        self.job, self.answer = job, self.actor.do.remote(job)

    def hear(self) -> tuple[Job | None, Outcome | Exception | None]:
        """The job it had, if any, and its outcome, or how it died."""
        job, answer = self.job, self.answer
        self.job = self.answer = None
        try:
            said = self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            return job, error
        if isinstance(said, Outcome):
            return job, said
        self.place = said
        return job, None


class _Actor:
    """Does clips in a process of its own, on whichever machine Ray puts it."""

    def __init__(self, config: PipelineConfig, log: LogOptions, threads: int, folder: Path) -> None:
        try:
            os.chdir(folder)  # where relative paths count from
        except OSError as error:
            raise UsageError(f"{folder}: {error.strerror} on {socket.gethostname()}") from error
        start_logging(log)
        from pipeline.batch.clip import ClipWorker

        self._worker = ClipWorker(config, threads)
        self._is_stopping = False

    def place(self) -> str:
        return f"process {os.getpid()} on {socket.gethostname()}"

    def do(self, job: Job) -> Outcome:
        try:
            self._tell(None)
            return self._worker.do(job, self._tell)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def stop(self) -> None:
        """Called while `do` runs in another thread, which ends with its next frame."""
        self._is_stopping = True

    def _tell(self, tick: Tick | None) -> None:
        if self._is_stopping:
            raise SystemExit(0)  # to Ray, an end as it should be
        # whoever says nothing for so long hangs, and ends; each call begins anew
        faulthandler.dump_traceback_later(STALLED_S, exit=True, file=sys.stderr)


def _connect(address: str | None) -> Any:
    """The module `ray`, connected; nothing of its own listens beyond this machine."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault(
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0"
        )  # Ray's way to say 127.0.0.1, on Linux too
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
    """Ray tries an address where nobody listens for minutes, and then ends the process."""
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
