"""Who is told how far a stage has come: a bar on a terminal, or whoever collects from many workers."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from tqdm import tqdm

T = TypeVar("T")


class Progress(Protocol):
    """Passes a stage's items through and counts them."""

    def __call__(self, items: Iterable[T], stage: str, total: int | None) -> Iterable[T]:
        """The same items; `total` is how many there will be, None where nobody knows."""


def bar(items: Iterable[T], stage: str, total: int | None) -> Iterable[T]:
    """A bar on stderr, where that is a terminal."""
    counted: Iterable[T] = tqdm(items, stage, total, unit="frame", disable=None)
    return counted
