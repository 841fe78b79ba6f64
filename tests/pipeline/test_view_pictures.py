import numpy as np

from core.types import Frame
from pipeline.multiview.sync.clocks import Clock
from pipeline.view_pictures import Follower


def test_another_view_shows_the_frame_nearest_in_time() -> None:
    """25 frames a second of numbers, which start 0.5 s later by a slow clock."""
    clock = Clock(0.5, 0.001)
    frames = [Frame(n, n / 25, np.full((2, 2, 3), n, np.uint8)) for n in range(50)]
    follower = Follower(frames, clock.to_shared)
    for time_s in np.arange(0, 4, 1 / 30):
        picture = follower.at(time_s)
        own_s = (time_s - 0.5) / 1.001
        if own_s < 0 or own_s > 50 / 25:
            assert picture is None
        elif own_s < 49 / 25:
            assert picture is not None
            assert abs(picture[0, 0, 0] / 25 - own_s) <= 0.5 / 25 + 1e-9


def test_a_view_of_a_single_frame_is_shown_for_a_moment() -> None:
    follower = Follower([Frame(0, 0.0, np.ones((2, 2, 3), np.uint8))], Clock().to_shared)
    assert follower.at(0.0) is not None
    assert follower.at(0.1) is None
