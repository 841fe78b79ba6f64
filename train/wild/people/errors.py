"""A detector's errors about filmed people, for synthetic people whom the camera sees in about the same pose."""

import torch
from torch import Tensor

from core.skeletons import COCO_17
from lifter.normalize import look_at
from train.wild.detector_errors import coco_points
from train.wild.mocap import MOCAP_JOINTS
from train.wild.motion_bank import pelvis_frame
from train.wild.people.shots import FilmedWindows

_CANDIDATES = 1024  # filmed frames among which each drawing looks for the most alike
_LIKENESS = [
    row
    for row, name in enumerate(MOCAP_JOINTS)
    if name[:2] in ("l_", "r_") or name in ("neck_base", "nose")
]


class FilmedErrors:
    """What a detector erred, how sure it was and what it missed, window by window, by whom it saw."""

    def __init__(self, filmed: FilmedWindows) -> None:
        joints = filmed.joints
        points = coco_points(joints, pelvis_frame(joints), joints.new_zeros(1, 1, len(COCO_17), 3))
        self._filmed = filmed
        self._errors = (filmed.rays * points[..., 2:] - points[..., :2]).nan_to_num(0.0)
        self._poses = _seen(joints.flatten(0, 1))

    def draw(self, joints: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """For people with joints (B, 18, 3) in camera space, at the frame to be lifted: errors (B, T, 17, 2), metres
        at the keypoint, and scores (B, T, 17), 0 where nothing was detected."""
        count = min(_CANDIDATES, len(self._poses))
        some = torch.randint(len(self._poses), (count,), generator=generator, device=joints.device)
        nearest = some[torch.cdist(_seen(joints), self._poses[some]).argmin(1)]
        frames = self._errors.shape[1]
        at = self._filmed.window(nearest // frames, nearest % frames, generator)
        return self._errors[at], self._filmed.scores[at]


def _seen(joints: Tensor) -> Tensor:
    """(N, 18, 3) in camera space → (N, 42): the pose in the axes of a camera that looks straight at the pelvis."""
    turned = (joints - joints[:, :1]) @ look_at(joints[:, 0, :2] / joints[:, 0, 2:]).transpose(1, 2)
    pose = turned[:, _LIKENESS].flatten(1)
    return torch.nn.functional.normalize(pose, dim=1)
