"""The options of a batch: which inputs, and what works on them."""

import importlib.util
import re
from dataclasses import dataclass
from typing import Literal, get_args

from core.errors import UsageError, how_to_install
from core.options import check_options, given_flags, option
from pipeline.config import only_for_files

EngineName = Literal["local", "ray"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
Shipped = Literal["all", "program", "nothing"]
SHIPPED: tuple[Shipped, ...] = get_args(Shipped)
_RAY_ONLY = ("ray_address", "ray_ship", "ray_cpus_per_worker", "ray_gpus_per_worker")


def _shard(text: str) -> tuple[int, int]:
    try:
        number, count = map(int, text.split("/"))
    except ValueError as error:
        raise UsageError(f"`shard` must be i/n, like 2/5, got {text}") from error
    return number, count


@dataclass(frozen=True)
class BatchOptions:
    """Which inputs, and what works on them.

    Raises:
        UsageError: A value is out of its range, or options contradict each other.
    """

    pattern: str | None = option(
        None, "which files of a folder are meant, like '*.mp4'", metavar="GLOB"
    )
    workers: int = option(
        1, "processes, a video each (default: %(default)s)", metavar="N", at_least=1
    )
    engine: EngineName = option(
        "local", "who runs them: this machine or Ray (default: %(default)s)", choices=ENGINES
    )
    ray_address: str | None = option(
        None, "Ray's cluster; else Ray starts on this machine alone", metavar="HOST:PORT|auto"
    )
    ray_ship: Shipped = option(
        "all",
        "what the cluster's machines get from here: the program, its weights and libraries; all but"
        " the libraries; nothing (default: %(default)s)",
        choices=SHIPPED,
    )
    ray_cpus_per_worker: int = option(
        2, "cores for each (default: %(default)s)", metavar="N", at_least=1
    )
    ray_gpus_per_worker: float = option(0.0, "GPUs for each, 0.5 too (default: none)", metavar="N")
    shard: tuple[int, int] = option(
        (1, 1), "do only the I-th of N parts of the videos", metavar="I/N", parse=_shard
    )
    dry_run: bool = option(False, "say what would be done")

    def __post_init__(self) -> None:
        for name in _RAY_ONLY:
            if self.engine != "ray" and getattr(self, name) != getattr(BatchOptions, name):
                raise UsageError(f"`{name}` is for `engine` ray")
        if self.ray_ship != BatchOptions.ray_ship and self.ray_address is None:
            raise UsageError("`ray_ship` is for a cluster's `ray_address`")
        check_options(self)
        if not 1 <= self.shard[0] <= self.shard[1]:
            number, count = self.shard
            raise UsageError(f"`shard` must be i/n with i from 1 to n, got {number}/{count}")
        if self.ray_address not in (None, "auto") and not re.fullmatch(
            r"[^/]+:[0-9]{1,5}", self.ray_address or ""
        ):
            raise UsageError(f"`ray_address` must be HOST:PORT or auto, got {self.ray_address}")
        gpus = self.ray_gpus_per_worker
        if not (0 <= gpus < 1 or (gpus >= 1 and gpus % 1 == 0)):
            raise UsageError(
                f"`ray_gpus_per_worker` must be a share of one or a whole number, got {gpus:g}"
            )
        if self.engine == "ray" and importlib.util.find_spec("ray") is None:
            raise UsageError(f"`engine` ray needs Ray: {how_to_install('ray')}")

    def require_live(self) -> None:
        """`UsageError` where something is asked for that makes sense for files alone."""
        for name in given_flags(self):
            raise only_for_files(f"`{name}`")
