import numpy as np

from pipeline.tracking.tracker import track_people
from tests.pipeline.tracking.made_frames import made_frame


def test_a_flicker_is_no_person() -> None:
    lasting, brief = np.array([300.0, 400]), np.array([900.0, 300])
    frames = [made_frame(t, [lasting, brief] if 20 <= t < 25 else [lasting]) for t in range(60)]
    tracks = track_people(frames, 30.0)
    assert [len(track) for track in tracks] == [60]


def test_a_person_who_holds_still_is_kept_where_there_is_no_other() -> None:
    still = [made_frame(t, [np.array([300.0, 400])]) for t in range(150)]
    assert [len(track) for track in track_people(still, 30.0)] == [150]
