"""Calls that run at once, in threads and in the one that waits for them."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Calls:
    """Begins calls, of which so many run at once, that of who waits for a result included.

    The waiting thread works, too: it has a core already, and where another is busy the system often
    wakes two threads on one.
    """

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once - 1, "networks") if at_once > 1 else None
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def begin(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Begin a call of a function, whose result `result` gives."""
        future: Future[T] = Future()
        self._waiting.append((future, partial(function, *arguments)))
        if self._threads:
            self._threads.submit(self._make_one)
        return future

    def result(self, future: "Future[T]") -> T:
        """What a call gives, or raises; meanwhile this thread makes those that no other has."""
        while not future.done() and self._make_one():
            pass
        return future.result()

    def close(self) -> None:
        """End the threads."""
        if self._threads:
            self._threads.shutdown()

    def _make_one(self) -> bool:
        """Make the call that waits longest; False where none does."""
        try:
            future, call = self._waiting.popleft()
        except IndexError:
            return False
        try:
            future.set_result(call())
        except BaseException as error:  # it is raised where the result is asked for
            future.set_exception(error)
        return True
