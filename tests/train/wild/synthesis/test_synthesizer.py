import numpy as np
import torch

from core.skeletons import H36M_17
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from train.wild.motion.bank import MotionBank
from train.wild.motion.mocap import MotionClip
from train.wild.synthesis.recipe import Recipe
from train.wild.synthesis.synthesizer import Synthesizer


def synthesizer(clip: MotionClip, recipe: Recipe, seed: int = 0) -> Synthesizer:
    device = torch.device("cpu")
    bank = MotionBank([clip], 30.0, 9, device)
    return Synthesizer(bank, recipe, torch.Generator().manual_seed(seed), 4)


def test_the_target_is_what_the_keypoints_show(clip: MotionClip) -> None:
    """Seen from far away, limb joints lie where their keypoints are, up to position and size."""
    exact = Recipe(noise=0.0, lens_known=1.0)
    windows, target = synthesizer(clip, exact).batch(300)
    points, confidence = windows[:, 4, LIMBS_IN, :2], windows[:, 4, LIMBS_IN, 2]
    joints = target[:, LIMBS_OUT, :2]
    seen = (confidence > 0.5).all(1) & (windows[:, 4, -1, 2] < 0)  # none hidden, not too near
    assert seen.sum() > 30
    correlations = []
    for shown, true in zip(points[seen], joints[seen], strict=True):
        both = np.stack([(shown - shown.mean(0)).flatten(), (true - true.mean(0)).flatten()])
        correlations.append(np.corrcoef(both)[0, 1])
    assert np.median(correlations) > 0.98


def test_bodies_keep_human_sizes_and_poses_vary(clip: MotionClip) -> None:
    _, target = synthesizer(clip, Recipe()).batch(300)
    thigh = (target[:, 2] - target[:, 1]).norm(dim=-1)
    assert thigh.min() > 0.25
    assert thigh.max() < 0.6
    assert target[:, H36M_17.index("head_top")].std(0).min() > 0.1, (
        "seen from all sides, also lying"
    )
    assert (target[:, 0] == 0).all()


def test_the_same_seed_draws_the_same_and_another_does_not(clip: MotionClip) -> None:
    one, again, other = (synthesizer(clip, Recipe(), seed).batch(8)[0] for seed in (1, 1, 2))
    torch.testing.assert_close(one, again, rtol=0, atol=0)
    assert not torch.equal(one, other)


def test_some_keypoints_are_lost_and_have_no_confidence(clip: MotionClip) -> None:
    windows, _ = synthesizer(clip, Recipe()).batch(300)
    without_feet = (windows[:, :, 17:21, 2] == 0).all((1, 2)).float().mean()
    assert 0.15 < without_feet < 0.4, "some detectors know no feet"
    confidence = windows[:, :, :17, 2]
    lost = confidence == 0
    assert 0.02 < lost.float().mean() < 0.3
    assert (windows[:, :, :17, :2][lost] == 0).all()
    assert windows.isfinite().all()
