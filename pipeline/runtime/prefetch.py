"""Stages side by side: an iterator that works ahead in a thread of its own."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


class _End:
    """Marks the end of the items, and carries what broke the producer."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Iterable[T], depth: int = 4) -> Generator[T, None, None]:
    """The same items, made up to `depth` ahead by a thread; its exceptions are raised here.

    The thread ends when the iterator is closed, also before the items do.
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
        except BaseException as broken:
            error = broken
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
