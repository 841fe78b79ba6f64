"""Items that a thread makes in advance."""

import queue
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pipeline.runtime.prefetch import prefetch


def test_items_come_in_order_and_then_the_error() -> None:
    def items() -> Iterator[int]:
        yield from range(9)
        raise ValueError("no more")

    made = prefetch(items(), 2)
    assert [next(made) for _ in range(9)] == list(range(9))
    with pytest.raises(ValueError, match="no more"):
        next(made)


def test_a_thread_that_has_no_memory_to_say_so_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = queue.Queue.put

    def short(self: "queue.Queue[object]", item: object, *rest: object, **more: object) -> None:
        if item != 1 and threading.current_thread() is not threading.main_thread():
            raise MemoryError
        put(self, item)

    monkeypatch.setattr(queue.Queue, "put", short)
    items = prefetch(iter([1, 2, 3]))
    assert next(items) == 1
    with pytest.raises(MemoryError):
        next(items)


def test_what_is_not_taken_in_time_is_left_out_but_never_two_in_a_row() -> None:
    is_behind = threading.Event()

    def items() -> Iterator[int]:
        for item in range(20):
            if item == 3:
                is_behind.set()
            yield item

    made = prefetch(items(), 1, leaves_out=lambda item: False)
    taken = [next(made)]
    assert is_behind.wait(10)
    taken += made
    steps = [later - item for item, later in pairwise(taken)]
    assert steps[0] == 2, "what came meanwhile has taken the place of what waited"
    assert set(steps) <= {1, 2}
    assert taken[-1] == 19, "the last one is kept"


def test_what_may_be_left_out_is_but_never_two_in_a_row() -> None:
    assert [*prefetch(range(9), 20, leaves_out=lambda item: item > 2)] == [0, 1, 2, 4, 6, 8]
