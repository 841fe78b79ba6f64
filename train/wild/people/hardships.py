"""What makes filmed people hard to see: few pixels, little light, blur, steep views, other people.

Each shot draws its hardships one by one, so that many have several. What the camera does to the
picture is in `scenery.Sensor`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.types import Floats, Intrinsics
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.people.body import Body
from train.wild.people.posing import least_rotation

_ABOVE_DEG = (25.0, 70.0)  # pitch of a camera that looks down
_BEHIND_DEG = 35.0  # standard deviation of the heading about straight away from the camera
_BODY_LIGHT = (0.08, 0.35)  # of a body against the light
_GAP_M = (0.4, 1.0)  # by how much the person in front is nearer
_OFF_LINE_M = 0.3  # from the line of sight, at most, half-way through the shot
_PASSING_M = 3.0  # sideways on top of the own motion, from the first frame to the last, at most
_EDGES = ("bottom", "left", "right", "top")
_EDGE_CHANCES = (0.5, 0.2, 0.2, 0.1)
_CUT_SHARE = (0.15, 0.5)  # of the body beyond the edge
_EXPOSURE_FRAMES = (0.5, 1.5)
_EXPOSURES = 4  # pictures averaged


@dataclass(frozen=True)
class Hardships:
    """The chance that a shot has each hardship, in 0…1.

    Raises:
        UsageError: A chance is out of its range.
    """

    small: float = 0.35
    """Few pixels: the person is 28 to 90 px long."""
    dark: float = 0.15
    """Little light."""
    backlit: float = 0.2
    """A body of which little light comes, before what is lit."""
    blurred: float = 0.25
    """A long exposure of what moves, and out of focus."""
    compressed: float = 0.25
    """A JPEG of lowest quality."""
    cut: float = 0.2
    """A part of the body beyond the picture's edge, mostly the legs."""
    covered: float = 0.25
    """Another person passes in front."""
    above: float = 0.3
    """A camera that looks down by 25 to 70 degrees."""
    behind: float = 0.35
    """A person who faces away."""

    def __post_init__(self) -> None:
        for name, chance in vars(self).items():
            if not 0 <= chance <= 1:
                raise UsageError(f"--hard {name}={chance:g}: expected a chance in 0…1")

    def draw(self, rng: np.random.Generator) -> frozenset[str]:
        """Draw a shot's hardships."""
        return frozenset(name for name in HARDSHIPS if rng.random() < getattr(self, name))


HARDSHIPS = tuple(entry.name for entry in fields(Hardships))
"""Their names, in the order of `Shots.hardships`."""


