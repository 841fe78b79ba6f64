import math

import numpy as np
import pytest

from core.skeletons import H36M_17
from train.wild.motion.mocap import MotionClip
from train.wild.validation_clips import foot_skate, on_human_bones


def test_any_motion_can_be_given_an_adults_body(clip: MotionClip) -> None:
    adult = on_human_bones(clip).joints_m
    thigh = adult[:, H36M_17.index("l_knee")] - adult[:, H36M_17.index("l_hip")]
    before = clip.joints_m[:, H36M_17.index("l_knee")] - clip.joints_m[:, H36M_17.index("l_hip")]
    np.testing.assert_allclose(np.linalg.norm(thigh, axis=-1), 0.245 * 1.70, rtol=1e-5)
    np.testing.assert_allclose(np.cross(thigh, before), 0, atol=1e-5)
    assert 1.55 < np.ptp(adult[..., 2], axis=1).max() < 1.75, "ankles to crown"


def test_standing_feet_that_slide_are_measured() -> None:
    truth = np.zeros((10, 17, 3))
    truth[5:, H36M_17.index("l_ankle"), 0] = np.arange(5)  # one foot walks off
    slid = truth + 0.02 * np.arange(10)[:, None, None] * [0, 0, 1]
    assert foot_skate(truth, truth) == 0
    assert foot_skate(slid, truth) == pytest.approx(0.02)
    assert math.isnan(foot_skate(slid, truth + np.arange(10)[:, None, None]))
