"""CMU's database in the "Huge FBX Mocap Library", brought back onto the database's own skeleton.

The library (W. Dewaele) was made of cgspeed's conversion for Daz figures, so all takes have one
skeleton with other proportions and axes, and its feet have no toes. A bone of CMU's skeleton is
rigid in the axes of the joint of that skeleton that moves it: x_j = x_p + R_d v_j with the bone's
vector v_j in the axes of its driver d. The vectors were fitted to 97 takes that exist in both
forms: the mean of R_dᵀ(x_j - x_p) over their frames, left and right averaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from core.runs import true_runs
from core.types import Array, Floats
from train.wild.motion.fbx import FbxMotion

CMU_POINTS = (
    "Hips", "LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase", "LeftToeBase_end",
    "RHipJoint", "RightUpLeg", "RightLeg", "RightFoot", "RightToeBase", "RightToeBase_end",
    "LowerBack", "Spine", "Spine1", "Neck", "Neck1", "Head", "Head_end",
    "LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand",
    "RightShoulder", "RightArm", "RightForeArm", "RightHand",
    "LeftFootUp", "RightFootUp", "HeadFront",
)  # fmt: skip
"""CMU's joints; a point above each ankle, across the sole; and one before the neck's top."""

_MIDDLE = {  # bone: the joint that it ends at → parent, driver, vector in millimetres
    "Spine": ("Hips", "abdomen", (117, 0, -5)),
    "Spine1": ("Spine", "abdomen", (117, 0, 3)),
    "Neck": ("Spine1", "chest", (115, 0, 21)),
    "Neck1": ("Neck", "neck", (89, 0, -34)),
    "Head": ("Neck1", "head", (66, 0, -68)),
    "Head_end": ("Head", "head", (81, 0, -53)),
    "HeadFront": ("Head", "head", (47, 0, 88)),
}
_LEFT = {
    "UpLeg": ("Hips", "hip", (-101, -87, 49)),
    "Leg": ("UpLeg", "Thigh", (399, 7, 41)),
    "Foot": ("Leg", "Shin", (431, 8, -24)),
    "ToeBase": ("Foot", "Foot", (122, 12, -4)),
    "FootUp": ("Foot", "Foot", (-28, 8, -96)),
    "FootFront": ("Foot", "Foot", (95, 12, -28)),
    "Arm": ("Neck", "Collar", (165, 89, -53)),
    "ForeArm": ("Arm", "Shldr", (296, -26, -6)),
    "Hand": ("ForeArm", "ForeArm", (169, -45, -42)),
}
_HIPS_MM = (101, 0, -49)  # from between the hip joints, in the axes of "hip"
_COINCIDE = {
    "LHipJoint": "Hips", "RHipJoint": "Hips", "LowerBack": "Hips",
    "LeftShoulder": "Neck", "RightShoulder": "Neck",
}  # fmt: skip
_SIDES = (("Left", "l", 1), ("Right", "r", -1))
_UNIT_M = 0.01
_TOE_M = 0.061
_CLEARANCE_M = 0.07  # how high the ball of the foot is where toes need not bend
_MOST_FLEXED = np.radians(65)
_HINGES = {  # limb → its joints, its driver, the axis of its left hinge, degrees it overextends
    "leg": (("UpLeg", "Leg", "Foot"), "Thigh", (0.02, -1, 0.02), 14),
    "arm": (("Arm", "ForeArm", "Hand"), "Shldr", (-0.05, -0.85, 0.52), 25),
}
_MAX_SPEED_M_S, _MAX_ACCELERATION_M_S2 = 15.6, 173.0  # of a joint relative to the pelvis
_MAX_PELVIS_M_S = 8.4
_MARGIN_S, _LEAST_S = 1 / 6, 1.5


@dataclass(frozen=True)
class DazMotion:
    """What moves CMU's bones in a take of the library.

    turns, of each driver by its name, are (T, 4) quaternions x y z w; hips_m (T, 3) the point
    between the hip joints, y up.
    """

    fps: float
    turns: Mapping[str, Floats]
    hips_m: Floats

    @classmethod
    def of(cls, motion: FbxMotion) -> "DazMotion":
        """Take a file apart; its first frame, a T-pose, is left out.

        Raises:
            KeyError: The file has another skeleton.
        """
        drivers = {driver for _, driver, _ in _bones().values()}
        hips = (motion.positions["lThigh"] + motion.positions["rThigh"]) / 2
        turns = {name: motion.rotations[name].as_quat()[1:] for name in drivers}
        return cls(motion.fps, turns, hips[1:] * _UNIT_M)

    def cut(self, first: int, end: int) -> "DazMotion":
        """The frames from `first` to before `end`."""
        turns = {name: turn[first:end] for name, turn in self.turns.items()}
        return DazMotion(self.fps, turns, self.hips_m[first:end])

    def resample(self, fps: float) -> "DazMotion":
        """Cubic splines through the hips' positions and the quaternions."""
        times = np.arange(len(self.hips_m)) / self.fps
        wanted = np.arange(int(times[-1] * fps) + 1) / fps
        turns = {}
        for name, turn in self.turns.items():
            # q and -q are one rotation: take the one nearer to that of the frame before.
            sign = np.where((turn[1:] * turn[:-1]).sum(1) < 0, -1.0, 1.0)
            near = turn * np.cumprod(np.concatenate([[1.0], sign]))[:, None]
            turns[name] = CubicSpline(times, near)(wanted)
        return DazMotion(fps, turns, CubicSpline(times, self.hips_m)(wanted))


