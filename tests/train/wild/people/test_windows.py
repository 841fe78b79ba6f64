from dataclasses import replace

import numpy as np
import pytest
import torch

from core.camera import project
from core.skeletons import H36M_17
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from tests.train.wild.made_people import CAMERA, FRAMES, UNSEEN
from train.wild.people.shots import Shots
from train.wild.people.windows import FilmedWindows


def test_windows_show_what_their_targets_say(shots: Shots) -> None:
    """Limb joints lie where their keypoints are, up to position, size and perspective."""
    filmed = FilmedWindows(shots, 9, 4, torch.Generator().manual_seed(0))
    windows, target = filmed.batch(200)
    assert windows.shape == (200, 9, 22, 3)
    assert windows.isfinite().all()
    assert (target[:, 0] == 0).all()
    seen = (windows[:, 4, LIMBS_IN, 2] > 0.5).all(1)
    assert 0.7 < seen.float().mean() < 1
    for shown, true in zip(
        windows[seen][:, 4, LIMBS_IN, :2], target[seen][:, LIMBS_OUT, :2], strict=True
    ):
        both = np.stack([(shown - shown.mean(0)).flatten(), (true - true.mean(0)).flatten()])
        assert np.corrcoef(both)[0, 1] > 0.97
    heads = target[:, H36M_17.index("head_top"), :2]
    assert heads[:, 0].std() > 0.05 * heads[:, 1].std(), "cameras roll"


def test_a_detectors_own_idea_of_where_an_ankle_is_does_not_reach_the_windows(shots: Shots) -> None:
    many = Shots(**{name: np.concatenate([value] * 3) for name, value in vars(shots).items()})
    higher = many.points.copy()
    for side in "lr":
        knee, ankle = (H36M_17.index(f"{side}_{joint}") for joint in ("knee", "ankle"))
        higher[:, :, ankle] += 0.2 * (higher[:, :, knee] - higher[:, :, ankle])
    keypoints = many.keypoints.copy()
    ankles = [LIMBS_OUT.index(H36M_17.index(name)) for name in ("l_ankle", "r_ankle")]
    for at in ankles:
        keypoints[:, :, LIMBS_IN[at]] += [
            project(moved[:, LIMBS_OUT[at]], CAMERA) - project(points[:, LIMBS_OUT[at]], CAMERA)
            for moved, points in zip(higher, many.points, strict=True)
        ]
    drawn = [
        FilmedWindows(replace(many, keypoints=seen), 9, 4, torch.Generator().manual_seed(0)).batch(
            100
        )[0]
        for seen in (many.keypoints, keypoints)
    ]
    off = (drawn[1] - drawn[0])[:, 4, LIMBS_IN, :2].norm(dim=-1)
    assert off.max() < 0.05, "of a person's size; the ankles were off by 0.2"


def test_windows_reach_beyond_a_shot_by_standing_still_or_going_backwards(shots: Shots) -> None:
    windows, _ = FilmedWindows(
        shots, 2 * FRAMES - 1, FRAMES - 1, torch.Generator().manual_seed(0)
    ).batch(500)
    unseen = (windows[:, :, 0, 2] < 0.5).sum(1)
    around_the_last = {FRAMES - 1 + UNSEEN, 2 * UNSEEN - 1}
    assert around_the_last <= set(unseen.tolist())
    assert (unseen <= 2 * UNSEEN).float().mean() == pytest.approx(0.5 + 0.5 * 4 / FRAMES, abs=0.1)
