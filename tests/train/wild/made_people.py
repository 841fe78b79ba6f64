"""People made by formulas: shots of a walker, a body at rest, captured joints with a nose."""

import numpy as np

from core.camera import project
from core.skeletons import COCO_21, H36M_17, H36M_21
from core.types import Floats, Intrinsics
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from testkit.walker import walking, with_feet
from train.wild.people.body import DRIVERS, Body, Part
from train.wild.people.hardships import HARDSHIPS
from train.wild.people.shots import Shots

CAMERA = Intrinsics(500.0, 500.0, 256.0, 192.0, "given")
FEET_IN = COCO_21.indices(("left_heel", "left_big_toe", "right_heel", "right_big_toe"))
FEET_OUT = H36M_21.indices(("l_heel", "l_toe", "r_heel", "r_toe"))
FRAMES, UNSEEN = 20, 3  # of a shot; at its end, the detector sees no one
UP = np.array([0.0, -1.0, 0.0])
REST = {
    "pelvis": (0, 0, 0), "spine": (0, 0.25, 0), "thorax": (0, 0.5, 0), "neck_base": (0, 0.6, 0.02),
    "head_top": (0, 0.8, 0.02), "nose": (0, 0.66, 0.14), "l_eye": (0.03, 0.7, 0.1),
    "l_ear": (0.08, 0.68, 0.02), "l_hip": (0.09, 0, 0), "l_knee": (0.1, -0.45, 0),
    "l_ankle": (0.1, -0.9, 0), "l_shoulder": (0.17, 0.45, 0), "l_elbow": (0.37, 0.25, 0),
    "l_wrist": (0.55, 0.08, 0.05), "l_heel": (0.1, -0.98, -0.05), "l_toe": (0.1, -0.98, 0.2),
}  # fmt: skip
"""Joints of a body at rest, metres, y up; the right side mirrors the left."""


def walker_shots() -> Shots:
    """A walker seen from two distances, from the larger one small.

    The detector is right in 2D and 30 % too large in 3D.
    """
    truth = np.stack([with_feet(walking(FRAMES)) + np.array([0.3, 0.0, z]) for z in (4.0, 7.0)])
    points = np.concatenate(
        [truth, np.repeat(truth[:, :, 10:11], 5, axis=2)], 2
    )  # the face is the top of the head
    seen = np.repeat(truth[:, :, 10:11], len(COCO_21), axis=2)
    seen[:, :, LIMBS_IN] = truth[:, :, LIMBS_OUT]
    seen[:, :, FEET_IN] = truth[:, :, FEET_OUT]
    keypoints = np.stack([project(shot, CAMERA) for shot in seen])
    keypoints_3d = 1.3 * (seen - truth[:, :, :1])
    scores = np.full(keypoints.shape[:3], 0.9)
    keypoints[:, -UNSEEN:], keypoints_3d[:, -UNSEEN:], scores[:, -UNSEEN:] = np.nan, np.nan, 0.0
    cameras = np.tile([500.0, 500.0, 256.0, 192.0], (2, 1))
    hardships = np.zeros((2, len(HARDSHIPS)))
    hardships[1, HARDSHIPS.index("small")] = 1.0
    return Shots(keypoints, scores, keypoints_3d, points, cameras, hardships)


def body(*parts: Part) -> Body:
    """A body at rest with some meshes."""
    joints = {name: np.array(position, float) for name, position in REST.items()}
    mirror = {
        name.replace("l_", "r_", 1): position * (-1, 1, 1)
        for name, position in joints.items()
        if name[:2] == "l_"
    }
    return Body(parts, joints | mirror)


class Dressers:
    """Draws bodies whose every bone carries a red square."""

    def draw(self, rng: np.random.Generator) -> Body:
        person = body()
        parts = []
        for row, joint in enumerate(("pelvis", "spine", "thorax", "neck_base", "head_top")):
            corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.15
            weights = np.zeros((4, len(DRIVERS)))
            weights[:, row] = 1.0
            normals = np.tile([0.0, 0, 1], (4, 1))
            triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
            red = np.full((4, 4, 4), (255, 0, 0, 255), np.uint8)
            position = corners + person.joints[joint]
            parts.append(Part(position, normals, np.zeros((4, 2)), weights, triangles, red))
        return body(*parts)


def captured() -> Floats:
    """A walk (T, 22, 3) four metres away, with a nose."""
    joints = with_feet(walking(40)) + np.array([0.0, 0.0, 4.0])
    left = joints[:, H36M_17.index("l_shoulder")] - joints[:, H36M_17.index("r_shoulder")]
    forward = np.cross(left, np.broadcast_to(UP, left.shape))
    nose = (
        joints[:, H36M_17.index("neck_base")]
        + 0.06 * UP
        + 0.1 * forward / np.linalg.norm(forward, axis=1)[:, None]
    )
    return np.concatenate([joints, nose[:, None]], 1)
