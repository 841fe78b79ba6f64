import numpy as np
import pytest
import torch

from core.camera import project
from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21, HALPE_26
from core.types import Floats
from lifter.checkpoint import LifterSpec
from lifter.config import ModelConfig
from lifter.input_keypoints import fill_unseen, h36m_from_coco, network_keypoints, seen_joints
from lifter.model import TemporalConvNet
from lifter.predict import Lifter
from testkit.walker import CAMERA, keypoints, sequence_of, walking

FRAMES = 20
ROOT = np.tile([0.5, 0.0, 4.0], (FRAMES, 1))


def coco() -> Floats:
    return keypoints(walking(FRAMES), ROOT)


def h36m() -> Floats:
    """(T, 17, 2) px, the walker's own joints in the picture."""
    return project(walking(FRAMES) + ROOT[:, None], CAMERA)


def test_human36m_keypoints_made_of_cocos_lie_near_the_persons_own() -> None:
    made = h36m_from_coco(coco())
    px_per_m = CAMERA.fx / 4
    off_m = np.linalg.norm(made - h36m(), axis=-1).max(0) / px_per_m
    limbs = [i for i, name in enumerate(H36M_17.joints) if name[:2] in ("l_", "r_")]
    assert off_m[limbs].max() < 1e-9
    assert off_m[H36M_17.index("pelvis")] < 0.01
    assert off_m.max() < 0.1, "the walker's face lies on the joints of its head"


@pytest.mark.parametrize(
    "unseen", [("left_ear",), ("left_ear", "right_ear"), ("nose",), COCO_17.joints[:5]]
)
def test_a_face_that_is_not_seen_costs_little(unseen: tuple[str, ...]) -> None:
    points = coco()
    points[:, COCO_17.indices(unseen)] = np.nan
    made = h36m_from_coco(points)
    assert np.isfinite(made).all()
    assert np.abs(made - h36m()).max() / (CAMERA.fx / 4) < 0.15


def test_what_was_never_seen_lies_beside_what_was() -> None:
    points = coco()
    points[:, COCO_17.indices(("left_elbow", "left_wrist"))] = np.nan
    before = points.copy()
    filled = fill_unseen(points, COCO_17)
    np.testing.assert_array_equal(points, before)
    shoulder = COCO_17.index("left_shoulder")
    for joint in COCO_17.indices(("left_elbow", "left_wrist")):
        np.testing.assert_allclose(filled[:, joint], points[:, shoulder])
    assert (fill_unseen(np.full((2, 17, 2), np.nan), COCO_17) == 0).all()


def test_only_cocos_keypoints_are_converted() -> None:
    sequence = sequence_of(coco())
    assert (network_keypoints(sequence, COCO_17) == sequence.keypoints).all()
    with pytest.raises(ValueError, match="expected halpe_26 keypoints, got coco_17"):
        network_keypoints(sequence, HALPE_26)


class Recording(TemporalConvNet):
    """Keeps its inputs."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.received: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.received.append(x)
        return super().forward(x)


def test_a_network_of_human36ms_keypoints_gets_them_and_their_mirror_image() -> None:
    config = ModelConfig(17, 2, 17, (1,), 8)
    network = Recording(config).eval()
    spec = LifterSpec(config, H36M_17, H36M_17, 30.0, "screen")
    Lifter(network, spec).lift(sequence_of(coco()), CAMERA)
    given, mirrored = network.received
    pelvis = H36M_17.index("pelvis")
    hips = coco()[:, COCO_17.indices(("left_hip", "right_hip"))].mean(1)
    np.testing.assert_allclose(given[0, :, pelvis, 0], hips[:, 0] / 960 - 1, atol=1e-4)
    torch.testing.assert_close(mirrored[0, :, pelvis, 0], -given[0, :, pelvis, 0])
    left, right = H36M_17.indices(("l_knee", "r_knee"))
    torch.testing.assert_close(mirrored[0, :, left, 0], -given[0, :, right, 0])


def test_a_joint_is_seen_where_its_keypoint_is() -> None:
    observed = np.ones((2, 21), bool)
    observed[0, COCO_21.index("left_big_toe")] = False
    observed[1, COCO_21.index("right_hip")] = False
    seen = seen_joints(observed, H36M_21)
    hidden = [{H36M_21.joints[j] for j in np.flatnonzero(~row)} for row in seen]
    assert hidden[0] == {"l_toe"}
    assert hidden[1] == {"pelvis", "r_hip", "spine", "thorax", "neck_base", "head_top"}
    body = seen_joints(observed[:, :17], H36M_21)
    assert not body[:, 17:].any(), "COCO-17 shows neither heels nor toes"
    np.testing.assert_array_equal(body[:, :17], seen[:, :17])
