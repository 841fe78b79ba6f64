from pathlib import Path

import numpy as np

from core.types import VideoInfo
from pipeline.render.live_view import LiveView
from tests.pipeline.live.made_moments import moment


def test_the_stage_grows_for_a_person_who_walks_out_of_it() -> None:
    view = LiveView(VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None))
    near = view.draw(moment().frame, [moment().people[0].in_frame])
    for i in range(20):
        far = view.draw(moment(i).frame, [moment(i, x_m=8.0).people[0].in_frame])
    assert far.shape == near.shape
    width = near.shape[1] - near.shape[0]
    empty = LiveView(VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None)).draw(
        moment().frame, []
    )
    assert (near[:, width:] != empty[:, width:]).any()
    coloured = np.ptp(far[:, width:].astype(int), axis=2) > 60
    assert coloured[60:].any(), "the person is in the picture, 8 m from where they began"
