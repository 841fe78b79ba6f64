"""Which way is up, from people: those who stand have their weight above their feet.

Three kinds of evidence, each with its own uncertainty, so that a tilted camera, a bad lift or a
stair is outvoted:

- Most cameras are held nearly level.
- Over time, a standing person's centre of mass is above the centre of pressure, however they lean.
  In the linear inverted pendulum (Kajita et al., "The 3D linear inverted pendulum mode", 2001) the
  horizontal acceleration is g / h times the distance between the two, and accelerations average to
  nearly 0 for as long as the person neither falls nor takes off.
- The contacts of one person lie on one level floor.
"""

from collections.abc import Iterable

import numpy as np

from core.rotations import unit_vectors
from core.skeletons import H36M_17
from core.types import Floats
from pipeline.grounding.axes import LEVEL_UP
from pipeline.grounding.feet.contacts import contact_medians, find_contacts
from pipeline.grounding.feet.soles import ANKLES
from pipeline.grounding.person_motion import PersonMotion

# Standard deviations of up's components in camera axes, x (roll) and z (pitch): how far off level
# cameras are held, and how far off balance lifted people seem on average. A lean to the side is
# seen, a lean to the front is guessed.
_LEVEL_SIGMA = np.radians([8.0, np.inf, 25.0])
_BALANCE_SIGMA = np.radians([2.5, 5.0, 5.0])
_CONTACT_HEIGHT_SIGMA_M = 0.1  # by how much two contacts on one level floor seem to differ

# Widths of the robust weight, in standard deviations, one for each iteration. They shrink, so that
# a camera far off level is found from the level start.
_ROBUST_WIDTHS = (16.0, 8.0, 6.0, 4.0, 4.0, 4.0, 4.0)

_BALANCE_HALF_S = 0.5  # of standing after which a person's balance counts half
_PRESSURE_OFFSET_M = 0.045  # the centre of pressure lies in front of the ankles
_STANCE_M_S = 0.4  # scale of a foot's speed in its share of the weight
_MIN_FOOT_WEIGHT = 0.1  # of a fast or unseen foot: a runner is above both feet, on average
_STRAIGHT_LEG = 0.8  # hip to ankle over the leg's length; less is sitting or kneeling
_MIN_COS_TRUNK = 0.7  # cosine of the angle between trunk and legs; less is bending or lying
_MIN_COS_TILT = 0.5  # cosine of the angle between up and the line of weight; less is lying

# Mass of each segment as a share of the body's, and where its centre lies between its two ends.
# Winter, Biomechanics and Motor Control of Human Movement, table 4.1.
_SEGMENTS = (
    ("neck_base", "head_top", 0.081, 0.5),
    ("pelvis", "thorax", 0.497, 0.5),
    *((f"{side}_{a}", f"{side}_{b}", mass, share) for side in "lr" for a, b, mass, share in (
        ("hip", "knee", 0.100, 0.433), ("knee", "ankle", 0.061, 0.606),
        ("shoulder", "elbow", 0.028, 0.436), ("elbow", "wrist", 0.022, 0.682),
    )),
)  # fmt: skip

_NormalEquations = tuple[Floats, Floats]
"""(2, 2) matrix and (2,) right side of one kind of evidence, in the plane across up."""


def centre_of_mass(joints: Floats) -> Floats:
    """(T, 3) of joints (T, 17, 3), in the same axes: the mean of the segments' centres by mass."""
    weighted_sum = np.zeros((len(joints), 3))
    total_mass = 0.0
    for upper, lower, mass, share in _SEGMENTS:
        a = joints[:, H36M_17.index(upper)]
        b = joints[:, H36M_17.index(lower)]
        weighted_sum += mass * (a + share * (b - a))
        total_mass += mass
    return np.asarray(weighted_sum / total_mass)


def up_direction(motions: Iterable[PersonMotion], speeds: list[Floats], fps: float) -> Floats:
    """Estimate up by iteratively reweighted least squares on the unit sphere.

    Each item e of evidence has a residual r_e = J_e u - t_e with covariance C_e. With the loss
    ρ(d) = d² / (2 (1 + (d / τ)²)) of Geman and McClure (1987), the objective is

        u* = argmin_{|u| = 1} Σ_e ρ(d_e),    d_e = |C_e^(-1/2) r_e|

    Each iteration is a Gauss-Newton step δ (2,) in the plane across u, whose basis is B (2, 3):

        (Σ_e w_e B J_eᵀ C_e⁻¹ J_e Bᵀ) δ = -Σ_e w_e B J_eᵀ C_e⁻¹ r_e,    w_e = (1 + (d_e / τ)²)⁻²
        u ← (u + Bᵀ δ) / |u + Bᵀ δ|

    The width τ shrinks from one iteration to the next (graduated non-convexity: Blake and
    Zisserman, Visual Reconstruction, 1987).

    Args:
        motions: People without unknown rows; iterated over once for each iteration.
        speeds: (T, P) m/s of the joints on the ground, infinite where a foot is not seen.
        fps: Frames a second.

    Returns:
        (3,) unit vector in camera axes.
    """
    up = LEVEL_UP
    for width in _ROBUST_WIDTHS:
        tangents: Floats = np.linalg.svd(up[None])[2][1:]  # B: the null space of up
        matrix, right = _level_camera_equations(up, tangents, width)
        for motion, speed in zip(motions, speeds, strict=True):
            for equations in (_balance_equations, _contact_equations):
                more_matrix, more_right = equations(motion, speed, up, tangents, fps, width)
                matrix = matrix + more_matrix
                right = right + more_right
        step = np.linalg.solve(matrix, right)  # δ
        up = unit_vectors(up + step @ tangents)
    return up


