"""Made-up people before made-up cameras, and what grounding makes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from core.skeletons import H36M_17, H36M_21, Skeleton
from core.types import CameraPoses, Floats
from pipeline.grounding.feet.contacts import contact_speeds
from pipeline.grounding.feet.leg_ik import solve_two_bone_ik
from pipeline.grounding.feet.shape import HEELS, TOES
from pipeline.grounding.feet.soles import ANKLES, Bools
from pipeline.grounding.options import Camera
from pipeline.grounding.person_motion import PersonMotion
from pipeline.grounding.world import estimate_world
from testkit.walker import walking

FPS = 30.0
HIPS, KNEES = H36M_17.indices(("l_hip", "r_hip")), H36M_17.indices(("l_knee", "r_knee"))
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Rotation from world axes to the axes of a level camera that looks along y."""
FOOT_M = np.array([[-0.05, 0.0, -0.08], [0.15, 0.0, -0.08]])
"""Heel and toe of a flat foot that points along x, from its ankle."""


@dataclass(frozen=True)
class Grounded:
    """All people in the world: joints (T, J, 3) m and contacts (T, 4) of each; up (3,)."""

    joints: list[Floats]
    contacts: list[Bools]
    up: Floats

    @property
    def skate(self) -> Floats:
        """(N,) m/s of feet in contact."""
        return np.concatenate(
            [
                contact_speeds(joints, contacts, skeleton_of(joints), FPS)
                for joints, contacts in zip(self.joints, self.contacts, strict=True)
            ]
        )


def skeleton_of(joints: Floats) -> Skeleton:
    """The skeleton of made joints (T, J, 3)."""
    return H36M_17 if joints.shape[1] == len(H36M_17) else H36M_21


def ground(
    people: list[CameraPoses],
    camera: Camera = "static",
    feet_seen: bool = True,
    frames: list[NDArray[np.int64]] | None = None,
) -> Grounded:
    """Ground people of one camera; `frames` are those of the video, from 0 for all by default."""
    lengths = [len(person.root_m) for person in people]
    motions = [
        PersonMotion(person, own, np.full((length, 2), feet_seen))
        for person, own, length in zip(
            people, frames or map(np.arange, lengths), lengths, strict=True
        )
    ]
    world = estimate_world(motions, FPS, camera)
    joints, contacts = zip(*map(world.ground, motions), strict=True)
    return Grounded(list(joints), list(contacts), world.up)


def marching(frames: int = 150, aside: float = 0.0) -> Floats:
    """World joints (T, 17, 3) of a body that walks along x on a floor at 0.

    Each foot is in contact for half a second at a time. `aside` is the walker's y, metres.
    """
    joints = walking(frames) @ UPRIGHT
    facing_x = np.array([[0.71, -0.71], [0.71, 0.71]])
    joints[:, :, :2] = joints[:, :, :2] @ facing_x
    time = np.arange(frames) / FPS
    joints += np.column_stack([time, np.full(frames, aside), np.full(frames, 0.86)])[:, None]
    for foot, late in ((0, 0.0), (1, 0.5)):
        cycle, phase = np.divmod(time + late, 1.0)
        swing = np.clip(phase - 0.5, 0.0, 0.5) * 2
        eased = swing * swing * (3 - 2 * swing)
        hip = joints[:, HIPS[foot]]
        x = cycle - late + eased + 0.25
        ankle = np.column_stack([x, hip[:, 1], 0.08 + 0.15 * np.sin(np.pi * swing) ** 2])
        knee = hip + (ankle - hip) / 2 + [0.2, 0.0, 0.0]
        bent = hip + 0.42 * (knee - hip) / np.linalg.norm(knee - hip, axis=-1, keepdims=True)
        shin = bent + 0.42 * (ankle - bent) / np.linalg.norm(ankle - bent, axis=-1, keepdims=True)
        joints[:, KNEES[foot]], joints[:, ANKLES[foot]] = solve_two_bone_ik(hip, bent, shin, ankle)
    return joints


