from dataclasses import replace

import numpy as np

from core.types import Intrinsics
from pipeline.multiview.cameras import project, to_camera, to_shared, undistorted_rays
from pipeline.multiview.scene import Camera
from testkit.made.several_views import around

POINTS = np.random.default_rng(0).uniform(-1, 1, (50, 3)) + np.array([0, 0, 1])


def distorted() -> Camera:
    plain = around([40])[0]
    lens = Intrinsics(1500, 1520, 950, 560, "given")
    return Camera(
        "lens", (1920, 1080), lens, plain.rotation, plain.translation,
        np.array([-0.2, 0.08, 0.002, -0.001]),
    )  # fmt: skip


def test_projection_is_opencvs() -> None:
    import cv2

    camera = distorted()
    lens = camera.intrinsics
    matrix = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1]])
    turn = cv2.Rodrigues(camera.rotation)[0]
    theirs, _ = cv2.projectPoints(POINTS, turn, camera.translation, matrix, camera.distortion)
    np.testing.assert_allclose(project(POINTS, camera), theirs[:, 0], atol=1e-6)


def test_rays_undo_projection() -> None:
    camera = distorted()
    local = to_camera(POINTS, camera)
    rays = undistorted_rays(project(POINTS, camera), camera)
    np.testing.assert_allclose(rays, local[:, :2] / local[:, 2:], atol=1e-4)
    np.testing.assert_allclose(to_shared(local, camera), POINTS, atol=1e-12)


def test_what_is_behind_a_camera_is_not_in_its_picture() -> None:
    camera = around([0])[0]
    assert np.isnan(project(2.5 * camera.position, camera)).all()


def test_far_outside_the_picture_a_strong_distortion_has_no_inverse() -> None:
    camera = replace(distorted(), distortion=np.array([0.18, -0.26, 0.0, 0.0]))
    inside, outside = np.array([[1900.0, 1000.0], [4000.0, 5000.0]])
    assert np.isfinite(undistorted_rays(inside, camera)).all()
    assert np.isnan(undistorted_rays(outside, camera)).all()
