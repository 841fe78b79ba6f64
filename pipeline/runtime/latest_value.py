"""A slot between threads for the latest value: slow readers skip values, writers never wait."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """A slot that any number of threads write and any number read, each at its own pace.

    Values are numbered from 1 on in the order in which they are put.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._latest: tuple[int, T] | None = None
        self._closed = False

    def put(self, value: T) -> None:
        """Replace the value."""
        with self._changed:
            self._latest = (self._latest[0] + 1 if self._latest else 1, value)
            self._changed.notify_all()

    def close(self) -> None:
        """Say that no value will follow; the latest can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def after(self, number: int, timeout_s: float | None = None) -> tuple[int, T] | None:
        """Wait for a value later than a given one.

        Args:
            number: The number of the last value that the caller has had; 0 for none.
            timeout_s: How long to wait; None for as long as it takes.

        Returns:
            The latest value's number and the value, or None where the slot is closed and holds
            nothing later.

        Raises:
            TimeoutError: No later value came in time.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._is_later_than(number) or self._closed, timeout_s
            ):
                raise TimeoutError
            return self._latest if self._is_later_than(number) else None

    def latest_number(self) -> int:
        """Return the latest value's number, 0 before the first; only new ones come `after` it."""
        with self._changed:
            return self._latest[0] if self._latest else 0

    def _is_later_than(self, number: int) -> bool:
        return self._latest is not None and self._latest[0] > number
