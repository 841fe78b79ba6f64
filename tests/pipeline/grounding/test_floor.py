import numpy as np

from pipeline.grounding.feet.soles import ANKLES
from tests.pipeline.grounding.made_people import FPS, filmed, ground, marching


def test_a_jump_off_a_roof_goes_down_and_a_hop_goes_up() -> None:
    joints = np.repeat(marching()[:1], 120, axis=0)
    time = np.arange(120) / FPS
    hop = np.where((time > 1) & (time < 1.5), 3.0 * (time - 1) * (1.5 - time) * 4, 0.0)  # 0.75 m
    fall = np.clip(2.0 - 4.9 * np.clip(time - 2.5, 0, None) ** 2, 0.0, 2.0)
    height = hop + fall
    joints[..., 2] += height[:, None]
    passer_by = marching(aside=1.5)
    world = ground([filmed(joints, away=7.0), filmed(passer_by, away=7.0)]).joints[0]
    np.testing.assert_allclose(world[:, 0, 2] - world[-1, 0, 2], height - height[-1], atol=0.15)
    assert abs(world[-20:, ANKLES, 2].mean() - joints[-20:, ANKLES, 2].mean()) < 0.06


def test_people_whose_depth_is_wrong_share_the_floor() -> None:
    near, far = filmed(marching(), 10.0, 5.0, 0.05), filmed(marching(), 10.0, 9.0, -0.08)
    for joints in ground([near, far]).joints:
        assert abs(np.percentile(joints[:, ANKLES, 2].min(1), 50) - 0.08) < 0.03
