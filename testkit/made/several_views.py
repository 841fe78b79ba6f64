"""People whom several made cameras see: everything is known, errors are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.camera import DEFAULT_FOV_RAD, intrinsics_from_fov
from core.rotations import rotation_vectors, unit_vectors
from core.skeletons import COCO_21, H36M_21
from core.types import CameraPoses, Floats, Intrinsics
from pipeline.multiview.cameras import project, to_camera
from pipeline.multiview.scene import Calibration, Camera, Sighting, View
from pipeline.multiview.triangulation import triangulate
from testkit.made.moving_people import striding

FPS = 30.0
SIZE = (1920, 1080)
_FACE = {"nose": "neck_base", "eye": "head_top", "ear": "neck_base"}
_STEADINESS = 0.9  # of errors, from one frame to the next


@dataclass(frozen=True)
class Errors:
    """Standard deviations and shares of what detectors and lifters get wrong.

    keypoint: of keypoints, in shares of the person's height; lift_m: of lifted joints along each
    axis, three times as much along the line of sight; distance: of lifted distances, as a share;
    hidden: share of keypoints that are not seen; exchanged: share of frames in which left and right
    are.
    """

    keypoint: float = 0.01
    lift_m: float = 0.04
    distance: float = 0.05
    hidden: float = 0.05
    exchanged: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Views as `calibrate` gets them, and the truth.

    cameras in world axes, z up; people (N, T, 21, 3) metres, world.
    """

    views: tuple[View, ...]
    cameras: tuple[Camera, ...]
    people: Floats


def walkers(count: int, frames: int, still: bool = False) -> Floats:
    """People who walk about in a room, each in another direction: (N, T, 21, 3) metres, z up."""
    people = []
    for number in range(count):
        phase = 17 * number
        joints = striding(frames + phase)[0][phase:]
        if still:
            joints = np.repeat(joints[:1], frames, axis=0)
        joints = joints - joints.mean((0, 1)) * [1, 1, 0]
        turn = 2.1 * number + 0.4
        # Arms that swing to the side, too: a flat body says little of cameras
        arms = H36M_21.indices(("l_elbow", "l_wrist", "r_elbow", "r_wrist"))
        swing = 0.25 * np.sin(np.arange(len(joints)) / FPS * 3 + number)
        joints[:, arms, 0] += swing[:, None] * [-0.5, -1, 0.5, 1] * (0 if still else 1)
        cos, sin = np.cos(turn), np.sin(turn)
        joints = joints @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        away = 1.2 if count > 1 else 0.0
        offset = [away * np.cos(2.5 * number), away * np.sin(2.5 * number), 0.0]
        people.append(joints + np.array(offset))
    return np.stack(people)


def around(
    angles_deg: Sequence[float], focal: float = 1700.0, away_m: float = 4.5
) -> tuple[Camera, ...]:
    """Cameras on a circle that look at its middle, each a little higher than the last."""
    cameras = []
    for number, angle in enumerate(np.radians(angles_deg)):
        height = 1.3 + 0.2 * number
        position = np.array([away_m * np.sin(angle), -away_m * np.cos(angle), height])
        ahead = unit_vectors(np.array([0, 0, 0.9]) - position)
        right = unit_vectors(np.cross(ahead, [0.0, 0, 1]))
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        lens = Intrinsics(focal, focal, SIZE[0] / 2, SIZE[1] / 2, "given")
        cameras.append(Camera(f"camera {number + 1}", SIZE, lens, rotation, -rotation @ position))
    return tuple(cameras)


def film(
    people: Floats,
    cameras: Sequence[Camera],
    errors: Errors | None = None,
    seed: int = 0,
    recorded: float | None = None,
) -> Scene:
    """What detectors and lifters make of people whom cameras see.

    Args:
        people: (N, T, 21, 3) metres, world axes.
        cameras: In world axes.
        errors: What goes wrong; the default for usual errors.
        seed: Of the errors.
        recorded: What the cameras wrote of their focal lengths, as a share of the true ones.

    Returns:
        The scene; lenses are as assumed where nothing is known, tracks of each view in an order of
        its own.
    """
    rng, errors = np.random.default_rng(seed), errors or Errors()
    views = []
    for camera in cameras:
        assumed = intrinsics_from_fov(*camera.size, DEFAULT_FOV_RAD, "assumed")
        if recorded is not None:
            focal = recorded * camera.intrinsics.fx
            assumed = replace(assumed, fx=focal, fy=focal, source="recorded")
        order = rng.permutation(len(people))
        sightings = tuple(
            _sighting(track_id, people[person], camera, assumed, errors, rng)
            for track_id, person in enumerate(order.tolist(), 1)
        )
        views.append(View(camera.name, *camera.size, assumed, sightings))
    return Scene(tuple(views), tuple(cameras), people)


