import numpy as np

from pipeline.results.detections import TrackRows
from pipeline.tracking.options import TrackOptions
from pipeline.tracking.selection import number_people, select_people


def track(track_id: int, frames: int, left: float, size: float) -> TrackRows:
    boxes = np.tile([left, 100.0, left + size / 2, 100.0 + size], (frames, 1))
    return TrackRows(track_id, np.arange(frames), boxes, np.zeros((frames, 2), np.int32), [])


TRACKS = [
    track(1, 100, 900.0, 60.0),  # long
    track(2, 20, 500.0, 400.0),  # large
    track(3, 45, 10.0, 170.0),  # left
]


def selected(options: TrackOptions) -> list[tuple[int, float]]:
    """(number, left edge) of each track that is kept."""
    numbered = number_people(TRACKS, options.people_order)
    kept = select_people([track.track_id for track in numbered], options)
    return [(one.track_id, one.boxes_xyxy[0, 0]) for one in numbered if one.track_id in kept]


def test_people_are_numbered_in_the_order_asked_for() -> None:
    assert selected(TrackOptions(people_order="longest")) == [(1, 900), (2, 10), (3, 500)]
    assert selected(TrackOptions(people_order="largest")) == [(1, 500), (2, 10), (3, 900)]
    assert selected(TrackOptions(people_order="leftmost")) == [(1, 10), (2, 500), (3, 900)]
    assert selected(TrackOptions(people_order="prominent")) == [(1, 500), (2, 10), (3, 900)]


def test_the_first_ones_or_single_ones_can_be_asked_for_and_keep_their_numbers() -> None:
    assert selected(TrackOptions(people=2, people_order="leftmost")) == [(1, 10), (2, 500)]
    by_id = TrackOptions(person_id=(3, 1), people_order="leftmost")
    assert selected(by_id) == [(1, 10), (3, 900)]
    assert selected(TrackOptions(person_id=(7,), people_order="leftmost")) == []