def rolling(frames: int = 150) -> tuple[Floats, Bools]:
    """World joints (T, 21, 3) of `marching` whose feet roll off, and true contacts (T, 4).

    Of each second, a foot strikes with its heel, is flat from 0.1 s on, stands on its toe from
    0.35 s on and leaves the floor at 0.55 s.
    """
    joints = np.concatenate([marching(frames), np.zeros((frames, 4, 3))], axis=1)
    contacts = np.zeros((frames, 4), dtype=bool)
    time = np.arange(frames) / FPS
    for foot, late in ((0, 0.0), (1, 0.5)):
        cycle, phase = np.divmod(time + late, 1.0)
        strike = np.radians(20.0) * np.clip(1 - phase / 0.1, 0.0, 1.0)
        heel_off = -np.radians(45.0) * np.clip((phase - 0.35) / 0.2, 0.0, 1.0) ** 2
        swing = np.clip((phase - 0.55) / 0.45, 0.0, 1.0)
        eased = swing * swing * (3 - 2 * swing)
        pitch = strike + heel_off + np.radians(65.0) * eased
        axes = Rotation.from_rotvec(-pitch[:, None] * [0.0, 1.0, 0.0])
        on_heel = -axes.apply(FOOT_M[0])
        on_toe = FOOT_M[1] - FOOT_M[0] - axes.apply(FOOT_M[1])
        ankle = np.where((phase < 0.1)[:, None], on_heel, on_toe)
        ankle += eased[:, None] * (on_heel - on_toe + np.array([1.0, 0.0, 0.0]))
        ankle += np.stack([cycle - late + 0.1, joints[:, HIPS[foot], 1], np.zeros(frames)], 1)
        ankle[:, 2] += 0.06 * np.sin(np.pi * swing) ** 2
        hip, knee = joints[:, HIPS[foot]], joints[:, KNEES[foot]]
        joints[:, KNEES[foot]], joints[:, ANKLES[foot]] = solve_two_bone_ik(
            hip, knee, joints[:, ANKLES[foot]], ankle
        )
        joints[:, HEELS[foot]] = joints[:, ANKLES[foot]] + axes.apply(FOOT_M[0])
        joints[:, TOES[foot]] = joints[:, ANKLES[foot]] + axes.apply(FOOT_M[1])
        contacts[:, 2 * foot] = phase < 0.35
        contacts[:, 2 * foot + 1] = (phase >= 0.1) & (phase < 0.55)
    return joints, contacts


def filmed(
    joints: Floats, pitch_deg: float = 0.0, away: float = 6.0, depth_error: float = 0.0
) -> CameraPoses:
    """World joints before a camera 1.5 m above the floor that looks down by `pitch_deg`.

    `away` is its distance, metres; `depth_error` the share by which roots seem too far.
    """
    turn = Rotation.from_euler("x", pitch_deg, degrees=True).as_matrix() @ UPRIGHT
    seen = (joints - [0.0, -away, 1.5]) @ turn.T
    return CameraPoses(seen - seen[:, :1], seen[:, 0] * (1 + depth_error), skeleton_of(joints))


def with_lifter_errors(poses: CameraPoses, seed: int = 0) -> CameraPoses:
    """Poses whose joints are off by 3 cm and whose depth is off by 2 %, both slowly changing."""
    rng = np.random.default_rng(seed)

    def wander(*shape: int) -> Floats:
        noise = gaussian_filter1d(
            rng.standard_normal((len(poses.root_m), *shape)), 6.0, axis=0, mode="wrap"
        )
        return noise / noise.std()

    joints = poses.joints_m.copy()
    joints[:, :17] += 0.03 * wander(17, 3)
    depth = 1 + 0.02 * wander(1)
    if poses.skeleton == H36M_21:  # feet go with their ankles and point elsewhere
        for foot in range(2):
            turn = Rotation.from_rotvec(np.radians(8.0) * wander(3))
            for points in (HEELS, TOES):
                bone = poses.joints_m[:, points[foot]] - poses.joints_m[:, ANKLES[foot]]
                joints[:, points[foot]] = joints[:, ANKLES[foot]] + turn.apply(bone)
    return CameraPoses(joints - joints[:, :1], poses.root_m * depth, poses.skeleton)


def lying() -> Floats:
    """World joints (60, 17, 3) of a body that lies on its left side, across the view."""
    joints = marching()[:1] - [0.0, 0.0, 0.86]
    turn = Rotation.from_euler("xz", [-90, 90], degrees=True).as_matrix()
    return np.repeat(joints @ turn.T + [0.0, 0.0, 0.3], 60, axis=0)
