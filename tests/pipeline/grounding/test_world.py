from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from core.skeletons import H36M_17
from core.types import CameraPoses, Floats
from pipeline.grounding.contacts import ANKLES, planted_speeds
from pipeline.grounding.leg_ik import reach
from pipeline.grounding.world import Camera, Mover, find_world
from tests.walker import walking

FPS = 30.0
HIPS, KNEES = H36M_17.indices(("l_hip", "r_hip")), H36M_17.indices(("l_knee", "r_knee"))
UPRIGHT = np.array(
    [[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]
)  # world axes → axes of a level camera that looks along y


@dataclass(frozen=True)
class Grounding:
    """Everybody in the world: joints (T, 17, 3) and planted feet (T, 2), one a person."""

    joints: list[Floats]
    feet_planted: list[Floats]
    up: Floats

    @property
    def skate(self) -> Floats:
        return np.concatenate(
            [planted_speeds(*one, FPS) for one in zip(self.joints, self.feet_planted, strict=True)]
        )


def ground(
    people: list[CameraPoses],
    camera: Camera = "static",
    feet_seen: bool = True,
    frames: list[Floats] | None = None,
) -> Grounding:
    lengths = [len(person.root_m) for person in people]
    movers = [
        Mover(person, own, np.full((length, 2), feet_seen))
        for person, own, length in zip(
            people, frames or map(np.arange, lengths), lengths, strict=True
        )
    ]
    world = find_world(movers, FPS, camera)
    joints, planted = zip(*map(world.ground, movers), strict=True)
    return Grounding(list(joints), list(planted), world.up)


def marching(frames: int = 150, aside: float = 0.0) -> Floats:
    """World joints (T, 17, 3) of a body that walks along x on a floor at 0: each foot stands for half a second."""
    joints = walking(frames) @ UPRIGHT
    joints[:, :, :2] = joints[:, :, :2] @ np.array(
        [[0.71, -0.71], [0.71, 0.71]]
    )  # the walker faces x
    time = np.arange(frames) / FPS
    joints += np.column_stack([time, np.full(frames, aside), np.full(frames, 0.86)])[:, None]
    for foot, late in ((0, 0.0), (1, 0.5)):
        cycle, phase = np.divmod(time + late, 1.0)
        swing = np.clip(phase - 0.5, 0.0, 0.5) * 2
        eased = swing * swing * (3 - 2 * swing)
        hip = joints[:, HIPS[foot]]
        ahead = cycle - late + eased + 0.25
        ankle = np.column_stack([ahead, hip[:, 1], 0.08 + 0.15 * np.sin(np.pi * swing) ** 2])
        knee = hip + (ankle - hip) / 2 + [0.2, 0.0, 0.0]
        bent = hip + 0.42 * (knee - hip) / np.linalg.norm(knee - hip, axis=-1, keepdims=True)
        shin = bent + 0.42 * (ankle - bent) / np.linalg.norm(ankle - bent, axis=-1, keepdims=True)
        joints[:, KNEES[foot]], joints[:, ANKLES[foot]] = reach(hip, bent, shin, ankle)
    return joints


def filmed(
    joints: Floats, pitch_deg: float = 0.0, away: float = 6.0, depth_error: float = 0.0
) -> CameraPoses:
    """World joints seen by a camera 1.5 m above the floor that looks down by `pitch_deg`; all too far by a share."""
    turn = Rotation.from_euler("x", pitch_deg, degrees=True).as_matrix() @ UPRIGHT
    seen = (joints - [0.0, -away, 1.5]) @ turn.T
    return CameraPoses(seen - seen[:, :1], seen[:, 0] * (1 + depth_error), H36M_17)


def badly(poses: CameraPoses, seed: int = 0) -> CameraPoses:
    """With a lifter's errors: joints off by 3 cm, depth by 2 %, both slowly changing."""
    rng = np.random.default_rng(seed)

    def wander(*shape: int) -> Floats:
        noise = gaussian_filter1d(
            rng.standard_normal((len(poses.root_m), *shape)), 6.0, axis=0, mode="wrap"
        )
        return noise / noise.std()

    joints = poses.joints_m + 0.03 * wander(17, 3)
    return CameraPoses(joints - joints[:, :1], poses.root_m * (1 + 0.02 * wander(1)), H36M_17)


def lying() -> Floats:
    """On the left side, across the view, for two seconds."""
    joints = marching()[:1] - [0.0, 0.0, 0.86]
    turn = Rotation.from_euler("xz", [-90, 90], degrees=True).as_matrix()
    return np.repeat(joints @ turn.T + [0.0, 0.0, 0.3], 60, axis=0)


@pytest.mark.parametrize(("pitch", "roll"), [(-10.0, 0.0), (0.0, 0.0), (30.0, 0.0), (10.0, 25.0)])
def test_a_tilted_camera_is_undone(pitch: float, roll: float) -> None:
    lean = Rotation.from_euler("z", roll, degrees=True).as_matrix()
    level = [badly(filmed(marching(), pitch), seed) for seed in range(2)]
    people = [CameraPoses(one.joints_m @ lean.T, one.root_m @ lean.T, H36M_17) for one in level]
    truth = lean @ [0.0, -np.cos(np.radians(pitch)), -np.sin(np.radians(pitch))]
    assert np.degrees(np.arccos(ground(people).up @ truth)) < 5


def test_standing_feet_stay_where_they_are_and_on_the_floor() -> None:
    person = badly(filmed(marching(), 15.0))
    found = ground([person])
    feet = found.joints[0][:, ANKLES]
    on = found.feet_planted[0]
    assert 0.3 < on.mean() < 0.8
    assert found.skate.mean() < 0.02, "unmended, they slide at 0.5 m/s"
    height = feet[on][:, 2]
    assert np.abs(height - 0.08).mean() < 0.005
    assert np.abs(height - 0.08).max() < 0.08, "a leg reaches only so far"
    assert feet[..., 2].min() > 0.02, "nobody sinks"


def test_the_path_and_the_bones_are_kept() -> None:
    truth = marching()
    person = badly(filmed(truth))
    world = ground([person]).joints[0]
    off = world[:, 0] - truth[:, 0]
    assert np.linalg.norm((off - off.mean(0))[:, :2], axis=-1).mean() < 0.12
    for joints in (world, person.joints_m):
        shins = np.linalg.norm(joints[:, ANKLES] - joints[:, KNEES], axis=-1)
        np.testing.assert_allclose(
            shins, np.linalg.norm(person.joints_m[:, ANKLES] - person.joints_m[:, KNEES], axis=-1)
        )


def test_a_jump_off_a_roof_goes_down_and_a_hop_goes_up() -> None:
    joints = np.repeat(marching()[:1], 120, axis=0)
    time = np.arange(120) / FPS
    hop = np.where((time > 1) & (time < 1.5), 3.0 * (time - 1) * (1.5 - time) * 4, 0.0)  # 0.75 m
    fall = np.clip(2.0 - 4.9 * np.clip(time - 2.5, 0, None) ** 2, 0.0, 2.0)
    height = hop + fall
    joints[..., 2] += height[:, None]
    passer_by = marching(aside=1.5)
    world = ground([filmed(joints, away=7.0), filmed(passer_by, away=7.0)]).joints[0]
    np.testing.assert_allclose(world[:, 0, 2] - world[-1, 0, 2], height - height[-1], atol=0.15)
    assert abs(world[-20:, ANKLES, 2].mean() - joints[-20:, ANKLES, 2].mean()) < 0.06


def test_people_whose_depth_is_wrong_share_the_floor() -> None:
    near, far = filmed(marching(), 10.0, 5.0, 0.05), filmed(marching(), 10.0, 9.0, -0.08)
    for joints in ground([near, far]).joints:
        assert abs(np.percentile(joints[:, ANKLES, 2].min(1), 50) - 0.08) < 0.03


def test_a_travelling_camera_is_undone_when_it_is_said_to_move() -> None:
    truth = marching()
    steady = filmed(truth)
    along = np.outer(np.arange(len(truth)) / FPS, [1.0, 0.0, 0.0])  # keeps beside the walker
    person = CameraPoses(steady.joints_m, steady.root_m - along, H36M_17)
    walked = [ground([person], camera=camera).joints[0][:, 0] for camera in ("static", "moving")]
    distances = [np.linalg.norm(path[-1] - path[0]) for path in walked]
    assert distances[0] < 1.0
    assert distances[1] == pytest.approx(np.linalg.norm(truth[-1, 0] - truth[0, 0]), rel=0.1)


def test_people_seen_together_keep_their_distance_before_a_moving_camera() -> None:
    first, second = filmed(marching()), filmed(marching(aside=2.0))
    later = CameraPoses(second.joints_m[60:], second.root_m[60:], H36M_17)
    indices = [np.arange(150), np.arange(60, 150)]
    one, other = ground([first, later], camera="moving", frames=indices).joints
    between = np.linalg.norm(one[60:, 0, :2] - other[:, 0, :2], axis=-1)
    np.testing.assert_allclose(between, 2.0, atol=0.2)


def test_x_is_the_cameras_right_and_y_leads_away() -> None:
    truth = marching() @ Rotation.from_euler("z", 30, degrees=True).as_matrix().T
    world = ground([filmed(truth)]).joints[0]
    walked, should = (joints[-1, 0] - joints[0, 0] for joints in (world, truth))
    np.testing.assert_allclose(walked, should, atol=0.2)


def test_whoever_lies_lies_on_the_floor_and_does_not_turn_it() -> None:
    found = ground([filmed(lying()), filmed(marching())])
    assert found.up @ [0.0, -1.0, 0.0] > np.cos(np.radians(4))
    heights = found.joints[0][..., 2]
    assert heights.min() > 0
    assert np.median(heights) < 0.35


def test_feet_nobody_sees_hold_nobody() -> None:
    person = filmed(marching())
    found = ground([person], feet_seen=False)
    assert not found.feet_planted[0].any()
    assert not len(found.skate)
    assert 0 < found.joints[0][:, ANKLES, 2].min() < 0.2


@pytest.mark.parametrize("camera", ["static", "moving"])
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_a_glimpse_is_grounded(frames: int, camera: str) -> None:
    world = ground([filmed(marching(frames))], camera=camera).joints[0]
    assert abs(world[:, ANKLES, 2].min() - 0.08) < 0.1


@pytest.mark.parametrize("camera", ["static", "moving"])
def test_whoever_is_never_placed_stays_unknown_and_disturbs_nobody(camera: str) -> None:
    person = filmed(marching())
    nowhere = CameraPoses(person.joints_m, np.full_like(person.root_m, np.nan), H36M_17)
    alone = ground([person], camera=camera).joints[0]
    lost, kept = ground([nowhere, person], camera=camera).joints
    assert np.isnan(lost).all()
    np.testing.assert_allclose(kept, alone)


def test_a_burst_of_nonsense_passes() -> None:
    person = badly(filmed(marching()))
    rng = np.random.default_rng(0)
    joints, root = person.joints_m.copy(), person.root_m.copy()
    joints[70:80] += rng.normal(0, 0.5, (10, 17, 3))
    root[70:80] += rng.normal(0, 2.0, (10, 3))
    found = ground([CameraPoses(joints, root, H36M_17)])
    world = found.joints[0]
    assert found.up @ [0.0, -1.0, 0.0] > np.cos(np.radians(6))
    assert np.isfinite(world).all()
    assert np.abs(np.median(world[:60, ANKLES, 2].min(1)) - 0.08) < 0.05


def test_nobody_needs_no_floor() -> None:
    assert np.isfinite(find_world([]).floor_m)


def test_skate_is_the_level_speed_of_feet_that_stand() -> None:
    joints = np.zeros((10, 17, 3))
    joints[:, ANKLES[0], 0] = np.arange(10) * 0.01
    joints[:, ANKLES[0], 2] = np.arange(10)
    stands = np.zeros((10, 2), dtype=bool)
    assert not len(planted_speeds(joints, stands, FPS))
    stands[2:8, 0] = True
    assert planted_speeds(joints, stands, FPS).mean() == pytest.approx(0.3)
