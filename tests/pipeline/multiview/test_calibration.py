"""Cameras and people of made scenes, of which everything is known."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InputError
from core.rotations import from_rotation_vectors
from core.skeletons import H36M_21
from core.types import Floats
from pipeline.multiview.calibration import calibrate
from pipeline.multiview.scene import Calibration, View
from pipeline.multiview.triangulation import triangulate
from testkit.made.several_views import (
    FPS,
    Errors,
    Scene,
    around,
    camera_errors,
    film,
    fused_people,
    walkers,
    who,
)
from train.metrics import p_mpjpe

FRAMES = 60


@pytest.fixture(scope="module")
def two_people() -> tuple[Scene, Calibration]:
    scene = film(walkers(2, FRAMES), around((0, 80)), seed=1)
    return scene, calibrate(scene.views, FPS)


def pose_errors_mm(scene: Scene, found: Calibration) -> list[float]:
    """PA-MPJPE of each person who is found."""
    return [1000 * float(p_mpjpe(*pair)) for pair in fused_people(scene, found)]


def alone_mm(scene: Scene, view: int) -> float:
    errors = [
        p_mpjpe(track.poses.joints_m, scene.people[who(scene, view, track.track_id)])
        for track in scene.views[view].sightings
    ]
    return 1000 * float(np.mean(errors))


def test_people_are_themselves_in_all_views(two_people: tuple[Scene, Calibration]) -> None:
    scene, found = two_people
    assert len(found.people) == 2
    for person in found.people:
        people = {
            who(scene, view, track) for view, ids in enumerate(person.track_ids) for track in ids
        }
        assert len(people) == 1
        assert all(len(ids) == 1 for ids in person.track_ids)


def test_people_find_the_cameras(two_people: tuple[Scene, Calibration]) -> None:
    scene, found = two_people
    turn, way, focal = camera_errors(found.cameras, scene.cameras)
    assert turn < 3
    assert way < 3
    assert focal < 10
    assert np.allclose(found.cameras[0].rotation, np.eye(3))
    assert not found.cameras[0].translation.any()
    assert not found.doubts


def test_lenses_that_cameras_wrote_down_are_believed() -> None:
    people, cameras = walkers(1, FRAMES), around((0, 80), focal=1300.0)
    scenes = [film(people, cameras, seed=2, recorded=lens) for lens in (None, 0.9)]
    guessed, recorded = (calibrate(scene.views, FPS) for scene in scenes)
    assert camera_errors(guessed.cameras, cameras)[2] < 8
    assert camera_errors(recorded.cameras, cameras)[2] == pytest.approx(10, abs=3)
    assert recorded.focal_sigma.max() < 0.7 * guessed.focal_sigma.min()


def test_cameras_are_as_unsure_as_is_said(two_people: tuple[Scene, Calibration]) -> None:
    scene, found = two_people
    _, _, focal = camera_errors(found.cameras, scene.cameras)
    assert focal < 100 * 2 * found.focal_sigma.max() < 50
    first, second = scene.cameras
    way = first.rotation @ (second.position - first.position)
    assert found.position_sigma_m[0] == 0
    off_m = np.linalg.norm(found.cameras[1].position - way)
    assert off_m < 2 * found.position_sigma_m[1] < 0.5 * np.linalg.norm(way)


def test_two_views_see_more_than_one(two_people: tuple[Scene, Calibration]) -> None:
    scene, found = two_people
    together = np.mean(pose_errors_mm(scene, found))
    assert together < 0.7 * min(alone_mm(scene, 0), alone_mm(scene, 1))


def test_known_cameras_stay_and_give_places() -> None:
    scene = film(walkers(1, 30), around((0, 80)), seed=2)
    found = calibrate(scene.views, FPS, cameras=scene.cameras)
    turn, way, focal = camera_errors(found.cameras, scene.cameras)
    assert turn < 1e-4
    assert way < 1e-4
    assert focal == 0
    sightings = [view.sightings for view in scene.views]
    fused = triangulate(found, found.people[0], sightings, FPS)
    first = scene.cameras[0]
    true = scene.people[0] @ first.rotation.T + first.translation
    off = np.linalg.norm(fused.poses.joints_m + fused.poses.root_m[:, None] - true, axis=-1)
    assert np.median(off) < 0.06


def test_sigma_falls_with_views() -> None:
    scene = film(walkers(1, 30), around((0, 80)), seed=3)
    found = calibrate(scene.views, FPS, cameras=scene.cameras)
    sightings = [view.sightings for view in scene.views]
    poses = triangulate(found, found.people[0], sightings, FPS).poses
    both = poses.sigma_m
    one = triangulate(found, found.people[0], [sightings[0], ()], FPS).poses.sigma_m
    assert both is not None
    assert one is not None
    assert np.isfinite(both).all()
    assert np.mean(both[:, 1:]) < 0.8 * np.mean(one[:, 1:])
    off = poses.joints_m - scene.people[0] @ scene.cameras[0].rotation.T
    hips = H36M_21.indices(("l_hip", "r_hip"))
    errors = np.linalg.norm(off - off[:, hips].mean(1, keepdims=True), axis=-1)[:, 1:]
    assert np.mean(errors < both[:, 1:]) > 0.68
    assert np.mean(errors < 2 * both[:, 1:]) > 0.95


def test_person_of_one_view_is_in_the_same_axes() -> None:
    scene = film(walkers(2, 30), around((0, 80)), seed=4)
    lonely = scene.views[1].sightings[0].track_id
    person = who(scene, 1, lonely)
    first = replace(
        scene.views[0],
        sightings=tuple(
            track for track in scene.views[0].sightings if who(scene, 0, track.track_id) != person
        ),
    )
    found = calibrate((first, scene.views[1]), FPS, cameras=scene.cameras)
    alone = next(entry for entry in found.people if lonely in entry.track_ids[1])
    assert alone.track_ids[0] == ()
    fused = triangulate(found, alone, [(), [scene.views[1].sightings[0]]], FPS)
    camera = scene.cameras[0]
    true = scene.people[person][:, 0] @ camera.rotation.T + camera.translation
    assert np.median(np.linalg.norm(fused.poses.root_m - true, axis=-1)) < 0.5


def test_exchanged_sides_are_put_right() -> None:
    scene = film(walkers(1, FRAMES), around((0, 90)), Errors(exchanged=0.1), seed=5)
    clean = film(walkers(1, FRAMES), around((0, 90)), seed=5)
    errors = [
        pose_errors_mm(made, calibrate(made.views, FPS, cameras=made.cameras))[0]
        for made in (scene, clean)
    ]
    assert errors[0] < errors[1] + 15


def test_scale_comes_of_height() -> None:
    scene = film(walkers(1, 30), around((0, 80)), seed=6)
    tall, small = (calibrate(scene.views, FPS, height_m=height) for height in (2.0, 1.0))
    ratio = tall.cameras[1].position / small.cameras[1].position
    np.testing.assert_allclose(ratio, 2.0)
    np.testing.assert_allclose(tall.people[0].lengths_m, 2 * small.people[0].lengths_m)


def views_of(people: Floats, angles: tuple[float, ...]) -> tuple[View, ...]:
    return film(people, around(angles), seed=7).views


def test_views_from_one_side_are_refused() -> None:
    with pytest.raises(InputError, match=r"nearly the same side .* film from sides"):
        calibrate(views_of(walkers(1, 30), (0, 2)), FPS)


def test_views_without_common_time_are_refused() -> None:
    first, second = views_of(walkers(1, 30), (0, 80))
    track = second.sightings[0]
    late = replace(second, sightings=(replace(track, frames=track.frames + 100),))
    with pytest.raises(InputError, match="camera 2: nobody in it moves like anybody"):
        calibrate((first, late), FPS)


def test_empty_view_is_refused() -> None:
    first, second = views_of(walkers(1, 30), (0, 80))
    with pytest.raises(InputError, match="camera 2: no person"):
        calibrate((first, replace(second, sightings=())), FPS)


def test_people_who_do_not_move_are_doubted() -> None:
    found = calibrate(views_of(walkers(1, 30, still=True), (0, 80)), FPS)
    assert any("hardly move" in doubt for doubt in found.doubts)


def with_second_view(scene: Scene, keypoints_px: Floats, lifts_m: Floats | float = 0.0) -> Scene:
    """The scene with offsets of the second view's keypoints (T, K, 2) and lifts (T, J, 3)."""
    view = scene.views[1]
    (track,) = view.sightings
    poses = replace(track.poses, joints_m=track.poses.joints_m + lifts_m)
    moved = replace(track, keypoints_xy=track.keypoints_xy + keypoints_px, poses=poses)
    return replace(scene, views=(scene.views[0], replace(view, sightings=(moved,))))


