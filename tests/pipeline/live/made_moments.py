import numpy as np

from core.skeletons import H36M_17
from core.types import CameraPoses, Frame
from pipeline.live.moment import LiveBody, Moment
from pipeline.render.person import PersonInFrame
from testkit.walker import walking


def moment(index: int = 0, people: int = 1, x_m: float = 0.0) -> Moment:
    frame = Frame(index, index / 30, np.full((120, 160, 3), 90, np.uint8))
    points, scores = np.full((17, 2), 50.0), np.full(17, 0.9)
    points[0], scores[0] = np.nan, 0.0
    joints = walking(1)[0][:, [0, 2, 1]] * [1, 1, -1] + [x_m, 0, 0.9]
    body = PersonInFrame(1, np.array([10.0, 10, 90, 110]), points, scores, joints)
    return Moment(
        frame,
        0.0,
        [LiveBody(body, CameraPoses(walking(1), np.array([[0, 0, 4.0]]), H36M_17))] * people,
    )
