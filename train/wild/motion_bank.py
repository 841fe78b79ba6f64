"""Captured motion, ready to gather windows from: bone vectors in the pelvis' frame, at several speeds, and mirrored."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.skeletons import H36M_17
from train.wild.mocap import MOCAP_JOINTS, NOSE, MotionClip

PARENTS = (*H36M_17.parents, H36M_17.index("neck_base"))
BONES = tuple(range(1, len(MOCAP_JOINTS)))  # a bone bears the number of its lower joint
_ROW = {MOCAP_JOINTS[joint]: row for row, joint in enumerate(BONES)}

# Parts that may come from different performances; all hang on the pelvis' or the thorax' frame.
PARTS = (
    ("r_hip", "r_knee", "r_ankle"),
    ("l_hip", "l_knee", "l_ankle"),
    ("spine", "thorax", "neck_base", "head_top", "nose"),
    ("l_shoulder", "l_elbow", "l_wrist"),
    ("r_shoulder", "r_elbow", "r_wrist"),
)
_SPEEDS = (0.6, 0.75, 0.87, 1.0, 1.15, 1.35, 1.7)
_TOO_FAST_M_S = 20.0  # for a joint beside the pelvis, even sped up
_KINDS = 256  # of poses, as far apart from each other as can be
_SAMPLE = 20_000  # frames among which those kinds are looked for
_EDGE_S = 0.7  # how far a window may reach over a clip's end, where the last pose stands still


class MotionBank:
    """Clips cut into pelvis-relative bone vectors, at several speeds, and mirrored; ready to gather windows from."""

    def __init__(
        self, clips: Sequence[MotionClip], fps: float, frames: int, device: torch.device
    ) -> None:
        captured = [
            (torch.from_numpy(clip.joints_m).float().to(device), clip.fps / fps) for clip in clips
        ]
        bones, frames_of_pelvis, roots, firsts = [], [], [], []
        total = 0
        for speed in _SPEEDS:
            each = [
                _padded(_resample(joints, step * speed), frames, fps) for joints, step in captured
            ]
            lengths = torch.tensor([len(joints) for joints in each], device=device)
            joints = torch.cat(each)
            for version in (joints, _mirror(joints)):
                frame = pelvis_frame(version)
                vectors = version[:, BONES] - version[:, [PARENTS[joint] for joint in BONES]]
                bones.append(vectors @ frame)  # rows times columns of axes: into the pelvis' frame
                frames_of_pelvis.append(frame)
                roots.append(version[:, 0])
                firsts.append(total + _smooth_windows(version, lengths, frames, fps))
                total += len(version)
        stacked = torch.cat(bones)
        self.frames = frames
        self.device = device
        self.parts = [stacked[:, [_ROW[name] for name in part]].contiguous() for part in PARTS]
        self.pelvis = torch.cat(frames_of_pelvis)  # (N, 3, 3), columns right, forward, up
        self.root = torch.cat(roots)  # (N, 3)
        starts = torch.cat(firsts)
        kinds = self._kinds(starts + frames // 2)
        self._starts = starts[kinds.argsort()]  # those of a kind together
        self._sizes = kinds.bincount(minlength=_KINDS)

    def first_frames(self, chances: Tensor, rare: float) -> Tensor:
        """Where windows begin that are drawn by pairs of chances (…, 2) in 0…1: a kind of pose, and one of that kind.

        With `rare` 0 all windows are as likely as each other, with 1 all kinds are.
        """
        ends = self._sizes.double().pow(1 - rare).masked_fill(self._sizes == 0, 0.0).cumsum(0)
        kind = torch.searchsorted(ends, chances[..., 0].double() * ends[-1], right=True)
        size = self._sizes[kind]
        within = (chances[..., 1] * size).long().minimum(size - 1)
        return self._starts[self._sizes.cumsum(0)[kind] - size + within]

    def _kinds(self, rows: Tensor) -> Tensor:
        """(N,) the kind of pose in each of some frames: the nearest of `_KINDS` that lie as far apart as can be."""
        centres = self._poses(
            rows[torch.linspace(0, len(rows) - 1, _SAMPLE, device=rows.device).long()]
        )
        chosen = [0]
        far = (centres - centres[0]).square().sum(1)
        while len(chosen) < _KINDS:  # farthest first (Gonzalez, 1985)
            chosen.append(int(far.argmax()))
            far = torch.minimum(far, (centres - centres[chosen[-1]]).square().sum(1))
        centres = centres[chosen]
        return torch.cat(
            [
                torch.cdist(self._poses(some), centres).argmin(1)
                for some in torch.split(rows, 65_536)
            ]
        )

    def _poses(self, rows: Tensor) -> Tensor:
        """(N, 54) the bones in the pelvis' axes, and which way is up there."""
        return torch.cat(
            [*(part[rows].flatten(1) for part in self.parts), 0.5 * self.pelvis[rows, 2]], 1
        )


def _padded(joints: Tensor, frames: int, fps: float) -> Tensor:
    """(T, J, 3) that begins and ends standing still, long enough for a window; it starts from the origin."""
    pad = max(int(_EDGE_S * fps), (frames - len(joints)) // 2 + 1)
    joints = joints - joints[:1, :1]
    return torch.cat([joints[:1].expand(pad, -1, -1), joints, joints[-1:].expand(pad, -1, -1)])


def _smooth_windows(joints: Tensor, lengths: Tensor, frames: int, fps: float) -> Tensor:
    """First frames of the windows of clips (T, J, 3), one behind the other, in which no joint jumps, as captures do
    where markers were lost, and the clip stays the same."""
    moved = (joints - joints[:, :1]).diff(dim=0).norm(dim=-1).amax(1)
    jump = moved * fps > _TOO_FAST_M_S
    jump[lengths.cumsum(0)[:-1] - 1] = True
    jumps = torch.nn.functional.pad(jump.cumsum(0), (1, 0))
    within = jumps[frames - 1 :] - jumps[: len(joints) - frames + 1]
    return torch.nonzero(within == 0)[:, 0]


def _resample(joints: Tensor, step: float) -> Tensor:
    """(T, J, 3) at every `step`th frame, linear in between."""
    at = torch.arange(0, len(joints) - 1, step, device=joints.device)
    low = at.long().clamp(max=len(joints) - 2)  # rounding may reach the last frame
    weight = (at - low)[:, None, None]
    return joints[low] * (1 - weight) + joints[low + 1] * weight


def _mirror(joints: Tensor) -> Tensor:
    mirrored = joints[:, [*H36M_17.flip_order, NOSE]].clone()
    mirrored[..., 0] *= -1
    return mirrored


def pelvis_frame(joints: Tensor) -> Tensor:
    """(…, 18, 3) → (…, 3, 3) whose columns are the pelvis' right, forward and up."""
    right = joints[..., H36M_17.index("r_hip"), :] - joints[..., H36M_17.index("l_hip"), :]
    spine = joints[..., H36M_17.index("spine"), :] - joints[..., 0, :]
    right = torch.nn.functional.normalize(right, dim=-1)
    forward = torch.nn.functional.normalize(torch.linalg.cross(spine, right), dim=-1)
    return torch.stack([right, forward, torch.linalg.cross(right, forward)], -1)
