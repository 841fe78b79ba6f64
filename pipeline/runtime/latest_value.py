"""A slot between threads that holds the newest of what was put into it: whoever is slow misses some, nobody waits."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Any number of threads may put, and any number read, each at its own pace."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: tuple[int, T] | None = None
        self._closed = False

    def put(self, item: T) -> None:
        """Take the place of what is there."""
        with self._changed:
            self._item = (self._item[0] + 1 if self._item else 1, item)
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing will come any more; what is there can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def after(self, number: int, timeout_s: float | None = None) -> tuple[int, T] | None:
        """The newest item and its number, as soon as that is beyond `number`; None after the last.

        The first item has number 1. `TimeoutError` where none comes in time.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._is_beyond(number) or self._closed, timeout_s
            ):
                raise TimeoutError
            return self._item if self._is_beyond(number) else None

    def latest_number(self) -> int:
        """The number of the newest item, 0 before the first: who starts there gets only what is still to come."""
        with self._changed:
            return self._item[0] if self._item else 0

    def _is_beyond(self, number: int) -> bool:
        return self._item is not None and self._item[0] > number
