"""Calls beside other work: one at a time, in a thread that gives way to others."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

Begin = Callable[[], Callable[[], None] | None]
"""Gives a call that is to be made, None where there is none."""


class Beside:
    """A thread that makes calls for another one that has no time.

    Args:
        niceness: What is added to the thread's, where the system has one for each (Linux).
    """

    def __init__(self, niceness: int = 0) -> None:
        self._thread = ThreadPoolExecutor(1, "beside", _be_nice, (niceness,))
        self._last: Future[None] | None = None

    def offer(self, begin: Begin) -> None:
        """Begin a call, unless another is being made.

        Args:
            begin: Gives it; is not asked while another is made.

        Raises:
            BaseException: What the last call raised.
        """
        if self._last is not None and not self._last.done():
            return
        self._wait()
        if call := begin():
            self._last = self._thread.submit(call)

    def make(self, begin: Begin) -> None:
        """Make a call here, once the last one has been made.

        Raises:
            BaseException: What the last call raised, or this one does.
        """
        self._wait()
        if call := begin():
            call()

    def _wait(self) -> None:
        """Wait for the last call; what it raised is raised once."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def close(self) -> None:
        """End the thread, after its call."""
        self._thread.shutdown()


def _be_nice(niceness: int) -> None:
    if niceness and sys.platform == "linux":
        os.nice(niceness)  # there, of the calling thread
