"""Stages side by side: an iterator whose items a thread makes in advance."""

import _thread
import os
import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_CHECK_EVERY_S = 1.0  # whether the thread is alive: one that has no memory cannot say so
_STARTS_WITHIN_S = 60.0


class _End:
    """Marks the end of the items, and carries the producer's exception, if any."""

    def __init__(self) -> None:
        self.error: BaseException | None = None


def prefetch(
    items: Iterable[T],
    depth: int = 4,
    leaves_out: Callable[[T], bool] | None = None,
    niceness: int = 0,
) -> Generator[T, None, None]:
    """Iterate over items that a thread makes in advance.

    Closing the generator ends the thread, also before the items end.

    Args:
        items: What the thread iterates over.
        depth: How many items may wait to be taken.
        leaves_out: Where it is given, items are left out so that the thread need not wait: those of
            which it says so, and the oldest where there is no room; but of two in a row, one at
            least is kept. It is asked about every item.
        niceness: What is added to that of the thread, and of the processes that it starts, where
            the system has one for each thread (Linux).

    Yields:
        The same items in the same order.

    Raises:
        BaseException: What iterating over `items` raised, after the items before it.
        MemoryError: The thread did not start, or died.
    """
    buffer: queue.Queue[T | _End] = queue.Queue(depth)
    closed, end = threading.Event(), _End()

    def offer(item: T | _End) -> bool:
        while not closed.is_set():
            try:
                buffer.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def has_left_out() -> bool:
        with suppress(queue.Empty):
            if buffer.full():
                buffer.get_nowait()
                return True
        return False

    def produce() -> None:
        has_just = False
        try:
            if niceness and sys.platform == "linux":
                os.nice(niceness)  # there, of the calling thread
            for item in items:
                if leaves_out is not None:
                    if leaves_out(item) and not has_just:
                        has_just = True
                        continue
                    has_just = not has_just and has_left_out()
                if not offer(item):
                    return
        except BaseException as raised:
            end.error = raised
        with suppress(MemoryError):  # `take` sees that the thread has ended
            offer(end)

    def take() -> T | _End:
        while True:
            try:
                return buffer.get(timeout=_CHECK_EVERY_S)
            except queue.Empty:
                if not has_ended.locked() and buffer.empty():
                    end.error = end.error or MemoryError("a thread had no memory to go on")
                    return end

    # `Thread.start` would wait for ever where there is no memory for the thread to begin.
    has_started, has_ended = threading.Lock(), threading.Lock()
    has_started.acquire()
    has_ended.acquire()

    def run() -> None:
        has_started.release()
        try:
            produce()
        finally:
            has_ended.release()

    _thread.start_new_thread(run, ())
    if not has_started.acquire(timeout=_STARTS_WITHIN_S):
        raise MemoryError("a thread did not start")
    try:
        while not isinstance(item := take(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        closed.set()
        has_ended.acquire()