def _level_camera_equations(up: Floats, tangents: Floats, width: float) -> _NormalEquations:
    """Normal equations of "the camera is level": r = u - LEVEL_UP, J = I."""
    residual = LEVEL_UP - up  # -r
    deviation = float(np.linalg.norm(residual / _LEVEL_SIGMA))
    weight = np.diag(_LEVEL_SIGMA**-2.0) * _robust_weight(deviation, width)  # w C⁻¹
    return tangents @ weight @ tangents.T, tangents @ weight @ residual


def _balance_equations(
    motion: PersonMotion, speeds: Floats, up: Floats, tangents: Floats, fps: float, width: float
) -> _NormalEquations:
    """Normal equations of "the centre of mass is above the feet": r = u - q / |q|, J = I.

    q is the mean of c - p over the frames in which the person stands, where c is the centre of mass
    and p the centre of pressure.
    """
    joints = motion.poses.joints_m
    # p: the mean of the ankles, slow ones first, and a little in front of them.
    slowest = np.stack(np.split(speeds, 2, axis=1), 1).min(-1)  # of each foot
    foot_weights = np.exp(-((slowest / _STANCE_M_S) ** 2)) + _MIN_FOOT_WEIGHT
    weighted_ankles = (joints[:, ANKLES] * foot_weights[..., None]).sum(1)
    stance = weighted_ankles / foot_weights.sum(1)[:, None]
    facing = np.cross(up, joints[:, H36M_17.index("r_hip")] - joints[:, H36M_17.index("l_hip")])
    # c - p
    weight_line = centre_of_mass(joints) - stance - _PRESSURE_OFFSET_M * unit_vectors(facing)

    upright = unit_vectors(weight_line) @ up > _MIN_COS_TILT
    standing = foot_weights.max(1) * _legs_carry(joints) * upright
    seconds = standing.sum() / fps
    if seconds == 0:
        return np.zeros((2, 2)), np.zeros(2)

    residual = unit_vectors((weight_line * standing[:, None]).sum(0)) - up  # -r
    deviation = float(np.linalg.norm(residual / _BALANCE_SIGMA))
    robust = _robust_weight(deviation, width)
    # w C⁻¹, less for people who stand briefly: their accelerations do not average out.
    weight = np.diag(_BALANCE_SIGMA**-2.0) * robust * seconds / (seconds + _BALANCE_HALF_S)
    return tangents @ weight @ tangents.T, tangents @ weight @ residual


def _legs_carry(joints: Floats) -> Floats:
    """(T,) 1 where the straighter leg can carry the body and the trunk is in line with the legs."""
    straightness = np.zeros(len(joints))
    for side in "lr":
        hip = joints[:, H36M_17.index(f"{side}_hip")]
        knee = joints[:, H36M_17.index(f"{side}_knee")]
        ankle = joints[:, H36M_17.index(f"{side}_ankle")]
        length = np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)
        span = np.linalg.norm(hip - ankle, axis=-1)
        straightness = np.maximum(straightness, span / np.maximum(length, 1e-9))
    # Joints are relative to the pelvis: both are directions from it.
    trunk = unit_vectors(joints[:, H36M_17.index("thorax")])
    legs = unit_vectors(-joints[:, ANKLES].mean(1))
    in_line = (trunk * legs).sum(-1) > _MIN_COS_TRUNK
    return np.asarray((straightness > _STRAIGHT_LEG) & in_line, dtype=float)


def _contact_equations(
    motion: PersonMotion, speeds: Floats, up: Floats, tangents: Floats, fps: float, width: float
) -> _NormalEquations:
    """Normal equations of "contacts are at one height": r_k = J_k u, J_k = (x_k - x̄)ᵀ.

    x_k is the position of contact k, x̄ their weighted mean. For the robust weight alone, deviations
    are from the median height, which outliers do not move.
    """
    soles_m = motion.soles_m
    contacts = find_contacts(speeds, soles_m @ up, fps, motion.soles)
    if len(contacts) < 2:
        return np.zeros((2, 2)), np.zeros(2)
    points = contact_medians(soles_m, contacts)  # (K, 3) x
    heights = points @ up
    deviations = np.abs(heights - np.median(heights)) / _CONTACT_HEIGHT_SIGMA_M
    weight = _robust_weight(deviations, width) / _CONTACT_HEIGHT_SIGMA_M**2  # (K,) w C⁻¹
    points = points - (weight @ points) / weight.sum()
    slopes = points @ tangents.T  # (K, 2) J Bᵀ: by how much a step δ of up raises each contact
    return slopes.T @ (weight[:, None] * slopes), -slopes.T @ (weight * (points @ up))


def _robust_weight(deviation: Floats | float, width: float) -> Floats:
    """w = (1 + (d / τ)²)⁻², the weight of Geman and McClure's loss."""
    return np.asarray(1 / (1 + (np.asarray(deviation) / width) ** 2) ** 2)
