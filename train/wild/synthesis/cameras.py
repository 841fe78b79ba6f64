"""Cameras of synthetic windows: how they are turned, and where in their view the person is."""

import math

import torch
from torch import Tensor

from train.wild.synthesis.recipe import Recipe
from train.wild.synthesis.tensors import RandomTensors, rotation_from_vector

_STEEP_DEG = (-30.0, 70.0)
_ROLL_SHARE, _ROLL_DEG, _LEVEL_ROLL_DEG = 0.15, 35.0, 4.0
"""Share of cameras with any roll up to that angle; standard deviation of the others' roll."""
_TUMBLE_RAD = 1.2
_FOV_DEG = (25.0, 100.0)
_FILLS = (0.12, 1.3)  # the person's share of the picture's height or width
_STATURE_M = 1.7
_DISTANCE_M = (1.6, 40.0)


def camera_rotations(random: RandomTensors, recipe: Recipe, size: int) -> Tensor:
    """Rotations from the world (z up) to the camera (x right, y down, z forward).

    R = Rz(roll) · Rx(pitch) · U · Rz(yaw) · B, where U looks along the world's y axis and B, the
    identity for most, turns the body in the world. Yaw is uniform; a positive pitch looks down.

    Returns:
        (size, 3, 3).
    """
    yaw = random.uniform(size, high=2 * math.pi)
    mean, deviation = (math.radians(angle) for angle in recipe.level_deg)
    level = random.normal(size) * deviation + mean
    low, high = (math.radians(angle) for angle in _STEEP_DEG)
    steep = random.uniform(size, low=low, high=high)
    pitch = torch.where(random.chance(recipe.steep, size), steep, level)
    largest = math.radians(_ROLL_DEG)
    tilted = random.uniform(size, low=-largest, high=largest)
    roll = torch.where(
        random.chance(_ROLL_SHARE, size),
        tilted,
        random.normal(size) * math.radians(_LEVEL_ROLL_DEG),
    )
    zero = torch.zeros_like(yaw)
    upright = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], device=yaw.device)  # U
    heading = rotation_from_vector(torch.stack([zero, zero, yaw], -1))
    nod = rotation_from_vector(torch.stack([pitch, zero, zero], -1))
    lean = rotation_from_vector(torch.stack([zero, zero, roll], -1))
    tumbled = rotation_from_vector(random.normal(size, 3) * _TUMBLE_RAD)
    body = torch.where(
        random.chance(recipe.tumble, size)[:, None, None],
        tumbled,
        torch.eye(3, device=yaw.device),
    )
    return lean @ nod @ upright @ heading @ body


def pelvis_positions(random: RandomTensors, size: int) -> Tensor:
    """Positions of the pelvis in camera space, anywhere in the views of many lenses.

    A person of stature h fills the share s of a picture with field of view α at the distance
    z = h / (2 s tan(α/2)); s is log-uniform, α uniform.

    Returns:
        (size, 3) metres.
    """
    low, high = (math.radians(angle) for angle in _FOV_DEG)
    half = torch.tan(random.uniform(size, low=low, high=high) / 2)  # tan(α/2)
    fills = torch.exp(random.uniform(size, low=math.log(_FILLS[0]), high=math.log(_FILLS[1])))
    distance = (_STATURE_M / (2 * half * fills)).clamp(*_DISTANCE_M)
    offset = random.normal(size, 2).clamp(-2, 2) * 0.35 * half[:, None].clamp(max=0.9)
    return torch.cat([offset * distance[:, None], distance[:, None]], 1)
