"""What is kept of one person in one frame at each stage, as numpy structured types.

A video's people are tables of such rows, on disk while a video is worked on (`spool`), because they
grow with its length. T frames, K keypoints, J joints. Pixels have x right, y down; camera axes
x right, y down, z forward; world axes z up, floor at 0. Missing is NaN.
"""

from typing import Any

import numpy as np

from core.skeletons import COCO_21, H36M_21, Skeleton

RowType = np.dtype[np.void]


def detection_row(keypoints: Skeleton) -> RowType:
    """One person as a detector sees them in one frame; the fields of `core.types.Detections`."""
    count = len(keypoints)
    return np.dtype(
        [
            ("box", np.float32, (4,)),
            ("box_score", np.float32),
            ("keypoints", np.float32, (count, 2)),
            ("scores", np.float32, (count,)),
            ("keypoints_3d", np.float32, (count, 3)),
        ]
    )


def lifted_row(keypoints: Skeleton, joints: Skeleton) -> RowType:
    """One person in camera space, before the world is known; in double precision."""
    return np.dtype(
        [
            ("frame_index", np.int64),
            ("time_s", np.float64),
            ("box_xyxy", np.float64, (4,)),
            ("keypoints_2d", np.float64, (len(keypoints), 2)),
            ("keypoint_scores", np.float64, (len(keypoints),)),
            ("joints_camera_m", np.float64, (len(joints), 3)),
            ("joint_sigma_m", np.float64, (len(joints),)),
            ("root_camera_m", np.float64, (3,)),
            ("is_side_swapped", np.bool_),
        ]
    )


def pose_row(keypoints: Skeleton, joints: Skeleton) -> RowType:
    """One person in one frame of a result.

    Fields:
        frame_index, track_id: Which frame, which person.
        time_s: Presentation time of the frame, seconds.
        keypoints_2d: (K, 2) px after gap filling and smoothing.
        keypoint_scores: (K,) in 0…1.
        observed: (K,) False where a keypoint was filled in.
        joints_camera_m: (J, 3) metres relative to the pelvis, camera axes.
        root_camera_m: (3,) metres, the pelvis in camera space.
        joints_world_m: (J, 3) metres, z up, floor at 0.
        joint_sigma_m: (J,) metres, one standard deviation of a joint's position relative to the
            pelvis; NaN where the lifter does not say.
        contacts: (4,) which parts of the feet are on the ground: left heel, left toe, right heel,
            right toe.
    """
    return np.dtype(
        [
            ("frame_index", np.int64),
            ("track_id", np.int64),
            ("time_s", np.float64),
            ("keypoints_2d", np.float32, (len(keypoints), 2)),
            ("keypoint_scores", np.float32, (len(keypoints),)),
            ("observed", np.bool_, (len(keypoints),)),
            ("joints_camera_m", np.float32, (len(joints), 3)),
            ("root_camera_m", np.float32, (3,)),
            ("joints_world_m", np.float32, (len(joints), 3)),
            ("joint_sigma_m", np.float32, (len(joints),)),
            ("contacts", np.bool_, (4,)),
        ]
    )


COLUMNS: tuple[str, ...] = pose_row(COCO_21, H36M_21).names or ()
"""The names of `pose_row`'s fields."""


def person_row(keypoints: Skeleton, joints: Skeleton) -> RowType:
    """`pose_row` and what `poses.npz` lacks.

    Fields:
        box_xyxy: (4,) px, which only the pictures need.
        is_side_swapped: Whether left and right were exchanged back, which the report counts.
    """
    pose = pose_row(keypoints, joints)
    more = [("box_xyxy", np.float32, (4,)), ("is_side_swapped", np.bool_)]
    return np.dtype([*((name, pose[name]) for name in COLUMNS), *more])


def copy_fields(target: Any, source: Any) -> None:
    """Assign the fields that two arrays (N,) of different row types share."""
    for name in set(target.dtype.names) & set(source.dtype.names):
        target[name] = source[name]
