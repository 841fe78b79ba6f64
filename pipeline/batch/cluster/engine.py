"""The engine of many machines: Ray actors, each with its networks, that take a clip at a time.

Every machine needs Ray, and the paths of clips and results under the same names; the program comes
from this machine (`shipping.py`). Where paths are relative, the folder in which the batch was
started must be there too.
"""

import faulthandler
import os
import re
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from core.errors import UsageError, one_line
from pipeline.batch.addresses import is_remote
from pipeline.batch.cluster.shipping import runtime_env
from pipeline.batch.dispatch import STALLED_S, STOP_WITHIN_S, Death, WorkerEngine
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.batch.options import BatchOptions
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
        options: The cluster's address, or None for Ray on this machine; what its machines get from
            here; how many actors there are at most, and what each takes of its machine.

    Raises:
        UsageError: There is no cluster at the address, or nothing can be sent to it.
    """

    def __init__(self, config: PipelineConfig, log: LogOptions, options: BatchOptions) -> None:
        super().__init__(options.workers, config.output)
        shipped = options.ray_ship if options.ray_address is not None else "nothing"
        with runtime_env(shipped, config) as environment:
            self._ray = _connect(options.ray_address, environment)
        self._room = _Room(self._ray, options.ray_cpus_per_worker, options.ray_gpus_per_worker)
        if options.ray_address is None and (lacking := self._room.lacking()):
            self._ray.shutdown()
            raise UsageError(f"Ray on this machine: {lacking}; `ray_address` names a cluster")
        self._new_actor = self._ray.remote(_Actor)
        self._share = {
            "num_cpus": options.ray_cpus_per_worker,
            "num_gpus": options.ray_gpus_per_worker,
            "max_concurrency": 2,
        }
        self._config, self._log, self._threads = config, log, options.ray_cpus_per_worker
        self._folder: Path | None = None
        self._unfit: dict[str, str] = {}
        """The machines that could not start a worker: Ray's id → address; "" is an unknown one."""

    def run(
        self, jobs: Sequence[Job], on_tick: Callable[[Tick], None]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`; `on_tick` is not called, as a hundred bars could not be read."""
        if _has_relative_paths(self._config, jobs):
            self._folder = Path.cwd()
        try:
            yield from super().run(jobs, on_tick)
        except SystemExit as error:  # of our handler; Ray loses its status
            raise SystemExit(128 + signal.SIGTERM) from error
        finally:
            self._ray.shutdown()

    def _start(self) -> "_RayWorker":
        arguments = self._config, self._log, self._threads, self._folder
        elsewhere: dict[str, Any] = {}
        if self._unfit and self._room.is_there_one_besides(self._unfit):
            from ray.util.scheduling_strategies import NodeLabelSchedulingStrategy, NotIn

            labels = {"ray.io/node-id": NotIn(*self._unfit)}
            elsewhere = {"scheduling_strategy": NodeLabelSchedulingStrategy(hard=labels)}
        actor = self._new_actor.options(**self._share, **elsewhere).remote(*arguments)
        return _RayWorker(self._ray, actor, self._unfit)

    def _await(self, team: Sequence["_RayWorker"]) -> list["_RayWorker"]:
        awaited = {worker.answer: worker for worker in team if worker.answer is not None}
        ready, _ = self._ray.wait(list(awaited), timeout=ROOM_WITHIN_S)
        if not ready and not any(worker.host for worker in team):
            LOG.warning("no worker has started yet: %s", self._room.why_none_started())
        return [awaited[answer] for answer in ready]

    def _do_without(self, reason: str, waiting: deque[Job]) -> Iterator[Outcome]:
        """Go on with other machines where there are any."""
        is_known = self._unfit.pop("", None) is None
        if is_known and self._room.is_there_one_besides(self._unfit):
            LOG.warning("a worker could not start, and other machines are used: %s", reason)
        else:
            yield from super()._do_without(reason, waiting)

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
    """An actor, seen from here: starting, idle, or at work on `job`; see `Worker`.

    Args:
        ray: The module, connected.
        actor: The handle of an `_Actor`.
        unfit: Where its machine is entered if it cannot start there: Ray's id → address.
    """

    def __init__(self, ray: Any, actor: Any, unfit: dict[str, str]) -> None:
        self.actor, self.host = actor, ""
        self._unfit = unfit
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
                return Death(None, self._enter_unfit(why_not_started(str(error), why.strip())))
            return Death(job, f"{job.source}: the worker at work on it ({self.host}) died: {why}")
        if isinstance(received, Outcome):
            return received
        self.host = received
        return None

    def _enter_unfit(self, why: str) -> str:
        """Enter the machine that Ray had chosen; return `why` with its address."""
        from ray._private.state import actors  # nothing public says it without Ray's dashboard

        node = actors(self.actor._actor_id.hex()).get("Address", {}).get("NodeID", "")
        hosts = {one["NodeID"]: one["NodeManagerAddress"] for one in self._ray.nodes()}
        host = hosts.get(node, "")
        self._unfit[node if host else ""] = host
        return f"{host}: {why}" if host else why


class _Actor:
    """Does clips in a process of its own, on a machine that Ray chooses."""

    def __init__(
        self, config: PipelineConfig, log: LogOptions, threads: int, folder: Path | None
    ) -> None:
        try:
            if folder is not None:
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


class _Room:
    """What a worker takes of a machine, and what the cluster has.

    Args:
        ray: The module, connected.
        cpus: Cores of its machine that a worker takes.
        gpus: GPUs of its machine that a worker takes.
    """

    def __init__(self, ray: Any, cpus: int, gpus: float) -> None:
        self._ray, self._need = ray, {"CPU": cpus, "GPU": gpus}
        self._free = self._ray.available_resources()

    def why_none_started(self) -> str:
        """Why workers wait, as a clause.

        Ray sets a worker's share aside when it has chosen its machine, before it installs there
        what the worker needs: what was free and no longer is tells the two apart.
        """
        if lacking := self.lacking():
            return f"no machine of the cluster is large enough: {lacking}"
        free = self._ray.available_resources()
        if self._free.get("CPU", 0) - free.get("CPU", 0) >= self._need["CPU"]:
            return (
                "the cluster's machines are installing what workers need, which they do once; each"
                " writes /tmp/ray/session_latest/logs/runtime_env_setup-*.log"
            )
        return f"no machine of the cluster has had room for one: {self._each}"

    @property
    def _each(self) -> str:
        return f"each takes {self._need['CPU']} cores, {self._need['GPU']:g} GPUs"

    def lacking(self) -> str:
        """What no machine has of what a worker takes, as a clause; empty where one is enough."""
        if self.is_there_one_besides({}):
            return ""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        largest = max((node.get("CPU", 0) for node in nodes), default=0)
        gpus = max((node.get("GPU", 0) for node in nodes), default=0)
        return f"{self._each}, and the largest has {largest:g} cores, {gpus:g} GPUs"

    def is_there_one_besides(self, unfit: Mapping[str, str]) -> bool:
        """Whether a machine besides those of `unfit` (by Ray's id) is large enough for a worker."""
        return any(
            node["Alive"]
            and node["NodeID"] not in unfit
            and all(node["Resources"].get(kind, 0) >= n for kind, n in self._need.items())
            for node in self._ray.nodes()
        )


def why_not_started(text: str, last_line: str) -> str:
    """Ray's account of a worker that could not start, as a clause.

    Args:
        text: All of it.
        last_line: Its last line.
    """
    if "install virtualenv" in text:
        return (
            "its Python lacks virtualenv, with which Ray installs libraries: pip install virtualenv"
            " there, or --ray-ship program"
        )
    failed = re.search(r"ERROR: (.*)", text)
    if failed is not None and "runtime env" in text:
        return f"pip failed there: {failed[1]}"
    return last_line


def _has_relative_paths(config: PipelineConfig, jobs: Sequence[Job]) -> bool:
    """Whether workers must be in the folder in which the batch was started."""
    near = [path for job in jobs if not is_remote(job) for path in (job.source, job.folder)]
    named = [*config.weight_files().values(), *config.input_files(Path("/"))]
    given = [Path(name) for name in named if Path(name).exists()]
    return not all(path.is_absolute() for path in [*near, *given])


def _connect(address: str | None, environment: dict[str, Any]) -> Any:
    """Return the module `ray`, connected; nothing of its own listens beyond this machine.

    Args:
        address: A running cluster's; None starts Ray on this machine.
        environment: The `runtime_env` of workers.
    """
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
        options = {"address": address, "runtime_env": environment, **quiet}
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
