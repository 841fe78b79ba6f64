import numpy as np
import pytest

from core.errors import InputError
from testkit.made.motion import bvh
from train.wild.motion.bvh import read_bvh


def test_a_rotation_turns_the_bones_below_it() -> None:
    """Left arm, stretched out to the person's left, is turned a quarter about z: it points up."""
    motion = read_bvh(bvh([{"LeftArm": [90, 0, 0], "place": [1, 2, 3]}]))
    arm, elbow, hand = (
        motion.positions[0, motion.names.index(n)] for n in ("LeftArm", "LeftForeArm", "LeftHand")
    )
    np.testing.assert_allclose(arm, [1 + 3.2, 2 + 4.4 + 0.9, 3])
    np.testing.assert_allclose(elbow - arm, [0, 5, 0], atol=1e-9)
    np.testing.assert_allclose(hand - elbow, [0, 3.4, 0], atol=1e-9)


def test_channels_apply_in_their_order() -> None:
    """Z then Y: the arm is first (innermost last) turned by the later channel."""
    motion = read_bvh(bvh([{"LeftArm": [90, 90, 0]}]))
    arm, elbow = (motion.positions[0, motion.names.index(n)] for n in ("LeftArm", "LeftForeArm"))
    np.testing.assert_allclose(elbow - arm, [0, 0, -5], atol=1e-9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("solid cube", "file.bvh: not a BVH file, it has no MOTION section"),
        (bvh([{}]).replace("Frames: 1", "Frames: 9"), "file.bvh: damaged"),
    ],
)
def test_other_and_damaged_files_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_bvh(text, "file.bvh")
