"""How far a stage has come: a bar on a terminal, or counts that a batch's workers report."""

import time
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from tqdm import tqdm

T = TypeVar("T")

Tell = Callable[[str, int, int | None], None]
"""Is given a stage's name, how many of its items have passed, and how many there will be."""
TOLD_EVERY_S = 0.2


class StageProgress(Protocol):
    """Passes a stage's items through and counts them."""

    def __call__(self, items: Iterable[T], stage: str, total: int | None) -> Iterable[T]:
        """Return the same items, counted as they pass.

        Args:
            items: What the stage works on.
            stage: The stage's name, for people ("detect").
            total: How many items there will be; None where that is unknown.
        """


def uncounted(items: Iterable[T], stage: str, total: int | None) -> Iterable[T]:
    """Show nothing; a `StageProgress`."""
    return items


def progress_bar(items: Iterable[T], stage: str, total: int | None) -> Iterable[T]:
    """Show a bar on stderr where that is a terminal; a `StageProgress`."""
    counted: Iterable[T] = tqdm(items, stage, total, unit="frame", disable=None)
    return counted


def told_progress(tell: Tell) -> StageProgress:
    """A `StageProgress` that tells now and then how many items of a stage have passed."""

    def counted(items: Iterable[T], stage: str, total: int | None) -> Iterable[T]:
        last = 0.0
        for count, item in enumerate(items):
            if time.monotonic() - last > TOLD_EVERY_S:
                last = time.monotonic()
                tell(stage, count, total)
            yield item

    return counted