def test_a_view_whose_keypoints_jump_does_not_spoil_the_other() -> None:
    scene = film(walkers(1, FRAMES), around((0, 90)))
    track, rng = scene.views[1].sightings[0], np.random.default_rng(0)
    jumps = 60 * rng.normal(size=track.keypoints_xy.shape)
    jumping = with_second_view(scene, jumps, 0.1 * rng.normal(size=track.poses.joints_m.shape))
    found = calibrate(jumping.views, FPS)
    assert pose_errors_mm(jumping, found)[0] < 0.9 * alone_mm(jumping, 0)


def test_a_camera_that_shakes_is_refused() -> None:
    scene = film(walkers(1, FRAMES), around((0, 90)))
    shaking = 100 * np.sin(2 * np.pi * np.arange(FRAMES) / FPS)[:, None, None] * [0.3, 1.0]
    with pytest.raises(InputError, match="camera 2: its people do not fit the other views"):
        calibrate(with_second_view(scene, shaking).views, FPS)


def test_a_calibration_from_before_a_camera_was_tilted_is_refused() -> None:
    scene = film(walkers(1, FRAMES), around((0, 90)))
    first, second = scene.cameras
    tilt = from_rotation_vectors(np.radians([10.0, 0.0, 0.0]))
    before = replace(second, rotation=tilt @ second.rotation, translation=tilt @ second.translation)
    with pytest.raises(InputError, match="check the calibration"):
        calibrate(scene.views, FPS, cameras=(first, before))
