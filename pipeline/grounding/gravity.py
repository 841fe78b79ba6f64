"""Which way is up, read off the people: nobody stands for long unless their weight is above their feet.

Over any stretch in which somebody neither falls nor takes off, the centre of mass is on average above the centre of
pressure, however the trunk leans (the linear inverted pendulum: their horizontal distance is the acceleration times
height over g, and accelerations average out). The steps of somebody who walks lie on a level floor. Most cameras are
held nearly level. Each says so with its own uncertainty; a camera that is tilted, a bad lift or a stair is outvoted.
"""

from collections.abc import Iterable

import numpy as np

from core.skeletons import H36M_17
from core.types import CameraPoses, Floats
from pipeline.grounding.contacts import ANKLES, Step, find_steps

LEVEL = np.array([0.0, -1.0, 0.0])
"""Up in the axes of a level camera."""

# In camera axes, across and along the view (roll and pitch): how far off level cameras are held, and how far a lifted
# person's weight seems to be off their feet, on average. A lean to the side is seen, one to the front is guessed.
_LEVEL_SPREAD = np.radians([8.0, np.inf, 25.0])
_BALANCE_SPREAD = np.radians([2.5, 5.0, 5.0])
_STEP_HEIGHT_M = 0.1  # by how much two steps on one level floor seem to differ
_TOLERANCES = (
    16.0,
    8.0,
    6.0,
    4.0,
    4.0,
    4.0,
    4.0,
)  # in these uncertainties: where evidence loses its say, pass by pass
_PRESSURE_AHEAD_M = 0.045  # the centre of pressure lies before the ankles
_SLOW_M_S = 0.4  # how fast a foot may seem that carries
_RUNNING = (
    0.1  # what a fast or unseen foot still counts: a runner's weight is above both feet, on average
)
_STANDING_LEG = (
    0.8  # share of its length that a leg spans while it carries: less is sitting or kneeling
)

# Mass of each segment as a share of the body's, and where between its ends (Winter, Biomechanics, table 4.1).
_SEGMENTS = (
    ("neck_base", "head_top", 0.081, 0.5),
    ("pelvis", "thorax", 0.497, 0.5),
    *((f"{side}_{a}", f"{side}_{b}", mass, at) for side in "lr" for a, b, mass, at in (
        ("hip", "knee", 0.100, 0.433), ("knee", "ankle", 0.061, 0.606), ("shoulder", "elbow", 0.028, 0.436),
        ("elbow", "wrist", 0.022, 0.682),
    )),
)  # fmt: skip


def centre_of_mass(joints: Floats) -> Floats:
    """(T, 17, 3) → (T, 3)."""
    total, weighed = np.zeros((len(joints), 3)), 0.0
    for upper, lower, mass, at in _SEGMENTS:
        a, b = joints[:, H36M_17.index(upper)], joints[:, H36M_17.index(lower)]
        total += mass * (a + at * (b - a))
        weighed += mass
    return np.asarray(total / weighed)


def up_direction(people: Iterable[CameraPoses], speeds: list[Floats], fps: float) -> Floats:
    """(3,) unit vector in camera axes, for people without missing rows and the speeds (T, 2) m/s of their feet.

    The speed of a foot that is not seen is infinite. `people` are gone through several times, one by one.
    """
    up = LEVEL
    for tolerance in _TOLERANCES:
        tangents: Floats = np.linalg.svd(up[None])[2][1:]  # (2, 3), across up
        matrix, right = _believe_level(up, tangents, tolerance)
        for person, speed in zip(people, speeds, strict=True):
            for evidence in (_balance, _steps):
                more = evidence(person, speed, up, tangents, fps, tolerance)
                matrix, right = matrix + more[0], right + more[1]
        up = _unit(up + np.linalg.solve(matrix, right) @ tangents)
    return up


