"""A detector's errors about filmed people, for synthetic people in about the same pose."""

import torch
from torch import Tensor

from core.skeletons import COCO_21
from lifter.normalize import look_at
from train.wild.motion.bank import pelvis_frame
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.people.windows import FilmedWindows
from train.wild.synthesis.keypoints import coco_points

_CANDIDATES = 1024  # filmed frames among which each batch looks for the most similar pose
_HEAD = ("neck_base", "nose")
_COMPARED = [
    row
    for row, name in enumerate(MOCAP_JOINTS)
    if (name[:2] in ("l_", "r_") and name[2:] not in ("heel", "toe")) or name in _HEAD
]


class FilmedErrors:
    """Where a detector erred, its scores and what it missed, as an `ErrorSource`."""

    def __init__(self, filmed: FilmedWindows) -> None:
        joints = filmed.joints
        points = coco_points(joints, pelvis_frame(joints), joints.new_zeros(1, 1, len(COCO_21), 3))
        self._filmed = filmed
        self._errors = (filmed.rays * points[..., 2:] - points[..., :2]).nan_to_num(0.0)
        self._poses = _pose_as_viewed(joints.flatten(0, 1))

    def draw(self, joints: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The errors of the window around the filmed frame with the most similar pose.

        The frame is the nearest neighbour, by `_pose_as_viewed`, among `_CANDIDATES` random ones.

        Args:
            joints: (B, 22, 3) in camera space, metres, at the frame to be lifted.
            generator: Decides all that is random.

        Returns:
            Errors (B, T, 21, 2) in metres at the keypoint, and scores (B, T, 21), 0 where the
            detector missed it.
        """
        count = min(_CANDIDATES, len(self._poses))
        some = torch.randint(len(self._poses), (count,), generator=generator, device=joints.device)
        nearest = some[torch.cdist(_pose_as_viewed(joints), self._poses[some]).argmin(1)]
        frames = self._errors.shape[1]
        at = self._filmed.window(nearest // frames, nearest % frames, generator)
        return self._errors[at], self._filmed.scores[at]


def _pose_as_viewed(joints: Tensor) -> Tensor:
    """(N, 22, 3) in camera space → (N, 42) the pose as seen by a camera that looks at the pelvis.

    Of unit length, so that neither size nor distance count.
    """
    turned = (joints - joints[:, :1]) @ look_at(joints[:, 0, :2] / joints[:, 0, 2:]).transpose(1, 2)
    pose = turned[:, _COMPARED].flatten(1)
    return torch.nn.functional.normalize(pose, dim=1)
