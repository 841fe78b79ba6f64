import torch

from core.skeletons import H36M_17
from train.wild.motion.bank import MotionBank
from train.wild.motion.mocap import MotionClip


def test_rare_poses_are_drawn_more_often_where_asked(clip: MotionClip) -> None:
    hands_up = clip.joints_m.copy()[:24]
    wrists = H36M_17.indices(("l_wrist", "r_wrist"))
    hands_up[:, wrists, 2] = hands_up[:, [H36M_17.index("head_top")], 2]
    rare = MotionClip("rare", clip.fps, hands_up)
    bank = MotionBank([clip] * 8 + [rare], 30.0, 9, torch.device("cpu"))
    heights = bank.parts[3][:, :, 2].sum(1)  # of the left wrist over the thorax
    shares = []
    for exponent in (0.0, 0.8):
        first = bank.first_frames(
            torch.rand(4000, 2, generator=torch.Generator().manual_seed(0)), exponent
        )
        shares.append((heights[first + 4] > 0).float().mean())
    assert 0 < shares[0] < 0.05
    assert shares[1] > 3 * shares[0]


def test_windows_stay_within_one_performance(clip: MotionClip) -> None:
    """Two people stand still in different poses; no window goes from one to the other."""
    still = [
        MotionClip(f"still {at}", 30.0, clip.joints_m[at : at + 1].repeat(40, 0)) for at in (0, 15)
    ]
    bank = MotionBank(still, 30.0, 9, torch.device("cpu"))
    first = bank.first_frames(torch.rand(2000, 2, generator=torch.Generator().manual_seed(0)), 0.0)
    for part in bank.parts:
        assert part[first[:, None] + torch.arange(9)].std(1).max() < 1e-4
    assert bank.parts[0][first].std(0).max() > 0.01
