"""BlazePose's two backends: the same detector with the landmark model "full" or "heavy"."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from core.errors import WeightsError
from core.limits import usable_cores
from core.options import option
from detectors.base import Availability, Detector, DetectorBackend
from weights.store import Store, default_cache, resolve

if TYPE_CHECKING:
    from detectors.blazepose.turns import Look

MAX_AT_ONCE = 2
"""How many networks run at once, at most: for several people, and for a search beside them."""
MAX_THREADS = 2
"""The most threads of a network: more would wait for each other."""

PERSON_FINDER = "person-finder"
"""The finder of boxes, by its name in the weights manifest. What is missed without it is people who
are small, turned away or many, so it is not worth failing for."""
HEAVY = "blazepose-landmark-heavy"
"""The largest landmark model. Without it people who are hard to see are seen less well."""


@dataclass(frozen=True)
class BlazePoseBackend(DetectorBackend):
    """BlazePose with the landmark model that the lifter was trained with."""

    name = "blazepose"
    about = "BlazePose (MediaPipe's models) for several people, on a CPU"
    packages = ("ai-edge-litert",)
    weights: ClassVar[tuple[str, ...]] = ("blazepose-detector", "blazepose-landmark-full")
    """BlazePose's finder, the landmark model and what `second_looks` needs, by their names in the
    weights manifest."""

    max_people: int = option(
        64, "the most people that are followed at once (default: %(default)s)", metavar="N",
        at_least=1,
    )  # fmt: skip

    def available(self) -> Availability:
        """Whether the models are on this machine."""
        store = Store()
        for name in self.weights:
            path = store.path(store.entries[name])
            if not path.is_file():
                return Availability(False, f"BlazePose's weights are not at {path}")
        return Availability(True, "BlazePose's weights are here")

    def fetch(self) -> None:
        """Fetch the models, and the finder of boxes and the heavy one if they can be had."""
        for name in self.weights:
            resolve(name)
        for name in (PERSON_FINDER, HEAVY):
            _optional(name, default_cache())

    def warning(self) -> str:
        """Why there is no finder of boxes or no heavy model, if so."""
        _, no_finder = _optional(PERSON_FINDER, default_cache())
        if no_finder:
            return f"people who are small, turned away or many may be missed: {no_finder}"
        _, no_heavy = _optional(HEAVY, default_cache())
        if no_heavy:
            return f"people who are cut off or unclear are seen less well: {no_heavy}"
        return ""

    def weight_names(self) -> tuple[str, ...]:
        """All models."""
        return tuple(dict.fromkeys((*self.weights, PERSON_FINDER, HEAVY)))

    def build(self, threads: int | None = None) -> Detector:
        """Build the detector."""
        from detectors.blazepose.detector import BlazePose

        finder, landmarks, *others = map(resolve, self.weights)
        boxes, _ = _optional(PERSON_FINDER, default_cache())
        heavy, _ = _optional(HEAVY, default_cache()) if HEAVY not in self.weights else (None, "")
        # Networks side by side do more than one with several threads, which wait for each other.
        cores = usable_cores() if threads is None else threads
        at_once = min(max(cores, 1), MAX_AT_ONCE)
        num_threads = min(max(cores // MAX_AT_ONCE, 1), MAX_THREADS)
        look, every = self.second_looks(others, num_threads)
        return BlazePose(
            finder, landmarks, boxes, heavy, self.max_people, num_threads, at_once, look, every
        )

    def second_looks(self, files: Sequence[Path], num_threads: int) -> "tuple[Look | None, int]":
        """Who looks at people a second time, and the frames from one look at a person to the next.

        Args:
            files: Those of `weights` but the first two.
            num_threads: LiteRT's threads.
        """
        return None, 1


@dataclass(frozen=True)
class HeavyBlazePoseBackend(BlazePoseBackend):
    """BlazePose with the largest landmark model."""

    name = "blazepose-heavy"
    about = "BlazePose with its largest landmark model, fetched on first use"
    weights: ClassVar[tuple[str, ...]] = ("blazepose-detector", HEAVY)


@cache
def _optional(name: str, _: Path) -> tuple[Path | None, str]:
    """The file of a name, or why it cannot be had; tried once for a cache folder."""
    try:
        return resolve(name), ""
    except WeightsError as error:
        return None, str(error)
