import time
from dataclasses import replace

import pytest

from core.types import Frame
from pipeline.live.behind import Behind
from tests.pipeline.live.made_moments import moment

FPS = 4.0  # of frames that are given at once: none is late unless it says so


def left_out(missed: set[int], late: frozenset[int] = frozenset(), frames: int = 200) -> list[int]:
    """The frames whose pictures may be left out, where some are missed and others late."""
    behind, made = Behind(), moment()
    rgb = made.frame.rgb
    return [
        index
        for index in range(frames)
        if index not in missed
        and behind(
            replace(
                made,
                frame=Frame(index, index / FPS, rgb),
                arrived_s=time.monotonic() - (index in late),
            )
        )
    ]


def test_a_machine_that_keeps_up_leaves_none_out() -> None:
    assert left_out(set()) == []


@pytest.mark.parametrize(("missed", "late"), [({19}, frozenset()), (set(), frozenset({20}))])
def test_a_missed_or_late_frame_leaves_pictures_out_for_a_while(
    missed: set[int], late: frozenset[int]
) -> None:
    assert left_out(missed, late) == [20, 21]


def test_who_is_behind_again_and_again_leaves_them_out_for_longer() -> None:
    again = frozenset({20, 22, 27, 35})
    assert left_out(set(), again) == [20, 21, 22, 23, 24, 25, *range(27, 35), *range(35, 51)]
    assert left_out(set(), frozenset({20, 100})) == [20, 21, 100, 101]
