"""A person in a pose of known angles."""

import numpy as np
from scipy.spatial.transform import Rotation

from core.skeletons import H36M_21
from core.types import Floats

_THIGH, _SHANK, _UPPER_ARM, _FOREARM = 0.42, 0.41, 0.29, 0.25


def posed(
    hip: tuple[float, float] = (0, 0),
    knee: float = 0,
    ankle: float = 0,
    shoulder: tuple[float, float] = (0, 0),
    elbow: float = 0,
    trunk: tuple[float, float, float] = (0, 0, 0),
    facing: float = 0,
) -> Floats:
    """A pose (21, 3) of `H36M_21`, metres, z up; both sides alike.

    Args:
        hip: Flexion and adduction, degrees.
        knee: Flexion.
        ankle: Dorsiflexion.
        shoulder: Flexion and adduction.
        elbow: Flexion.
        trunk: Lean forward, lean to the right, turn of the shoulders to the left.
        facing: Turn about the vertical.
    """
    # built with x forward, y to the left, z up
    whole = Rotation.from_euler("z", facing, degrees=True)
    lean, aside, turn = np.radians(trunk)
    up = np.array([np.tan(lean), -np.tan(aside), 1.0])
    up /= np.linalg.norm(up)
    points = {"pelvis": np.zeros(3)}
    hips = np.array([0.0, 1.0, 0.0])
    hips -= hips @ up * up if trunk[1] else 0  # they stay level unless the trunk leans aside
    hips /= np.linalg.norm(hips)
    forward = np.cross(hips, up)
    points["spine"], points["thorax"] = 0.22 * up, 0.45 * up
    points["neck_base"], points["head_top"] = 0.55 * up, 0.72 * up
    across = Rotation.from_rotvec(turn * up).apply(hips)
    chest = np.cross(across, up)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        at = points[f"{side}_hip"] = 0.11 * sign * hips
        thigh = _limb(forward, up, hips, *hip, sign)
        at = points[f"{side}_knee"] = at + _THIGH * thigh
        axis = np.cross(thigh, forward) if abs(thigh @ forward) < 0.9 else np.cross(up, thigh)
        axis = -axis / np.linalg.norm(axis)  # a knee bends back
        shank = Rotation.from_rotvec(-np.radians(knee) * axis).apply(thigh)
        at = points[f"{side}_ankle"] = at + _SHANK * shank
        ahead = Rotation.from_rotvec(np.pi / 2 * axis).apply(shank)
        sole = Rotation.from_rotvec(np.radians(ankle) * axis).apply(ahead)
        points[f"{side}_heel"] = at + 0.06 * shank - 0.05 * sole
        points[f"{side}_toe"] = at + 0.06 * shank + 0.17 * sole
        at = points[f"{side}_shoulder"] = points["thorax"] + 0.18 * sign * across
        arm = _limb(chest, up, across, *shoulder, sign)
        at = points[f"{side}_elbow"] = at + _UPPER_ARM * arm
        hinge = np.cross(arm, across * sign + 0.3 * chest)
        hinge /= np.linalg.norm(hinge)
        fore = Rotation.from_rotvec(np.radians(elbow) * hinge).apply(arm)
        points[f"{side}_wrist"] = at + _FOREARM * fore
    pose = np.stack([points[name] for name in H36M_21.joints])
    return np.asarray(whole.apply(pose) + np.array([0.3, -0.2, 0.95]))


def _limb(
    forward: Floats, up: Floats, left: Floats, flexion: float, adduction: float, sign: float
) -> Floats:
    """The direction of a limb: raised by `flexion`, then swung in by `adduction`, degrees."""
    raised, inward = np.radians((flexion, adduction))
    flat = np.sin(raised) * forward - np.cos(raised) * up
    return np.asarray(np.cos(inward) * flat - np.sin(inward) * sign * left)
