"""People who are made to crouch or to sit keep their bones and come down onto their feet."""

import numpy as np
import pytest

from testkit.made.bent_poses import CROUCHED, SEATED, Bend, bent
from testkit.made.motion import bvh
from train.wild.motion.mocap import MOCAP_JOINTS, clip_from_bvh

BONES = [("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")]


@pytest.mark.parametrize("bend", [CROUCHED, SEATED])
def test_bones_stay_and_hips_come_down(bend: Bend) -> None:
    motion = bvh([{"place": [0, 15.6, 0], "LeftArm": [t, 0, 0]} for t in range(20)])
    stands = clip_from_bvh(motion, "wave").joints_m
    row = {name: index for index, name in enumerate(MOCAP_JOINTS)}
    moved = bent(stands, bend)
    for side in "lr":
        for a, b in BONES:
            bone = [row[f"{side}_{a}"], row[f"{side}_{b}"]]
            lengths = [
                np.linalg.norm(np.diff(xyz[:, bone], axis=1), axis=-1) for xyz in (stands, moved)
            ]
            np.testing.assert_allclose(*lengths, atol=1e-6)
        leg = [row[f"{side}_hip"], row[f"{side}_ankle"]]
        before, after = (np.ptp(xyz[:, leg, 2], axis=1) for xyz in (stands, moved))
        assert (after < 0.75 * before).all()
    head = MOCAP_JOINTS.index("neck_base")
    assert (moved[:, head, 2] < stands[:, head, 2] + 1e-6).all()
