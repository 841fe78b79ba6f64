"""Calls that run at once, in threads and in the one that waits for them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Call(Generic[T]):
    """A call that a thread makes, or who asks for its result where no thread has begun it."""

    def __init__(self, call: Callable[[], T], threads: ThreadPoolExecutor | None) -> None:
        self._call = call
        self._begun = threads.submit(call) if threads else None

    def result(self) -> T:
        """What the call gives, or raises."""
        if self._begun is None or self._begun.cancel():
            return self._call()
        return self._begun.result()


class Calls:
    """Begins calls, of which so many run at once, that of who waits for a result included.

    The waiting thread works, too: it has a core already, and where another is busy the system often
    wakes two threads on one.
    """

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once - 1, "networks") if at_once > 1 else None

    def begin(self, function: Callable[..., T], *arguments: Any) -> Call[T]:
        """Begin a call of a function."""
        return Call(partial(function, *arguments), self._threads)

    def close(self) -> None:
        """End the threads."""
        if self._threads:
            self._threads.shutdown()
