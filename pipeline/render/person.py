"""One person in one frame, as pictures need them."""

from dataclasses import dataclass

from core.skeletons import COCO_17, H36M_17
from core.types import Floats, check_shape


@dataclass(frozen=True)
class PersonInFrame:
    """One tracked person in one frame.

    track_id: Their number, from 1.
    box_xyxy: (4,) px of the frame.
    keypoints_xy: (17, 2) px, COCO-17; NaN = missing.
    keypoint_scores: (17,) in 0…1.
    joints_world_m: (17, 3) metres, Human3.6M-17, z up, floor at 0; NaN = no 3D in this frame.
    """

    track_id: int
    box_xyxy: Floats
    keypoints_xy: Floats
    keypoint_scores: Floats
    joints_world_m: Floats

    def __post_init__(self) -> None:
        check_shape("PersonInFrame.box_xyxy", self.box_xyxy, (4,))
        check_shape("PersonInFrame.keypoints_xy", self.keypoints_xy, (len(COCO_17), 2))
        check_shape("PersonInFrame.keypoint_scores", self.keypoint_scores, (len(COCO_17),))
        check_shape("PersonInFrame.joints_world_m", self.joints_world_m, (len(H36M_17), 3))
