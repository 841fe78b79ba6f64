"""Which windows are searched, and when."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from detectors.blazepose.networks.region import Region
from detectors.blazepose.search import (
    EMPTY_INTERVAL,
    FAR_SIDE,
    INTERVAL,
    LOSS_SEARCHES,
    OVERLAP,
    Search,
    coarse_windows,
    far_windows,
    fine_windows,
    inside,
    tiny_windows,
)

SIZE = (1920, 1080)
TALL, SMALL = Region(900.0, 500.0, 600.0, 0.0), Region(900.0, 500.0, 200.0, 0.0)


def started(size: tuple[int, int] = SIZE) -> Search:
    search = Search(30.0)
    search.due(size, [], False)
    return search


def quiet(search: Search, frames: int, lost: Sequence[Region] = ()) -> list[list[Region]]:
    """What is searched in the frames after, people lost in the first of them."""
    first = [*search.due(SIZE, [TALL], False), *search.lost(lost)]
    return [first, *(search.due(SIZE, [TALL], False) for _ in range(frames - 1))]


@pytest.mark.parametrize(
    ("width", "height", "squares"),
    [(1768, 994, 3), (994, 1768, 3), (500, 500, 0), (501, 500, 2), (3000, 1000, 5)],
)
def test_coarse_windows_are_the_frame_and_squares_at_half_overlap(
    width: int, height: int, squares: int
) -> None:
    whole, *rest = coarse_windows(width, height)
    assert (whole.x, whole.y, whole.side) == (width / 2, height / 2, max(width, height))
    assert len(rest) == squares
    along = [(window.x if width > height else window.y) for window in rest]
    assert all(window.side == min(width, height) for window in rest)
    assert all(b - a <= min(width, height) / 2 for a, b in pairwise(along))
    if rest:
        assert along[0] - rest[0].side / 2 == 0
        assert along[-1] + rest[0].side / 2 == max(width, height)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (640, 640), (400, 90)])
def test_whoever_is_a_fifth_as_tall_as_the_frame_lies_whole_in_a_far_window(
    width: int, height: int
) -> None:
    windows = far_windows(width, height)
    side = FAR_SIDE * OVERLAP[FAR_SIDE] * min(width, height) - 1e-6
    for left in range(0, int(width - side), 7):
        for top in range(0, int(height - side), 7):
            assert any(
                abs(left + side / 2 - window.x) <= (window.side - side) / 2
                and abs(top + side / 2 - window.y) <= (window.side - side) / 2
                for window in windows
            )


def test_everything_is_searched_at_the_start_of_a_shot_and_where_the_size_changes() -> None:
    search, everything = Search(30.0), [*coarse_windows(*SIZE), *far_windows(*SIZE)]
    assert search.due(SIZE, [], False) == everything
    quiet(search, 5)
    assert search.due(SIZE, [TALL], True) == everything
    assert search.due((640, 360), [TALL], False)[0] == coarse_windows(640, 360)[0]


@pytest.mark.parametrize(
    ("known", "is_worth_it"), [([TALL], False), ([TALL, SMALL], True), ([], True)]
)
def test_the_smaller_windows_are_for_where_somebody_is_small_or_nobody_known(
    known: list[Region], is_worth_it: bool
) -> None:
    search = Search(30.0)
    tiny, fine = {*tiny_windows(*SIZE)}, {*fine_windows(*SIZE)}
    search.due(SIZE, [], False)
    assert {*search.also_due(known)} == (tiny if is_worth_it else set())
    assert {*search.also_due(known)} == (fine if is_worth_it and known else set())
    frames = [search.due(SIZE, known, False) for _ in range(4 * INTERVAL * len(fine))]
    assert search.also_due(known) == []
    later = {window for due in frames for window in due}
    assert later & (tiny | fine) == (tiny | fine if is_worth_it else set())


def test_the_smallest_windows_are_for_frames_that_show_enough_in_them() -> None:
    assert fine_windows(1920, 1080)
    assert fine_windows(1280, 720) == []


def test_then_one_window_at_a_time_until_each_was_there() -> None:
    windows = {*coarse_windows(*SIZE), *far_windows(*SIZE)}
    frames = quiet(started(), 2 * INTERVAL * max(4, len(far_windows(*SIZE))))
    assert [len(due) for due in frames[: 2 * INTERVAL]] == 2 * [*[0] * (INTERVAL - 1), 1]
    assert {window for due in frames for window in due} == windows
    coarse = {window for due in frames[: 8 * INTERVAL] for window in due}
    assert {*coarse_windows(*SIZE)} <= coarse, "people nearby are found first"


def test_where_nobody_is_known_it_looks_more_often() -> None:
    search = started()
    frames = [search.due(SIZE, [], False) for _ in range(4 * EMPTY_INTERVAL)]
    assert sum(map(len, frames)) == 4


def test_who_was_lost_is_looked_for_where_they_were() -> None:
    person = Region(1900.0, 500.0, 200.0, 0.5)
    frames = quiet(started(), 60, [person])
    places = [window for due in frames for window in due if window == inside(person, SIZE)]
    assert len(places) == LOSS_SEARCHES
    assert frames[0] == places[:1]
    assert places[0] == Region(1920 - 200.0, 500.0, 400.0, 0.0), "moved into the frame"
    assert all(window not in places for due in quiet(started(), 60) for window in due)


@pytest.mark.parametrize("size", [(16384, 16), (160, 65407)])
def test_a_strip_is_searched_as_a_whole(size: tuple[int, int]) -> None:
    search = Search(30.0)
    for starts_shot in (True, False, False, False):
        due = search.due(size, [], starts_shot)
        assert [window.side for window in due] in ([], [max(size)])


@pytest.mark.parametrize(("fps", "apart"), [(15.0, 6), (30.0, 6), (60.0, 12), (240.0, 48)])
def test_windows_are_searched_five_times_a_second_at_most(fps: float, apart: int) -> None:
    search = Search(fps)
    search.due(SIZE, [], False)
    searched = [i for i in range(200) if search.due(SIZE, [TALL], False)]
    assert {b - a for a, b in pairwise(searched)} == {apart}


def test_where_few_are_searched_for_a_frame_the_others_wait_and_then_the_smaller_ones() -> None:
    together, apart = Search(30.0), Search(30.0)
    at_once = together.due(SIZE, [], True) + together.also_due([SMALL])
    found: list[Region] = []
    while len(found) < len(at_once):
        due = apart.due(SIZE, [SMALL], not found, most=2)
        assert len(due) == 2 or len(found) + len(due) == len(at_once)
        assert apart.also_due([SMALL]) == [], "they wait, too"
        found += [window for window in due if window in at_once]
    assert set(found) == set(at_once)


def test_those_who_wait_do_not_become_ever_more() -> None:
    search = Search(30.0)
    search.due(SIZE, [TALL], True)
    for _ in range(300):
        search.due(SIZE, [TALL], False, most=2)
        search.lost([TALL] * 20)
    after = [len(search.due(SIZE, [TALL], False, most=2)) for _ in range(300)]
    assert after[0] == 2
    assert max(after[100:]) == 1, "one in turn at times"


def test_windows_that_were_put_off_come_before_the_others() -> None:
    search, other = Search(30.0), Search(30.0)
    put_off = search.due(SIZE, [], True, most=2)
    search.put_off(put_off)
    assert search.due(SIZE, [], False, most=2) == put_off == other.due(SIZE, [], True, most=2)
    rest = [search.due(SIZE, [], False, most=2) for _ in range(5)]
    assert rest == [other.due(SIZE, [], False, most=2) for _ in range(5)], "none is left out"
