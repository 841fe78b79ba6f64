"""Calls in a thread of its own."""

import threading
from collections.abc import Callable
from contextlib import closing
from itertools import repeat

import pytest

from pipeline.runtime.beside import Beside


def test_another_call_is_not_begun_before_the_last_has_ended() -> None:
    begun: list[int] = []
    may_end, has_ended = threading.Event(), threading.Event()

    def begin(number: int) -> Callable[[], None]:
        def call() -> None:
            may_end.wait()
            has_ended.set()

        begun.append(number)
        return call

    with closing(Beside()) as beside:
        for number in range(3):
            beside.offer(lambda number=number: begin(number))
        assert begun == [0]
        may_end.set()
        has_ended.wait()
        while begun == [0]:  # the thread has a moment to go still
            beside.offer(lambda: begin(3))
        assert begun == [0, 3]


def test_what_has_nothing_to_do_is_asked_again() -> None:
    asked = 0

    def begin() -> None:
        nonlocal asked
        asked += 1

    with closing(Beside()) as beside:
        beside.offer(begin)
        beside.offer(begin)
    assert asked == 2


def test_what_a_call_raises_is_raised_at_the_next_offer() -> None:
    def fail() -> None:
        raise ValueError("broken")

    with closing(Beside()) as beside:
        beside.offer(lambda: fail)
        with pytest.raises(ValueError, match="broken"):
            any(beside.offer(nothing) for nothing in repeat(lambda: None))


def test_a_call_that_is_waited_for_comes_after_the_last_one() -> None:
    made: list[str] = []
    may_end = threading.Event()

    def last() -> None:
        may_end.wait()
        made.append("last")

    with closing(Beside()) as beside:
        beside.offer(lambda: last)
        threading.Timer(0.05, may_end.set).start()
        beside.make(lambda: lambda: made.append("this"))
        assert made == ["last", "this"]
