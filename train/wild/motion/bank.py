"""Captured motion ready to cut windows from: bones in the pelvis' axes, at several speeds."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.skeletons import H36M_21
from train.wild.motion.mocap import MOCAP_JOINTS, NOSE, MotionClip

PARENTS = (*H36M_21.parents, H36M_21.index("neck_base"))
"""Parent of each of `MOCAP_JOINTS`, -1 at the pelvis."""
BONES = tuple(range(1, len(MOCAP_JOINTS)))
"""A bone has the index of its lower joint."""
PARTS = (
    ("r_hip", "r_knee", "r_ankle", "r_heel", "r_toe"),
    ("l_hip", "l_knee", "l_ankle", "l_heel", "l_toe"),
    ("spine", "thorax", "neck_base", "head_top", "nose"),
    ("l_shoulder", "l_elbow", "l_wrist"),
    ("r_shoulder", "r_elbow", "r_wrist"),
)
"""Bones that stay together where a body is put together from several performances."""

_ROW = {MOCAP_JOINTS[joint]: row for row, joint in enumerate(BONES)}
_SPEEDS = (0.6, 0.75, 0.87, 1.0, 1.15, 1.35, 1.7)
_MAX_SPEED_M_S = 20.0  # of a joint relative to the pelvis, even sped up
_CLUSTERS = 256  # of poses
_CLUSTER_SAMPLE = 20_000  # frames among which the clusters' centres are looked for
_PAD_S = 0.7  # how far a window may reach over a clip's end, where the last pose stands still


class MotionBank:
    """Clips as pelvis-relative bone vectors, N frames behind each other, to gather windows from.

    Attributes:
        frames: Frames of a window.
        parts: For each of `PARTS`, (N, bones, 3) metres in the pelvis' axes.
        pelvis: (N, 3, 3) the pelvis' axes, columns right, forward, up, in a world with z up.
        root: (N, 3) the pelvis' position, metres.
    """

    def __init__(
        self, clips: Sequence[MotionClip], fps: float, frames: int, device: torch.device
    ) -> None:
        """Resample clips to several speeds, mirror each, and cluster the poses.

        Args:
            clips: Captured motion.
            fps: Frames per second of the windows.
            frames: Frames of a window.
            device: Where the tensors live.
        """
        captured = [
            (torch.from_numpy(clip.joints_m).float().to(device), clip.fps / fps) for clip in clips
        ]
        bones, axes, roots, starts = [], [], [], []
        total = 0
        for speed in _SPEEDS:
            resampled = [
                _pad_ends(_resample(joints, step * speed), frames, fps) for joints, step in captured
            ]
            lengths = torch.tensor([len(joints) for joints in resampled], device=device)
            joints = torch.cat(resampled)
            for version in (joints, _mirror(joints)):
                frame = pelvis_frame(version)
                vectors = version[:, BONES] - version[:, [PARENTS[joint] for joint in BONES]]
                bones.append(vectors @ frame)  # rows vᵀR = (Rᵀv)ᵀ: into the pelvis' axes
                axes.append(frame)
                roots.append(version[:, 0])
                starts.append(total + _smooth_starts(version, lengths, frames, fps))
                total += len(version)
        stacked = torch.cat(bones)
        self.frames = frames
        self.device = device
        self.parts = [stacked[:, [_ROW[name] for name in part]].contiguous() for part in PARTS]
        self.pelvis = torch.cat(axes)
        self.root = torch.cat(roots)
        all_starts = torch.cat(starts)
        cluster = self._cluster(all_starts + frames // 2)
        self._starts = all_starts[cluster.argsort()]  # those of a cluster together
        self._sizes = cluster.bincount(minlength=_CLUSTERS)

    def first_frames(self, uniform: Tensor, rare: float) -> Tensor:
        """Draw windows: first a cluster of poses, then one of its windows.

        Cluster k with n_k windows is drawn with probability n_k^(1 - rare) / Σ_j n_j^(1 - rare).

        Args:
            uniform: (…, 2) numbers in 0…1 that choose the cluster and the window.
            rare: With 0 all windows are as likely as each other, with 1 all clusters are.

        Returns:
            (…) the indices of the windows' first frames.
        """
        # Inverse transform sampling: `ends` is the unnormalised cumulative distribution.
        ends = self._sizes.double().pow(1 - rare).masked_fill(self._sizes == 0, 0.0).cumsum(0)
        cluster = torch.searchsorted(ends, uniform[..., 0].double() * ends[-1], right=True)
        size = self._sizes[cluster]
        within = (uniform[..., 1] * size).long().minimum(size - 1)
        return self._starts[self._sizes.cumsum(0)[cluster] - size + within]

    def _cluster(self, rows: Tensor) -> Tensor:
        """(N,) the cluster of the pose in each of some frames.

        Farthest-first traversal (Gonzalez, "Clustering to minimize the maximum intercluster
        distance", 1985) chooses the centres: c_0 = x_0, c_k = argmax_x min_{i<k} ‖x - c_i‖ over a
        sample of frames. A pose belongs to its nearest centre. Centres lie as far apart as can be,
        so a pose that was rarely captured gets a cluster as well as a common one.
        """
        sample = rows[torch.linspace(0, len(rows) - 1, _CLUSTER_SAMPLE, device=rows.device).long()]
        features = self._pose_features(sample)
        chosen = [0]
        nearest = (features - features[0]).square().sum(1)  # min_i ‖x - c_i‖²
        while len(chosen) < _CLUSTERS:
            chosen.append(int(nearest.argmax()))
            nearest = torch.minimum(nearest, (features - features[chosen[-1]]).square().sum(1))
        centres = features[chosen]
        return torch.cat(
            [
                torch.cdist(self._pose_features(some), centres).argmin(1)
                for some in torch.split(rows, 65_536)
            ]
        )

    def _pose_features(self, rows: Tensor) -> Tensor:
        """(N, 66) bones in the pelvis' axes, and half the world's up direction there."""
        bones = (part[rows].flatten(1) for part in self.parts)
        return torch.cat([*bones, 0.5 * self.pelvis[rows, 2]], 1)


def _pad_ends(joints: Tensor, frames: int, fps: float) -> Tensor:
    """(T, J, 3) from the origin on, with its first and last pose held: long enough for a window."""
    pad = max(int(_PAD_S * fps), (frames - len(joints)) // 2 + 1)
    joints = joints - joints[:1, :1]
    return torch.cat([joints[:1].expand(pad, -1, -1), joints, joints[-1:].expand(pad, -1, -1)])


def _smooth_starts(joints: Tensor, lengths: Tensor, frames: int, fps: float) -> Tensor:
    """First frames of the windows that lie within one clip and in which no joint jumps.

    Joints jump where a capture lost its markers. `joints` (T, J, 3) are those of clips of `lengths`
    behind each other.
    """
    moved = (joints - joints[:, :1]).diff(dim=0).norm(dim=-1).amax(1)
    jump = moved * fps > _MAX_SPEED_M_S
    jump[lengths.cumsum(0)[:-1] - 1] = True
    jumps = torch.nn.functional.pad(jump.cumsum(0), (1, 0))  # jumps before each frame
    within = jumps[frames - 1 :] - jumps[: len(joints) - frames + 1]
    return torch.nonzero(within == 0)[:, 0]


def _resample(joints: Tensor, step: float) -> Tensor:
    """(T, J, 3) at every `step`th frame, linear in between."""
    at = torch.arange(0, len(joints) - 1, step, device=joints.device)
    low = at.long().clamp(max=len(joints) - 2)  # rounding may reach the last frame
    weight = (at - low)[:, None, None]
    return joints[low] * (1 - weight) + joints[low + 1] * weight


def _mirror(joints: Tensor) -> Tensor:
    """The performance in a mirror: left joints where right ones were, x negated."""
    mirrored = joints[:, [*H36M_21.flip_order, NOSE]].clone()
    mirrored[..., 0] *= -1
    return mirrored


def pelvis_frame(joints: Tensor) -> Tensor:
    """The pelvis' axes, from the hips and the spine.

    Args:
        joints: (…, 22, 3) in the order of `MOCAP_JOINTS`.

    Returns:
        (…, 3, 3) orthonormal, columns right, forward and up.
    """
    right = joints[..., H36M_21.index("r_hip"), :] - joints[..., H36M_21.index("l_hip"), :]
    spine = joints[..., H36M_21.index("spine"), :] - joints[..., 0, :]
    right = torch.nn.functional.normalize(right, dim=-1)
    forward = torch.nn.functional.normalize(torch.linalg.cross(spine, right), dim=-1)
    return torch.stack([right, forward, torch.linalg.cross(right, forward)], -1)
