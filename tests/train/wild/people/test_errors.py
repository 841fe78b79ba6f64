"""Errors that a detector made of filmed people, given to synthetic ones."""

import numpy as np
import pytest
import torch

from core.camera import project
from core.skeletons import COCO_17
from core.types import Intrinsics
from testkit.walker import walking, with_feet
from train.wild.motion.bank import MotionBank, pelvis_frame
from train.wild.motion.mocap import MotionClip
from train.wild.people.errors import FilmedErrors
from train.wild.people.hardships import HARDSHIPS
from train.wild.people.shots import Shots
from train.wild.people.windows import FilmedWindows
from train.wild.synthesis.keypoints import coco_points
from train.wild.synthesis.recipe import Recipe
from train.wild.synthesis.synthesizer import Synthesizer

CAMERA = Intrinsics(500.0, 500.0, 256.0, 192.0, "given")
FRAMES, CENTRE = 9, 4
WRIST, NOSE = COCO_17.index("left_wrist"), COCO_17.index("nose")


@pytest.fixture
def walkers() -> torch.Tensor:
    """(2, 20, 22, 3) in camera space: a person walks, and the same from behind, 5 m away."""
    body = with_feet(walking(20))
    body = np.concatenate([body, body[:, 10:11] + np.array([0, 0.05, -0.15])], 1)
    turned = body * np.array([-1, 1, -1])
    return torch.from_numpy(np.stack([body, turned]) + np.array([0.0, 0.0, 5.0])).float()


def errors(walkers: torch.Tensor) -> FilmedErrors:
    """The first one's left wrist is 10 cm too far right with score 0.5, the nose never seen."""
    seen = (
        coco_points(walkers, pelvis_frame(walkers), torch.zeros(1, 1, 21, 3))
        .numpy()
        .astype(np.float64)
    )
    scores = np.full(seen.shape[:3], 0.9)
    seen[0, :, WRIST, 0] += 0.1
    scores[0, :, WRIST] = 0.5
    keypoints = np.stack([project(shot, CAMERA) for shot in seen])
    keypoints[0, :, NOSE], scores[0, :, NOSE] = np.nan, 0.0
    points = np.concatenate([walkers.numpy(), np.repeat(walkers[:, :, :1].numpy(), 4, axis=2)], 2)
    cameras = np.tile([CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy], (2, 1))
    shots = Shots(
        keypoints,
        scores,
        np.full((*keypoints.shape[:3], 3), np.nan),
        points,
        cameras,
        np.zeros((2, len(HARDSHIPS))),
    )
    return FilmedErrors(FilmedWindows(shots, FRAMES, CENTRE, torch.Generator().manual_seed(0)))


def test_people_get_the_errors_of_a_person_whom_the_camera_saw_in_a_similar_pose(
    walkers: torch.Tensor,
) -> None:
    taller_elsewhere = 1.2 * walkers[:, 10] + torch.tensor([1.0, 0.3, 3.0])
    drawn, scores = errors(walkers).draw(taller_elsewhere, torch.Generator().manual_seed(1))
    assert drawn.shape == (2, FRAMES, 21, 2)
    expected = torch.zeros(2, FRAMES, 21, 2)
    expected[0, :, WRIST, 0] = 0.1
    torch.testing.assert_close(drawn, expected, atol=1e-4, rtol=0)
    assert scores[0, :, WRIST].tolist() == pytest.approx([0.5] * FRAMES)
    assert scores[:, :, NOSE].mean(1).tolist() == pytest.approx([0.0, 0.9])


@pytest.mark.parametrize(("copied", "scores"), [(1.0, {0.0, 0.5, 0.9}), (0.0, None)])
def test_synthetic_people_are_detected_as_filmed_ones_were(
    walkers: torch.Tensor, copied: float, scores: set[float] | None
) -> None:
    joints = walkers[0].numpy()[..., [0, 2, 1]] * np.array([1, 1, -1])
    bank = MotionBank(
        [MotionClip("walk", 30.0, joints.astype(np.float32))], 30.0, FRAMES, torch.device("cpu")
    )
    recipe, generator = Recipe(copied=copied), torch.Generator().manual_seed(0)
    windows, _ = Synthesizer(bank, recipe, generator, CENTRE, errors(walkers)).batch(64)
    drawn = {round(score, 3) for score in windows[:, :, :17, 2].flatten().tolist()}
    assert drawn == scores if scores else len(drawn) > 100
