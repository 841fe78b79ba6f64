import numpy as np

from pipeline.tracking.tracker import track_people
from tests.pipeline.tracking.made_frames import made_frame


def test_a_person_away_for_a_while_is_linked_and_one_who_comes_much_later_is_not() -> None:
    def is_seen(t: int) -> bool:
        return not (20 <= t < 80 or 110 <= t < 230)

    frames = [made_frame(t, [np.array([300.0 + t, 400])] if is_seen(t) else []) for t in range(260)]
    tracks = track_people(frames, 30.0)
    assert [(track.frame_indices[0], track.frame_indices[-1]) for track in tracks] == [
        (0, 109),
        (230, 259),
    ]
    assert len(tracks[0]) == 50, "frames of the absence are not in the track"


def test_a_person_lost_in_a_leap_is_linked_where_they_land() -> None:
    """Not seen for half a second, then a body's height further down and aside."""
    frames = [made_frame(t, [np.array([300.0, 400])] if t < 30 else []) for t in range(45)]
    frames += [made_frame(t, [np.array([400.0, 700])]) for t in range(45, 90)]
    tracks = track_people(frames, 30.0)
    assert [len(track) for track in tracks] == [75]


def test_another_person_far_away_is_not_linked_to_the_one_who_left() -> None:
    frames = [made_frame(t, [np.array([300.0, 400])]) for t in range(40)]
    frames += [made_frame(t, [np.array([1700.0, 400])]) for t in range(45, 90)]
    assert sorted(len(track) for track in track_people(frames, 30.0)) == [40, 45]
