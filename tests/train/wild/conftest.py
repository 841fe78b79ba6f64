"""A captured performance, and shots of a walker."""

import math

import pytest

from testkit.made.motion import bvh
from tests.train.wild.made_people import walker_shots
from train.wild.motion.mocap import MotionClip, clip_from_bvh
from train.wild.people.shots import Shots


@pytest.fixture(scope="session")
def clip() -> MotionClip:
    """Four seconds of marching on the spot with swinging arms."""
    frames = []
    for t in range(240):
        swing = 40 * math.sin(2 * math.pi * t / 60)
        frames.append({
            "place": [t / 30, 15.6, 0], "LeftUpLeg": [0, 0, swing], "RightUpLeg": [0, 0, -swing],
            "LeftArm": [-70, swing, 0], "RightArm": [70, swing, 0], "LeftForeArm": [0, -30, 0],
        })  # fmt: skip
    return clip_from_bvh(bvh(frames), "march_made_001")


@pytest.fixture
def shots() -> Shots:
    return walker_shots()
