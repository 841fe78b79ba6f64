"""A person who never does the same twice, sampled at any times and seen from any side.

Limbs follow sums of sines without a common period, so that two recordings fit at one offset only.
"""

from dataclasses import dataclass

import numpy as np

from core.skeletons import H36M_21
from core.types import Floats, Intrinsics
from testkit.walker import keypoints

LENS = Intrinsics(1000.0, 1000.0, 640.0, 360.0, "given")
SIZE = (1280, 720)
_RATES_HZ = np.array([0.23, 0.41, 0.67, 0.97, 1.31])
_AMPLITUDE = np.array([0.5, 0.35, 0.3, 0.2, 0.12])


@dataclass(frozen=True)
class View:
    """A level camera `distance_m` from where the person is, turned around them by `turn_rad`."""

    turn_rad: float
    distance_m: float = 4.0
    lens: Intrinsics = LENS

    def of(self, joints: Floats) -> tuple[Floats, Floats]:
        """Joints relative to the pelvis (T, 21, 3) and the pelvis (T, 3) m in camera axes.

        Args:
            joints: (T, 21, 3) as `gestures` gives them.
        """
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        turned = joints @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        root = turned[:, 0] + [0.0, 0.3, self.distance_m]
        return turned - turned[:, :1], root

    def keypoints(self, joints: Floats) -> Floats:
        """(T, 21, 2) px, COCO-21."""
        return keypoints(*self.of(joints), self.lens)


def gestures(times_s: Floats, seed: int = 0) -> Floats:
    """A person who stands, sways, steps and gesticulates.

    Args:
        times_s: (T,) seconds.
        seed: Of what they do.

    Returns:
        (T, 21, 3) metres, axes x right, y down, z away, `H36M_21`; the pelvis stays near 0.
    """
    random = np.random.default_rng(seed)

    def wave(size: float) -> Floats:
        phases = random.uniform(0, 2 * np.pi, len(_RATES_HZ))
        rates = _RATES_HZ * random.uniform(0.85, 1.15, len(_RATES_HZ))
        angles = 2 * np.pi * rates * np.asarray(times_s)[:, None] + phases
        return np.asarray(size * (np.sin(angles) * _AMPLITUDE).sum(1))

    at = {name: np.zeros((len(times_s), 3)) for name in H36M_21.joints}
    at["pelvis"] = np.stack([wave(0.15), wave(0.02), wave(0.15)], 1)
    lean = np.stack([wave(0.1), wave(0.0), wave(0.1)], 1)
    for name, height in (
        ("spine", 0.23),
        ("thorax", 0.45),
        ("neck_base", 0.55),
        ("head_top", 0.75),
    ):
        at[name] = at["pelvis"] + [0.0, -height, 0.0] + lean * height
    for side, sign in (("r", -1.0), ("l", 1.0)):
        outward = np.array([sign, 0.0, 0.0])
        hip = at["pelvis"] + 0.11 * outward
        knee = hip + _bone(np.stack([wave(0.1), 1 + wave(0.0), -0.2 + wave(0.3)], 1), 0.43)
        ankle = knee + _bone(np.stack([wave(0.1), 1 + wave(0.0), 0.2 + wave(0.3)], 1), 0.42)
        shoulder = at["thorax"] + 0.17 * outward
        elbow = shoulder + _bone(
            np.stack([sign * (0.4 + wave(0.6)), 0.3 + wave(0.9), wave(0.8)], 1), 0.28
        )
        wrist = elbow + _bone(np.stack([sign * wave(0.6), wave(0.9), -0.7 + wave(0.4)], 1), 0.25)
        at[f"{side}_hip"], at[f"{side}_knee"], at[f"{side}_ankle"] = hip, knee, ankle
        at[f"{side}_shoulder"], at[f"{side}_elbow"], at[f"{side}_wrist"] = shoulder, elbow, wrist
        at[f"{side}_heel"] = ankle + np.array([0.0, 0.07, 0.05])
        at[f"{side}_toe"] = ankle + np.array([0.0, 0.08, -0.18])
    return np.stack([at[name] for name in H36M_21.joints], 1)


def _bone(direction: Floats, length: float) -> Floats:
    return length * direction / np.linalg.norm(direction, axis=1, keepdims=True)
