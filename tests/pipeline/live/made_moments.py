import numpy as np

from core.skeletons import H36M_21
from core.types import CameraPoses, Frame
from pipeline.live.moment import LiveBody, Moment
from pipeline.render.person import PersonInFrame
from testkit.walker import walking, with_feet


def moment(index: int = 0, people: int = 1, x_m: float = 0.0) -> Moment:
    frame = Frame(index, index / 30, np.full((120, 160, 3), 90, np.uint8))
    points, scores = np.full((21, 2), 50.0), np.full(21, 0.9)
    points[0], scores[0] = np.nan, 0.0
    pose = CameraPoses(
        with_feet(walking(1)), np.array([[0, 0, 4.0]]), H36M_21, np.full((1, 21), 0.05)
    )
    joints = pose.joints_m[0][:, [0, 2, 1]] * [1, 1, -1] + [x_m, 0, 0.9]
    box = np.array([10.0, 10, 90, 110])
    body = PersonInFrame(1, box, points, scores, joints, pose.sigma_m[0], pose.skeleton)
    on_ground = np.array([True, True, False, True])
    return Moment(frame, 0.0, [LiveBody(body, pose, on_ground)] * people)
