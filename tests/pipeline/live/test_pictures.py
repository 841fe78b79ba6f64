"""Pictures in memory, one after another."""

from collections.abc import Iterator

import numpy as np
import pytest

from core.errors import InputError
from core.types import Picture
from pipeline.live.pictures import people_in
from testkit.picture_clips import read
from weights.store import resolve


def test_who_is_in_pictures_is_told_one_by_one() -> None:
    taken = 0

    def pictures() -> Iterator[tuple[float, Picture]]:
        nonlocal taken
        for index, picture in enumerate(read(resolve("demo-clip"))):
            taken += 1
            yield index / 30, picture

    found = people_in(pictures())
    for number in range(1, 31):
        people = next(found)
        assert taken == number, "each picture has its people before the next is taken"
    found.close()
    (man,) = people
    joints = man.in_frame.joints_world_m
    assert man.in_frame.track_id == 1
    assert 1.2 < np.nanmax(joints[:, 2]) - np.nanmin(joints[:, 2]) < 2.0


def test_no_pictures_have_no_people() -> None:
    assert list(people_in([])) == []


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (
            (0.1, np.zeros((90, 160, 3), np.float32)),
            r"picture 1 is float32 \(90, 160, 3\): ",
        ),
        ((0.1, np.zeros((90, 160), np.uint8)), r"picture 1 is uint8 \(90, 160\): all must be"),
        ((0.1, np.zeros((91, 160, 3), np.uint8)), "uint8 arrays of one height and width"),
        ((0.1, None), "picture 1 is NoneType"),
        ((0.0, np.zeros((90, 160, 3), np.uint8)), "picture 1 is of 0.0 s, the one before of 0.0 s"),
    ],
)
def test_what_is_no_next_picture_is_refused(second: tuple[float, Picture], reason: str) -> None:
    pictures = [(0.0, np.zeros((90, 160, 3), np.uint8)), second]
    with pytest.raises(InputError, match=reason) as raised:
        list(people_in(pictures))
    assert "\n" not in str(raised.value)
