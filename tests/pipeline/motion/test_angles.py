"""Angles of poses whose angles are known."""

import numpy as np
import pytest

from core.skeletons import H36M_17, H36M_21
from pipeline.motion.quantities import DEGREES, QUANTITIES
from tests.pipeline.motion.closed_form import posed

POSES = {
    "upright": {},
    "walking": {"hip": (25, 4), "knee": 15, "ankle": -8, "shoulder": (-20, -6), "elbow": 30},
    "squat": {"hip": (100, -15), "knee": 120, "ankle": 25, "trunk": (40, 0, 0)},
    "leg behind": {"hip": (-25, 0), "knee": 60, "ankle": -20},
    "arms up": {"shoulder": (150, -10), "elbow": 5},
    "arms aside": {"shoulder": (10, -70), "elbow": 90},
    "leaning and turned": {"trunk": (15, 0, -30), "shoulder": (40, 0), "facing": 130},
    "leaning aside": {"trunk": (0, 20, 0), "facing": -75},
    "straight knee raised": {"hip": (80, 0), "knee": 0, "elbow": 0},
}


@pytest.mark.parametrize("name", POSES)
@pytest.mark.parametrize("side", ["l", "r"])
def test_angles_of_limbs_are_those_of_the_pose(name: str, side: str) -> None:
    pose = POSES[name]
    hip, shoulder = pose.get("hip", (0, 0)), pose.get("shoulder", (0, 0))
    wanted = {
        "hip_flexion": hip[0], "hip_adduction": hip[1], "knee_flexion": pose.get("knee", 0),
        "ankle_dorsiflexion": pose.get("ankle", 0), "shoulder_flexion": shoulder[0],
        "shoulder_adduction": shoulder[1], "elbow_flexion": pose.get("elbow", 0),
    }  # fmt: skip
    assert angles(posed(**pose), [f"{side}_{angle}" for angle in wanted]) == pytest.approx(
        list(wanted.values()), abs=0.5
    )


@pytest.mark.parametrize("name", POSES)
def test_angles_of_the_trunk_are_those_of_the_pose(name: str) -> None:
    names = ["trunk_flexion", "trunk_lateral_lean", "trunk_rotation"]
    wanted = POSES[name].get("trunk", (0, 0, 0))
    assert angles(posed(**POSES[name]), names) == pytest.approx(list(wanted), abs=0.5)


def angles(pose: np.ndarray, names: list[str]) -> list[float]:
    entries = QUANTITIES.entries()
    return [float(entries[name].values(pose[None], H36M_21)[0]) for name in names]


def test_a_skeleton_without_feet_has_all_angles_but_those_of_ankles() -> None:
    pose = posed(**POSES["walking"])[None, : len(H36M_17)]
    unknown = {
        name for name, one in QUANTITIES.entries().items()
        if one.unit == DEGREES and np.isnan(one.values(pose, H36M_17)).any()
    }  # fmt: skip
    assert unknown == {"l_ankle_dorsiflexion", "r_ankle_dorsiflexion"}
