import numpy as np

from core.skeletons import COCO_17, H36M_17
from core.types import Floats
from lifter.fusion import fuse
from testkit.walker import walking

LIMBS = [name for name in H36M_17.joints if name[:2] in ("l_", "r_")]


def as_detector(joints: Floats, size: float) -> Floats:
    """A detector's COCO points (T, 17, 3) of H36M joints, in its own size."""
    points = np.zeros((len(joints), 17, 3))
    for name in LIMBS:
        theirs = name.replace("l_", "left_").replace("r_", "right_")
        points[:, COCO_17.index(theirs)] = joints[:, H36M_17.index(name)] * size
    return points


def test_independent_errors_shrink_and_the_size_stays_the_lifters() -> None:
    rng = np.random.default_rng(0)
    truth = walking(60)
    lifted, seen = (
        truth + rng.normal(0, 0.05, truth.shape),
        truth + rng.normal(0, 0.05, truth.shape),
    )
    lifted[:, 0] = 0
    limbs = [H36M_17.index(name) for name in LIMBS]
    fused = fuse(lifted, as_detector(seen, 0.8), share=0.5)
    before, after = (
        np.linalg.norm((joints - truth)[:, limbs], axis=-1).mean() for joints in (lifted, fused)
    )
    assert after < 0.8 * before
    np.testing.assert_array_equal(fused[:, 0], 0)


def test_without_the_detectors_3d_nothing_changes_and_its_start_makes_no_jump() -> None:
    lifted = walking(60)
    turned = walking(60) + [0.0, 0.0, 0.2] * np.linspace(-1, 1, 17)[:, None]
    seen = as_detector(turned, 1.0)
    seen[:30] = np.nan
    fused = fuse(lifted, seen, share=0.5)
    np.testing.assert_array_equal(fused[:30], lifted[:30])
    assert np.abs(fused[40:] - lifted[40:]).max() > 0.05
    still = np.abs(np.diff(lifted, axis=0)).max()
    assert np.abs(np.diff(fused, axis=0)).max() < still + 0.08
    nothing = np.full((60, 17, 3), np.nan)
    np.testing.assert_array_equal(fuse(lifted, nothing), lifted)
