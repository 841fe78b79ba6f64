"""Joint angles in degrees, from joint positions alone; world axes, z up.

Two frames of the body are used, each with axes forward, up and to the person's right:

- pelvis: right is the line from the left to the right hip; up is the line from the pelvis to the
  thorax, as far as it is across the first.
- trunk: up is that line; right is the line of the shoulders, as far as it is across it.

Angles about a joint follow OpenSim's gait models and the recommendations of the International
Society of Biomechanics (Wu et al. 2002, 2005): flexion in the sagittal plane is positive forward
(knee and elbow: when bent), adduction is positive towards the middle. 0 is a person who stands with
straight knees, arms down and feet level. What cannot be told from positions is not measured: turns
of a limb about its own axis.
"""

import numpy as np

from core.types import Floats
from pipeline.motion.quantities import DEGREES, Function, quantity

PELVIS = ("l_hip", "r_hip", "pelvis", "thorax")
_TRUNK = ("pelvis", "thorax", "l_shoulder", "r_shoulder")


def pelvis_axes(points: Floats) -> Floats:
    """Axes of the pelvis.

    Args:
        points: (…, 4, 3) left hip, right hip, pelvis, thorax.

    Returns:
        (…, 3, 3) the unit vectors forward, up, right, one a row.
    """
    right = _unit(points[..., 1, :] - points[..., 0, :])
    up = _unit(_across(points[..., 3, :] - points[..., 2, :], right))
    return np.stack([np.cross(up, right), up, right], -2)


def trunk_axes(points: Floats) -> Floats:
    """Axes of the trunk.

    Args:
        points: (…, 4, 3) pelvis, thorax, left shoulder, right shoulder.

    Returns:
        (…, 3, 3) the unit vectors forward, up, right, one a row.
    """
    up = _unit(points[..., 1, :] - points[..., 0, :])
    right = _unit(_across(points[..., 3, :] - points[..., 2, :], up))
    return np.stack([np.cross(up, right), up, right], -2)


def _bend(points: Floats) -> Floats:
    """(…) degrees from straight at the middle of three points (…, 3, 3)."""
    near, far = points[..., 1, :] - points[..., 0, :], points[..., 2, :] - points[..., 1, :]
    return _between(near, far)


def _dorsiflexion(points: Floats) -> Floats:
    """(…) degrees that a foot is raised from square; of (…, 4, 3) knee, ankle, heel, toe."""
    return 90 - _between(
        points[..., 0, :] - points[..., 1, :], points[..., 3, :] - points[..., 2, :]
    )


def _flexion(axes: Function) -> Function:
    """Flexion of a limb that hangs down at rest: atan2(f, -u) of its forward and upward parts.

    The function is of six points (…, 6, 3): four of which `axes` makes a body's axes, then the
    limb's upper and lower end.
    """

    def of(points: Floats) -> Floats:
        forward, up, _ = _parts(axes(points[..., :4, :]), points)
        return np.asarray(np.degrees(np.arctan2(forward, -up)))

    return of


def _adduction(axes: Function, inward: float) -> Function:
    """Adduction of a limb as in `_flexion`: atan2(i r, √(f² + u²)) with i = `inward`.

    With flexion it is the Z-X-Y sequence of OpenSim's hips. `inward` is -1 for a right limb, whose
    inward is left, and 1 for a left one.
    """

    def of(points: Floats) -> Floats:
        forward, up, right = _parts(axes(points[..., :4, :]), points)
        return np.asarray(np.degrees(np.arctan2(inward * right, np.hypot(forward, up))))

    return of