def who(scene: Scene, view: int, track_id: int) -> int:
    """The person that a track follows: the one whose pelvis it is nearest to, in the picture."""
    track = next(t for t in scene.views[view].sightings if t.track_id == track_id)
    seen = np.nanmean(track.keypoints_xy[:, COCO_21.indices(("left_hip", "right_hip"))], (0, 1))
    hips = [project(person[:, 0], scene.cameras[view]).mean(0) for person in scene.people]
    return int(np.argmin(np.linalg.norm(np.array(hips) - seen, axis=-1)))


def camera_errors(found: Sequence[Camera], true: Sequence[Camera]) -> tuple[float, float, float]:
    """The largest errors of rotations and baselines, degrees, and of focal lengths, %.

    Args:
        found: In axes of which the first one is the origin.
        true: The same cameras, in any axes.
    """
    first, turns, ways = true[0], [], []
    for camera, own in zip(found[1:], true[1:], strict=True):
        turn = rotation_vectors(camera.rotation @ (own.rotation @ first.rotation.T).T)
        turns.append(np.linalg.norm(turn))
        way = first.rotation @ (own.position - first.position)
        ways.append(np.arccos(np.clip(unit_vectors(way) @ unit_vectors(camera.position), -1, 1)))
    focals = [abs(a.intrinsics.fx / b.intrinsics.fx - 1) for a, b in zip(found, true, strict=True)]
    return float(np.degrees(max(turns))), float(np.degrees(max(ways))), 100 * max(focals)


def fused_people(scene: Scene, found: Calibration) -> list[tuple[Floats, Floats]]:
    """Everyone who is found: their joints (T, 21, 3) by all views together, and the true ones."""
    people = []
    for person in found.people:
        sightings = [
            [track for track in view.sightings if track.track_id in ids]
            for view, ids in zip(scene.views, person.track_ids, strict=True)
        ]
        fused = triangulate(found, person, sightings, FPS)
        view, ids = next((v, ids) for v, ids in enumerate(person.track_ids) if ids)
        people.append((fused.poses.joints_m, scene.people[who(scene, view, ids[0])][fused.frames]))
    return people


def _sighting(
    track_id: int,
    joints: Floats,
    camera: Camera,
    assumed: Intrinsics,
    errors: Errors,
    rng: np.random.Generator,
) -> Sighting:
    frames = len(joints)
    names = [_joint(name) for name in COCO_21.joints]
    points = project(joints[:, H36M_21.indices(tuple(names))], camera)
    size = float(np.median(np.ptp(points[..., 1], axis=1)))
    points = points + _lasting(points.shape, rng) * errors.keypoint * size
    scores = np.where(rng.random(points.shape[:2]) < errors.hidden, 0.0, 0.9)
    is_exchanged = _stretches(frames, errors.exchanged, rng)
    points[is_exchanged] = points[is_exchanged][:, COCO_21.flip_order]

    local = to_camera(joints, camera)
    root, sight = local[:, 0], unit_vectors(local[:, :1].mean(0))
    noise = _lasting(local.shape, rng) * errors.lift_m
    noise += 2 * (noise @ sight.T) * sight
    shape = local - root[:, None] + noise
    if is_exchanged.any():  # such a person faces the other way: left is right, near is far
        mirrored = shape[:, H36M_21.flip_order]
        mirrored = mirrored - 2 * (mirrored @ sight.T) * sight
        shape = np.where(is_exchanged[:, None, None], mirrored, shape)
    shape -= shape[:, :1]
    stretch = 1 + errors.distance * _lasting((frames, 1), rng)
    root = root * [1, 1, assumed.fx / camera.intrinsics.fx] * stretch
    sigma = np.full(shape.shape[:2], 2.5 * errors.lift_m + 0.01)
    poses = CameraPoses(shape, root, H36M_21, sigma)
    return Sighting(track_id, np.arange(frames), points, scores, COCO_21, poses)


def _joint(keypoint: str) -> str:
    face = next((joint for part, joint in _FACE.items() if keypoint.endswith(part)), None)
    return face or keypoint.replace("left_", "l_").replace("right_", "r_").replace("big_", "")


def _lasting(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Noise of standard deviation 1 that lasts over axis 0 (autoregressive)."""
    noise = rng.normal(size=shape)
    fresh = np.sqrt(1 - _STEADINESS**2)
    for row in range(1, len(noise)):
        noise[row] = _STEADINESS * noise[row - 1] + fresh * noise[row]
    return noise


def _stretches(frames: int, share: float, rng: np.random.Generator) -> Floats:
    """(T,) bool, about a share of the frames, five at a time."""
    chosen = np.zeros(frames, bool)
    for start in np.flatnonzero(rng.random(frames) < share / 5):
        chosen[start : start + 5] = True
    return chosen
