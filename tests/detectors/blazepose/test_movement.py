"""Windows around what moves, on frames of 1920 x 1080 in which a bar of 54 px walks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Floats
from detectors.blazepose.movement import MAX_WINDOWS, Movement
from detectors.blazepose.networks.region import Region

Picture = NDArray[np.uint8]
TEXTURE = np.random.default_rng(0).integers(60, 200, (135, 240), np.uint8).repeat(8, 0).repeat(8, 1)


def frame(*bars: tuple[int, int], shift: int = 0) -> Picture:
    """A scene with bars of 18 x 54 px, their top left corners given, seen from a bit aside."""
    rgb = np.repeat(np.roll(TEXTURE, shift, 1)[..., None], 3, 2)
    for x, y in bars:
        rgb[y : y + 54, x : x + 18] = 0
    return rgb


def windows(
    frames: list[Picture], known: tuple[Floats, ...] = (), least: float = 0
) -> list[Region]:
    """Those of the last frame."""
    movement = Movement(1)
    for index, rgb in enumerate(frames):
        found = movement.due(rgb, known, least, index == 0)
    return found


def test_a_window_holds_who_walks_and_not_much_more() -> None:
    (window,) = windows([frame((600, 400)), frame((620, 400))])
    for x in (600, 638):
        assert abs(x - window.x) < window.side / 2
    for y in (400, 454):
        assert abs(y - window.y) < window.side / 2
    assert window.side < 2.5 * 54


def test_a_camera_that_pans_shows_nothing_that_moves() -> None:
    assert windows([frame(), frame(shift=8)]) == []


def test_known_people_have_no_windows() -> None:
    moved = [frame((600, 400)), frame((620, 400))]
    assert windows(moved, (np.array([590.0, 390, 645, 460]),)) == []
    assert windows(moved, least=300) == [], "smaller than what is worth its time"


def test_a_cut_is_no_movement() -> None:
    movement = Movement(1)
    movement.due(frame((600, 400)), (), 0, True)
    assert movement.due(frame((620, 400)), (), 0, True) == []
    assert len(movement.due(frame((640, 400)), (), 0, False)) == 1


def test_many_take_turns() -> None:
    places = [(x, 500) for x in range(100, 1800, 200)]
    movement = Movement(1)
    seen = set()
    for step in range(1 + 2 * len(places) // MAX_WINDOWS):
        moved = frame(*((x + 20 * (step % 2), y) for x, y in places))
        found = movement.due(moved, (), 0, step == 0)
        assert len(found) <= MAX_WINDOWS
        seen |= {round((window.x - 100) / 200) for window in found}
    assert seen == set(range(len(places)))


@pytest.mark.parametrize("shape", [(40, 60, 3), (2, 4000, 3)])
def test_small_frames_and_strips_are_compared_too(shape: tuple[int, int, int]) -> None:
    assert windows([np.zeros(shape, np.uint8)] * 2) == []