def _parts(axes: Floats, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Forward, upward, right part (…) of the limb from `points` (…, 6, 3)'s fifth to its sixth."""
    limb = points[..., 5, :] - points[..., 4, :]
    forward, up, right = np.moveaxis((axes @ limb[..., None])[..., 0], -1, 0)
    return forward, up, right


for _side, _word, _inward in (("r", "right", -1.0), ("l", "left", 1.0)):
    _hip, _knee, _ankle, _heel, _toe, _shoulder, _elbow, _wrist = (
        f"{_side}_{_name}"
        for _name in ("hip", "knee", "ankle", "heel", "toe", "shoulder", "elbow", "wrist")
    )
    quantity(
        f"{_side}_knee_flexion", DEGREES, (_hip, _knee, _ankle),
        f"{_word} knee: between thigh and shank, 0 straight, positive bent",
    )(_bend)  # fmt: skip
    quantity(
        f"{_side}_ankle_dorsiflexion", DEGREES, (_knee, _ankle, _heel, _toe),
        f"{_word} ankle: between shank and sole, 0 square, positive toes up",
    )(_dorsiflexion)  # fmt: skip
    quantity(
        f"{_side}_elbow_flexion", DEGREES, (_shoulder, _elbow, _wrist),
        f"{_word} elbow: between upper arm and forearm, 0 straight, positive bent",
    )(_bend)  # fmt: skip
    for _limb, _joints, _axes, _what in (
        ("hip", (*PELVIS, _hip, _knee), pelvis_axes, "thigh against the pelvis"),
        ("shoulder", (*_TRUNK, _shoulder, _elbow), trunk_axes, "upper arm against the trunk"),
    ):
        quantity(
            f"{_side}_{_limb}_flexion", DEGREES, _joints,
            f"{_word} {_limb}: {_what}, 0 down, positive forward",
        )(_flexion(_axes))  # fmt: skip
        quantity(
            f"{_side}_{_limb}_adduction", DEGREES, _joints,
            f"{_word} {_limb}: {_what}, 0 down, positive towards the middle",
        )(_adduction(_axes, _inward))  # fmt: skip


@quantity("trunk_flexion", DEGREES, PELVIS, "trunk against the vertical, positive leant forward")
def trunk_flexion(points: Floats) -> Floats:
    """Lean of the line from pelvis to thorax to where the hips face."""
    up, forward = _trunk_and_forward(points)
    return np.asarray(np.degrees(np.arctan2((up * forward).sum(-1), up[..., 2])))


@quantity(
    "trunk_lateral_lean", DEGREES, PELVIS, "trunk against the vertical, positive to the right"
)
def trunk_lateral_lean(points: Floats) -> Floats:
    """Lean of the line from pelvis to thorax across where the hips face."""
    up, forward = _trunk_and_forward(points)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    return np.asarray(np.degrees(np.arctan2((up * right).sum(-1), up[..., 2])))


@quantity(
    "trunk_rotation", DEGREES, (*PELVIS, "l_shoulder", "r_shoulder"),
    "shoulders against hips about the trunk, positive turned to the left",
)  # fmt: skip
def trunk_rotation(points: Floats) -> Floats:
    """Turn of the line of the shoulders from the line of the hips, seen along the trunk."""
    forward, up, right = np.moveaxis(pelvis_axes(points[..., :4, :]), -2, 0)
    shoulders = _across(points[..., 5, :] - points[..., 4, :], up)
    return np.asarray(
        np.degrees(np.arctan2((shoulders * forward).sum(-1), (shoulders * right).sum(-1)))
    )


def _trunk_and_forward(points: Floats) -> tuple[Floats, Floats]:
    """Of `PELVIS` (…, 4, 3): the trunk's direction, and the level one that the hips face."""
    to_the_right = points[..., 1, :] - points[..., 0, :]
    forward = np.cross([0.0, 0.0, 1.0], to_the_right)
    return _unit(points[..., 3, :] - points[..., 2, :]), _unit(forward)


def _between(vectors: Floats, others: Floats) -> Floats:
    """(…) degrees between vectors (…, 3)."""
    sine = np.linalg.norm(np.cross(vectors, others), axis=-1)
    return np.asarray(np.degrees(np.arctan2(sine, (vectors * others).sum(-1))))


def _across(vectors: Floats, units: Floats) -> Floats:
    """The parts of vectors (…, 3) at right angles to unit vectors (…, 3)."""
    return np.asarray(vectors - (vectors * units).sum(-1, keepdims=True) * units)


def _unit(vectors: Floats) -> Floats:
    """Vectors (…, 3) made one long; NaN of those without a length."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
