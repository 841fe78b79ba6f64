"""One person in one frame, as pictures need them."""

from dataclasses import dataclass

from core.skeletons import COCO_21, Skeleton
from core.types import Floats, check_shape


@dataclass(frozen=True)
class PersonInFrame:
    """One tracked person in one frame.

    track_id: Their number, from 1.
    box_xyxy: (4,) px of the frame.
    keypoints_xy: (21, 2) px, COCO-21; NaN = missing.
    keypoint_scores: (21,) in 0…1.
    joints_world_m: (J, 3) metres, z up, floor at 0; NaN = no 3D in this frame.
    joint_sigma_m: (J,) metres, how sure the joints are; NaN = not known.
    skeleton: That of the joints.
    """

    track_id: int
    box_xyxy: Floats
    keypoints_xy: Floats
    keypoint_scores: Floats
    joints_world_m: Floats
    joint_sigma_m: Floats
    skeleton: Skeleton

    def __post_init__(self) -> None:
        check_shape("PersonInFrame.box_xyxy", self.box_xyxy, (4,))
        check_shape("PersonInFrame.keypoints_xy", self.keypoints_xy, (len(COCO_21), 2))
        check_shape("PersonInFrame.keypoint_scores", self.keypoint_scores, (len(COCO_21),))
        joints = len(self.skeleton)
        check_shape("PersonInFrame.joints_world_m", self.joints_world_m, (joints, 3))
        check_shape("PersonInFrame.joint_sigma_m", self.joint_sigma_m, (joints,))
