import numpy as np

from pipeline.tracking.selection import select_people
from pipeline.tracking.tracker import Followed


def track(track_id: int, frames: int, left: float, size: float) -> Followed:
    boxes = np.tile([left, 100.0, left + size / 2, 100.0 + size], (frames, 1))
    return Followed(track_id, np.arange(frames), boxes, np.zeros((frames, 2), np.int32), [])


LONG, LARGE, LEFT = (
    track(1, 100, 900.0, 60.0),
    track(2, 20, 500.0, 400.0),
    track(3, 45, 10.0, 170.0),
)


def lefts(tracks: list[Followed]) -> list[float]:
    return [one.boxes_xyxy[0, 0] for one in tracks]


def test_people_are_numbered_in_the_order_asked_for() -> None:
    everybody = [LONG, LARGE, LEFT]
    assert lefts(select_people(everybody, "longest")) == [900, 10, 500]
    assert lefts(select_people(everybody, "largest")) == [500, 10, 900]
    assert lefts(select_people(everybody, "leftmost")) == [10, 500, 900]
    assert lefts(select_people(everybody, "prominent")) == [500, 10, 900]
    assert [one.track_id for one in select_people(everybody, "leftmost")] == [1, 2, 3]


def test_the_first_ones_or_single_ones_can_be_asked_for_and_keep_their_numbers() -> None:
    everybody = [LONG, LARGE, LEFT]
    assert lefts(select_people(everybody, "leftmost", most=2)) == [10, 500]
    chosen = select_people(everybody, "leftmost", ids=(3, 1))
    assert [(one.track_id, one.boxes_xyxy[0, 0]) for one in chosen] == [(1, 10), (3, 900)]
    assert select_people(everybody, "leftmost", ids=(7,)) == []