def _believe_level(up: Floats, tangents: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """Normal equations of "up is where a level camera has it"."""
    off = LEVEL - up
    weight = np.diag(_LEVEL_SPREAD**-2.0) * _doubt(
        float(np.linalg.norm(off / _LEVEL_SPREAD)), tolerance
    )
    return tangents @ weight @ tangents.T, tangents @ weight @ off


def _balance(
    person: CameraPoses, speeds: Floats, up: Floats, tangents: Floats, fps: float, tolerance: float
) -> tuple[Floats, Floats]:
    """Normal equations of "the centre of mass is above the feet", from the frames in which somebody stands."""
    joints = person.joints_m
    slow = np.exp(-((speeds / _SLOW_M_S) ** 2)) + _RUNNING
    stance = (joints[:, ANKLES] * slow[..., None]).sum(1) / slow.sum(1)[:, None]
    facing = np.cross(up, joints[:, H36M_17.index("r_hip")] - joints[:, H36M_17.index("l_hip")])
    weight_line = centre_of_mass(joints) - stance - _PRESSURE_AHEAD_M * _unit(facing)
    standing = slow.max(1) * _stands(joints) * (_unit(weight_line) @ up > 0.5)
    seconds = standing.sum() / fps
    if seconds == 0:
        return np.zeros((2, 2)), np.zeros(2)
    off = _unit((weight_line * standing[:, None]).sum(0)) - up
    doubt = _doubt(float(np.linalg.norm(off / _BALANCE_SPREAD)), tolerance)
    weight = np.diag(_BALANCE_SPREAD**-2.0) * doubt * seconds / (seconds + 0.5)
    return tangents @ weight @ tangents.T, tangents @ weight @ off


def _stands(joints: Floats) -> Floats:
    """(T,) 1 where the straighter leg is straight enough to carry, and the trunk is not far from its direction."""
    best = np.zeros(len(joints))
    for side in "lr":
        hip, knee, ankle = (
            joints[:, H36M_17.index(f"{side}_{name}")] for name in ("hip", "knee", "ankle")
        )
        length = np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)
        best = np.maximum(best, np.linalg.norm(hip - ankle, axis=-1) / np.maximum(length, 1e-9))
    trunk = _unit(joints[:, H36M_17.index("thorax")])
    legs = _unit(-joints[:, ANKLES].mean(1))
    return np.asarray((best > _STANDING_LEG) & ((trunk * legs).sum(-1) > 0.7), dtype=float)


def _steps(
    person: CameraPoses, speeds: Floats, up: Floats, tangents: Floats, fps: float, tolerance: float
) -> tuple[Floats, Floats]:
    """Normal equations of "the steps of a person are all at one height"."""
    ankles = person.root_m[:, None] + person.joints_m[:, ANKLES]
    steps = find_steps(speeds, ankles @ up, fps)
    if len(steps) < 2:
        return np.zeros((2, 2)), np.zeros(2)
    points = step_points(ankles, steps)
    heights = points @ up
    weight = (
        _doubt(np.abs(heights - np.median(heights)) / _STEP_HEIGHT_M, tolerance) / _STEP_HEIGHT_M**2
    )
    points = points - (weight @ points) / weight.sum()
    slopes = points @ tangents.T  # (K, 2): by how much a tilt of up raises each step
    return slopes.T @ (weight[:, None] * slopes), -slopes.T @ (weight * (points @ up))


def step_points(ankles: Floats, steps: list[Step]) -> Floats:
    """(K, 3): where each step is, the median of ankles (T, 2, 3) over its frames."""
    return np.stack([np.median(ankles[step.frames, step.foot], axis=0) for step in steps])


def _doubt(deviation: Floats | float, tolerance: float) -> Floats:
    """How much evidence counts that is so many standard deviations off (Geman and McClure).

    The tolerance shrinks from pass to pass, so that a camera far off level is found from the level start.
    """
    return np.asarray(1 / (1 + (np.asarray(deviation) / tolerance) ** 2) ** 2)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