def turn_to_view(
    joints: Floats, up: Floats, hard: frozenset[str], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Turn a performance about its middle frame's pelvis, so that it is seen from above or behind.

    Args:
        joints: (T, 22, 3) in camera space, metres.
        up: (3,) the world's up there.
        hard: The shot's hardships.
        rng: Decides the angles.

    Returns:
        The joints and the world's up, turned; as given where neither is among the hardships.
    """
    if "above" in hard:
        pitch = math.radians(rng.uniform(*_ABOVE_DEG))
        seen_up = np.array([0.0, -math.cos(pitch), -math.sin(pitch)])
        joints, up = _turned(joints, least_rotation(up[None], seen_up[None])[0]), seen_up
    if "behind" in hard:
        middle = dict(zip(MOCAP_JOINTS, joints[len(joints) // 2], strict=True))
        facing = np.cross(middle["l_hip"] - middle["r_hip"], up)  # level
        away = middle["pelvis"]
        angle = math.atan2(up @ np.cross(facing, away), facing @ (away - up * (up @ away)))
        angle += math.radians(rng.normal(0, _BEHIND_DEG))
        joints = _turned(joints, cv2.Rodrigues(up * angle)[0])
    return joints, up


def place_in_front(
    joints: Floats, up: Floats, of: Floats, of_up: Floats, rng: np.random.Generator
) -> Floats:
    """Move a performance in front of another one, with the pelvis as high, and let it pass by.

    Args:
        joints: (T, 22, 3) the performance, in its own camera's axes, metres.
        up: (3,) the world's up in those axes.
        of: (T, 22, 3) the other one.
        of_up: (3,) the world's up in its axes.
        rng: Decides where exactly.

    Returns:
        (T, 22, 3) in the axes of `of`.
    """
    middle = len(of) // 2
    hidden = of[middle, 0]
    towards = of_up * (of_up @ hidden) - hidden
    towards = towards / np.linalg.norm(towards)
    aside = np.cross(of_up, towards)
    passing = rng.uniform(-_PASSING_M, _PASSING_M) * np.linspace(-0.5, 0.5, len(of))
    aside_m = rng.uniform(-_OFF_LINE_M, _OFF_LINE_M) + passing
    turned = _turned(joints, least_rotation(up[None], of_up[None])[0])
    pelvis = hidden + rng.uniform(*_GAP_M) * towards + aside_m[:, None] * aside
    return np.asarray(turned - turned[middle, 0] + pelvis[:, None])


def cut_off(
    lens: Intrinsics, points: Floats, size: tuple[int, int], rng: np.random.Generator
) -> Intrinsics:
    """Shift a picture so that one of its edges cuts through a person.

    Args:
        lens: The camera.
        points: (N, 2) px of the person in one frame.
        size: Width and height of the picture, px.
        rng: Decides the edge and how much of the person lies beyond it.
    """
    edge = rng.choice(_EDGES, p=_EDGE_CHANCES)
    share = rng.uniform(*_CUT_SHARE)
    axis = 0 if edge in ("left", "right") else 1
    low, high = points[:, axis].min(), points[:, axis].max()
    if edge in ("bottom", "right"):
        shift = size[axis] - (high - share * (high - low))
    else:
        shift = -(low + share * (high - low))
    if axis == 0:
        return replace(lens, cx=lens.cx + float(shift))
    return replace(lens, cy=lens.cy + float(shift))


def against_the_light(body: Body, rng: np.random.Generator) -> Body:
    """A body of which little light comes."""
    light = np.array([*[rng.uniform(*_BODY_LIGHT)] * 3, 1.0])
    parts = [replace(part, texture=(part.texture * light).astype(np.uint8)) for part in body.parts]
    return replace(body, parts=tuple(parts))


def exposed(
    draw: Callable[[Floats], NDArray[np.uint8]], matrices: Floats, index: int, exposure: float
) -> NDArray[np.uint8]:
    """The mean of pictures drawn while the shutter is open.

    Args:
        draw: From matrices to a picture, as `Studio.scene` yields.
        matrices: (T, …) of all frames; linear in between.
        index: The frame in the middle of the exposure.
        exposure: How long the shutter is open, in frames; 0 draws one picture.
    """
    if not exposure:
        return draw(matrices[index])
    last = len(matrices) - 1
    total = np.zeros(())
    for moment in index + exposure * np.linspace(-0.5, 0.5, _EXPOSURES):
        before = min(max(math.floor(moment), 0), last - 1)
        part = min(max(moment - before, 0.0), 1.0)
        total = total + draw((1 - part) * matrices[before] + part * matrices[before + 1])
    return np.asarray(total / _EXPOSURES, np.uint8)


def draw_exposure(hard: frozenset[str], rng: np.random.Generator) -> float:
    """How long the shutter is open, in frames."""
    return float(rng.uniform(*_EXPOSURE_FRAMES)) if "blurred" in hard else 0.0


def _turned(joints: Floats, rotation: Floats) -> Floats:
    """Joints (T, 22, 3) turned about the pelvis of the middle frame."""
    centre = joints[len(joints) // 2, 0]
    return np.asarray((joints - centre) @ rotation.T + centre)
