import math
from pathlib import Path

import numpy as np
import pytest
import torch

from core import camera

REFERENCE = np.load(Path(__file__).parent.parent / "data" / "videopose3d_reference.npz")
POINTS, PARAMETERS = REFERENCE["camera/points"], REFERENCE["camera/params"]
QUATERNION, TRANSLATION = REFERENCE["camera/quaternion_wxyz"], REFERENCE["camera/translation"]
KINDS = pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])


@KINDS
@pytest.mark.parametrize("name", ["project_linear", "project_distorted"])
def test_projection_as_published(kind, name):
    parameters = np.repeat(PARAMETERS, len(POINTS), axis=0)
    got = getattr(camera, name)(kind(POINTS), kind(parameters))
    np.testing.assert_allclose(got, REFERENCE[f"camera/{name}"], rtol=1e-6, atol=1e-6)


@KINDS
@pytest.mark.parametrize("name", ["world_to_camera", "camera_to_world"])
def test_rigid_transforms_as_published(kind, name):
    got = getattr(camera, name)(
        kind(POINTS), kind(QUATERNION.astype(float)), kind(TRANSLATION.astype(float))
    )
    np.testing.assert_allclose(got, REFERENCE[f"camera/{name}"], rtol=1e-6, atol=1e-6)


def test_world_to_camera_and_back():
    quaternion = QUATERNION.astype(float) / np.linalg.norm(QUATERNION.astype(float))
    there = camera.world_to_camera(POINTS, quaternion, TRANSLATION)
    np.testing.assert_allclose(
        camera.camera_to_world(there, quaternion, TRANSLATION), POINTS, atol=1e-12
    )


def test_pinhole_and_back():
    lens = camera.intrinsics_from_fov(1920, 1080, camera.DEFAULT_FOV_RAD, "assumed")
    points = np.array([[0.0, 0.0, 3.0], [0.5, -0.2, 2.0]])
    pixels = camera.project(points, lens)
    np.testing.assert_allclose(pixels[0], [960, 540])
    np.testing.assert_allclose(camera.pixels_to_rays(pixels, lens), points[:, :2] / points[:, 2:])


def test_field_of_view_spans_the_longer_side():
    tall = camera.intrinsics_from_fov(1080, 1920, math.radians(90), "given")
    assert tall.fx == tall.fy == pytest.approx(960)
    with pytest.raises(ValueError, match="between 0 and 180 degrees, got 180"):
        camera.intrinsics_from_fov(10, 10, math.pi, "given")
