from pathlib import Path

import numpy as np
import pytest
import torch

from core.skeletons import COCO_17, H36M_17
from lifter import normalize

REFERENCE = np.load(Path(__file__).parent.parent / "data" / "videopose3d_reference.npz")
PIXELS = REFERENCE["camera/pixels_1920x1080"]


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_screen_coordinates_as_published(kind):
    pixels = kind(PIXELS)
    before = PIXELS.copy()
    wide = normalize.screen_from_pixels(pixels, 1920, 1080)
    tall = normalize.screen_from_pixels(pixels[..., [1, 0]], 1080, 1920)
    np.testing.assert_allclose(wide, REFERENCE["camera/normalized_1920x1080"], rtol=1e-6)
    np.testing.assert_allclose(tall, REFERENCE["camera/normalized_1080x1920"], rtol=1e-6)
    np.testing.assert_array_equal(PIXELS, before)


def test_screen_coordinates_and_back():
    screen = normalize.screen_from_pixels(PIXELS, 1920, 1080)
    np.testing.assert_allclose(normalize.pixels_from_screen(screen, 1920, 1080), PIXELS, rtol=1e-12)


def test_mirroring_twice_changes_nothing():
    joints = np.random.default_rng(0).normal(size=(4, 17, 3))
    mirrored = normalize.flip_joints(joints, H36M_17)
    assert mirrored[0, H36M_17.index("l_wrist"), 0] == -joints[0, H36M_17.index("r_wrist"), 0]
    np.testing.assert_array_equal(normalize.flip_joints(mirrored, H36M_17), joints)


def person_rays(frames: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    """A wandering random person four metres away, (1, T, 17, 2) and full confidence."""
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(1, 1, 17, 3, generator=generator) * 0.3 + torch.tensor([0.5, -0.2, 4.0])
    path = torch.linspace(0, 0.3, frames)[None, :, None, None] * torch.tensor([1.0, 0.2, 0.0])
    moved = points + path
    return moved[..., :2] / moved[..., 2:], torch.ones(1, frames, 17)


def test_person_windows_do_not_depend_on_the_position_in_the_picture():
    rays, confidence = person_rays()
    windows, rotation = normalize.person_windows(rays, confidence, 4)
    points = torch.cat([rays, torch.ones_like(rays[..., :1])], -1)
    turned = points @ rotation[0].T  # into the virtual camera: the same person seen straight on
    again, straight = normalize.person_windows(turned[..., :2] / turned[..., 2:], confidence, 4)
    assert windows.shape == (1, 9, 18, 3)
    torch.testing.assert_close(straight[0], torch.eye(3), atol=0.02, rtol=0)
    torch.testing.assert_close(again, windows, atol=0.02, rtol=0)


def test_person_windows_take_missing_keypoints():
    rays, confidence = person_rays()
    rays[0, 3, 5] = torch.nan
    confidence[0, 3, 5] = 0
    windows, _ = normalize.person_windows(rays, confidence, 4)
    assert torch.isfinite(windows).all()
    assert not windows[0, 3, 5].any()


def test_person_windows_are_empty_where_only_feet_are_seen() -> None:
    rays, confidence = person_rays()
    rays, confidence = torch.cat([rays, rays[:, :, :4]], 2), torch.ones(1, 9, 21)
    rays[0, 3, :17] = torch.nan
    confidence[0, 3, :17] = 0
    windows, _ = normalize.person_windows(rays, confidence, 4)
    assert torch.isfinite(windows).all()
    assert not windows[0, 3, :, :2].any()


def test_numpy_gets_the_windows_that_training_sees() -> None:
    rays, confidence = person_rays()
    rays[0, 2, 5], confidence[0, 2, 5] = torch.nan, 0.0
    expected = normalize.person_windows(rays, confidence, 4)
    for got, wanted in zip(
        normalize.person_windows(rays.numpy(), confidence.numpy(), 4), expected, strict=True
    ):
        assert isinstance(got, np.ndarray)
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_camera_that_rolls_sees_tilted_windows() -> None:
    rays, confidence = person_rays()
    straight, rotation = normalize.person_windows(rays, confidence, 4)
    rolled, rolled_rotation = normalize.person_windows(rays, confidence, 4, 0.4)
    torch.testing.assert_close(rolled, normalize.tilted(straight, 0.4), atol=1e-5, rtol=0)
    joints = torch.randn((17, 3), generator=torch.Generator().manual_seed(2))
    back = normalize.tilted(joints @ rolled_rotation[0].T, -0.4) @ rotation[0]
    torch.testing.assert_close(back, joints, atol=1e-5, rtol=0)


def test_flipped_person_windows_are_those_of_the_mirrored_person():
    rays, confidence = person_rays()
    windows, _ = normalize.person_windows(rays, confidence, 4)
    mirrored, _ = normalize.person_windows(normalize.flip_joints(rays, COCO_17), confidence, 4)
    torch.testing.assert_close(
        normalize.flip_person_windows(windows, COCO_17), mirrored, atol=1e-5, rtol=0
    )


def test_tilted_windows_are_those_of_a_tilted_camera():
    rng = torch.Generator().manual_seed(3)
    rays = torch.randn((2, 9, 17, 2), generator=rng) * 0.05
    confidence = torch.ones(2, 9, 17)
    rays -= rays[
        :, 4:5, COCO_17.indices(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
    ].mean(2, keepdim=True)  # in the middle of the picture
    windows, _ = normalize.person_windows(rays, confidence, 4)
    seen_tilted, _ = normalize.person_windows(normalize.tilted(rays, 0.4), confidence, 4)
    torch.testing.assert_close(normalize.tilted(windows, 0.4), seen_tilted, atol=1e-4, rtol=0)
    joints = torch.randn((2, 17, 3), generator=rng)
    turned = normalize.tilted(joints, 0.4)
    torch.testing.assert_close(normalize.tilted(turned, -0.4), joints)
    torch.testing.assert_close(turned[..., 2], joints[..., 2])


def test_confidences_near_one_are_equal():
    rays, confidence = person_rays()
    sure, surer = (
        normalize.person_windows(rays, torch.full_like(confidence, c), 4)[0] for c in (0.96, 1.0)
    )
    doubtful, _ = normalize.person_windows(rays, torch.full_like(confidence, 0.5), 4)
    torch.testing.assert_close(sure, surer)
    assert not torch.equal(sure, doubtful)
