"""Stages side by side: an iterator whose items a thread makes in advance."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


class _End:
    """Marks the end of the items, and carries the producer's exception, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(items: Iterable[T], depth: int = 4) -> Generator[T, None, None]:
    """Iterate over items that a thread makes in advance.

    Closing the generator ends the thread, also before the items end.

    Args:
        items: What the thread iterates over.
        depth: How many items may wait to be taken.

    Yields:
        The same items in the same order.

    Raises:
        BaseException: What iterating over `items` raised, after the items before it.
    """
    buffer: queue.Queue[T | _End] = queue.Queue(depth)
    closed = threading.Event()

    def offer(item: T | _End) -> bool:
        while not closed.is_set():
            try:
                buffer.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not offer(item):
                    return
        except BaseException as raised:
            error = raised
        offer(_End(error))

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while not isinstance(item := buffer.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        closed.set()
        thread.join()
