from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_21, H36M_21
from core.types import Frame, VideoInfo
from pipeline.render.framing.crowd import Columns
from pipeline.render.framing.plan import plan
from pipeline.render.palette import Colour
from pipeline.render.person import PersonInFrame
from pipeline.render.view import Lens, View

GREY = 90


def standing(x: float = 0.0, y: float = 0.0) -> NDArray[np.float64]:
    """(21, 3) m: a person 1.8 m tall, arms spread, facing the camera: their left is at larger x."""
    half = {"hip": (0.1, 0.95), "knee": (0.12, 0.5), "ankle": (0.14, 0.08)}
    half |= {"heel": (0.14, 0.0), "toe": (0.14, 0.0)}
    half |= {"shoulder": (0.2, 1.5), "elbow": (0.5, 1.5), "wrist": (0.8, 1.5)}
    heights = {"pelvis": 0.95, "spine": 1.2, "thorax": 1.5, "neck_base": 1.6, "head_top": 1.8}
    joints = np.full((21, 3), np.nan)
    for joint, name in enumerate(H36M_21.joints):
        if name in heights:
            joints[joint] = x, y, heights[name]
        else:
            across, up = half[name[2:]]
            forward = {"heel": -0.05, "toe": 0.2}.get(name[2:], 0.0)
            side = across if name.startswith("l_") else -across
            joints[joint] = x + side, y - forward, up
    return joints


def person(
    joints: NDArray[np.float64] | None = None,
    track_id: int = 1,
    scores: float = 1.0,
    keypoints: object = None,
    sigma_m: float | NDArray[np.float64] = np.nan,
) -> PersonInFrame:
    return PersonInFrame(
        track_id,
        np.array([20.0, 20.0, 80.0, 200.0]),
        np.full((21, 2), np.nan) if keypoints is None else np.asarray(keypoints),
        np.full(21, scores),
        np.full((21, 3), np.nan) if joints is None else joints,
        np.full(21, sigma_m),
        H36M_21,
    )


def columns(*people: Sequence[NDArray[np.float64]]) -> Columns:
    """The columns of a result: each person's joints (J, 3) m in frame 0, 1, …"""
    rows = sorted(
        (index, track_id) for track_id, poses in enumerate(people, 1) for index in range(len(poses))
    )
    joints = [people[track_id - 1][index] for index, track_id in rows]
    table = {
        "frame_index": np.array([row[0] for row in rows], int),
        "track_id": np.array([row[1] for row in rows], int),
        "joints_world_m": np.array(joints) if joints else np.zeros((0, 21, 3)),
        "joint_sigma_m": np.full((len(rows), len(joints[0]) if joints else 21), np.nan),
    }
    return lambda name: [table[name]]


def view_of(*joints: NDArray[np.float64], size: int = 720) -> View:
    """The view of people who stand still, in a square panel."""
    lens = Lens(size, size)
    return plan(columns(*([one] for one in joints)), 30.0, [lens]).view_at(0)


def video(width: int = 640, height: int = 360) -> VideoInfo:
    return VideoInfo(Path("clip.mp4"), width, height, 30.0, 10, 0, 0.333)


def frame(width: int = 640, height: int = 360) -> Frame:
    return Frame(3, 0.1, np.full((height, width, 3), GREY, np.uint8))


def colour_distance(picture: NDArray[np.uint8], colour: Colour) -> NDArray[np.int64]:
    """(H, W) largest difference of a channel."""
    return np.abs(picture.astype(np.int64) - colour).max(-1)


def body(width: float = 100.0) -> NDArray[np.float64]:
    """(21, 2) px: a plain figure seen from the front; the person's left is at larger x."""
    rows = {
        "nose": 30,
        "eye": 26,
        "ear": 28,
        "shoulder": 60,
        "elbow": 100,
        "wrist": 140,
        "hip": 140,
        "knee": 200,
    }
    points = np.zeros((21, 2))
    for joint, name in enumerate(COCO_21.joints):
        part = name.split("_")[-1]
        sign = 1 if name.startswith("left") else -1 if name.startswith("right") else 0
        aside = {"heel": -0.1, "toe": 0.4}.get(part, 0.0) + 0.5
        points[joint] = 150 + sign * aside * width, rows.get(part, 275 if aside != 0.5 else 260)
    return points