def cmu_points(motion: DazMotion) -> dict[str, Floats]:
    """Where `CMU_POINTS` are, (T, 3) metres with y up, and each `FootFront`, before the ankle.

    The bone below the neck has its length. Toes lie in the sole's direction, but for those that
    would reach into the floor: they bend so that their tip is no lower than the foot's ball is
    when it stands. The floor is where the lower foot is in the lowest 3 % of the frames.
    """
    turns = {name: Rotation.from_quat(turn) for name, turn in motion.turns.items()}
    points: dict[str, Floats] = {
        "Hips": motion.hips_m + turns["hip"].apply(np.array(_HIPS_MM) / 1000)
    }
    for joint, (parent, driver, vector) in _bones().items():
        points[joint] = points[parent] + turns[driver].apply(np.array(vector) / 1000)
    for joint, same in _COINCIDE.items():
        points[joint] = points[same]
    balls = [points[f"{word}ToeBase"][:, 1] for word, _, _ in _SIDES]
    floor = np.percentile(np.minimum(*balls), 3)
    for word, _, _ in _SIDES:
        ball = points[f"{word}ToeBase"]
        up, forward = _foot_axes(points, word)
        room = np.arcsin(np.clip((ball[:, 1] - floor) / _CLEARANCE_M, 0, 1))
        flexed = np.arcsin(np.clip(-forward[:, 1], -1, 1)) - room
        flexed = np.where(up[:, 1] > -0.2, np.clip(flexed, 0, _MOST_FLEXED), 0)[:, None]
        points[f"{word}ToeBase_end"] = ball + _TOE_M * (
            np.cos(flexed) * forward + np.sin(flexed) * up
        )
    return points


def sound_stretches(motion: DazMotion) -> list[tuple[int, int]]:
    """First frames and ends of what can be learnt from: all, or stretches of 1.5 s and more.

    Out goes where knees or elbows bend the wrong way or sideways, feet point where no ankle lets
    them, or joints jump, and a sixth of a second around it.
    """
    points = cmu_points(motion)
    wrong = _jumps(points, motion.fps)
    for word, letter, mirror in _SIDES:
        for joints, driver, axis, most in _HINGES.values():
            upper, middle, end = (points[f"{word}{joint}"] for joint in joints)
            hinge = Rotation.from_quat(motion.turns[f"{letter}{driver}"]).apply(
                np.array(axis) * [mirror, 1, mirror]
            )
            first, second = _unit(middle - upper), _unit(end - middle)
            normal = np.cross(first, second)
            along_hinge = (normal * hinge).sum(1)
            bend = np.degrees(np.arctan2(along_hinge, (first * second).sum(1)))
            size = np.linalg.norm(normal, axis=1)
            wrong |= (bend < -most) | ((size > 0.6) & (along_hinge < 0.3 * size))
        shin = _unit(points[f"{word}Foot"] - points[f"{word}Leg"])
        ankle = (shin * _foot_axes(points, word)[1]).sum(1)
        wrong |= (ankle > np.cos(np.radians(18))) | (ankle < np.cos(np.radians(150)))
    if not wrong.any():
        return [(0, len(wrong))]
    margin = round(_MARGIN_S * motion.fps)
    wrong = np.convolve(wrong, np.ones(2 * margin + 1), "same") > 0.5
    least = _LEAST_S * motion.fps
    return [(first, end) for first, end in true_runs(~wrong) if end - first >= least]


def _bones() -> dict[str, tuple[str, str, tuple[int, int, int]]]:
    """All bones, parents before their children: parent, driver, vector in millimetres."""
    bones = dict(_MIDDLE)
    for word, letter, mirror in _SIDES:
        for joint, (parent, driver, (x, y, z)) in _LEFT.items():
            above = parent if parent in ("Hips", *_MIDDLE) else f"{word}{parent}"
            bones[f"{word}{joint}"] = (
                above, driver if driver == "hip" else f"{letter}{driver}", (x, mirror * y, z)
            )  # fmt: skip
    return bones


def _foot_axes(points: Mapping[str, Floats], word: str) -> tuple[Floats, Floats]:
    """(T, 3) unit vectors across a foot's sole and along it."""
    ankle = points[f"{word}Foot"]
    up = _unit(points[f"{word}FootUp"] - ankle)
    front = points[f"{word}FootFront"] - ankle
    return up, _unit(front - up * (front * up).sum(-1, keepdims=True))


def _jumps(points: Mapping[str, Floats], fps: float) -> Array:
    """(T,) whether the pelvis or a joint in its frame moves as no person does."""
    hips = points["Hips"]
    wrong = np.zeros(len(hips), bool)
    wrong[1:] = np.linalg.norm(np.diff(hips, axis=0), axis=1) * fps > _MAX_PELVIS_M_S
    for joint in ("Head", *(f"{word}{joint}" for word, _, _ in _SIDES for joint in _LEFT)):
        steps = np.diff(points[joint] - hips, axis=0) * fps
        wrong[1:] |= np.linalg.norm(steps, axis=1) > _MAX_SPEED_M_S
        changes = np.diff(steps, axis=0) * fps
        wrong[1:-1] |= np.linalg.norm(changes, axis=1) > _MAX_ACCELERATION_M_S2
    return wrong


def _unit(vectors: Floats) -> Floats:
    """(…, 3) vectors of length 1."""
    units: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return units
