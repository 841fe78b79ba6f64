"""Views, light, blur and other people that make a filmed person hard to see."""

import numpy as np
import pytest

from core.camera import project
from core.errors import UsageError
from core.types import Floats, Intrinsics
from tests.train.wild.made_people import UP, body, captured
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.people.body import DRIVERS, Part
from train.wild.people.hardships import (
    HARDSHIPS,
    Hardships,
    against_the_light,
    cut_off,
    exposed,
    place_in_front,
    turn_to_view,
)
from train.wild.people.scenery import Sensor

L_HIP, R_HIP = MOCAP_JOINTS.index("l_hip"), MOCAP_JOINTS.index("r_hip")
SEEDS = range(20)


def distances(joints: Floats) -> Floats:
    """(T, 22, 22) between the joints of each frame."""
    return np.asarray(np.linalg.norm(joints[:, :, None] - joints[:, None], axis=-1))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_performance_is_turned_as_a_whole_to_be_seen_from_above_and_behind(seed: int) -> None:
    rng, joints = np.random.default_rng(seed), captured()
    turned, up = turn_to_view(joints, UP, frozenset({"above", "behind"}), rng)
    np.testing.assert_allclose(distances(turned), distances(joints), atol=1e-9)
    middle = len(joints) // 2
    np.testing.assert_allclose(turned[middle, 0], joints[middle, 0], atol=1e-9)
    assert 24.9 < np.degrees(np.arcsin(-up[2])) < 70.1  # how far the camera looks down
    head, hips = MOCAP_JOINTS.index("head_top"), 0
    before, after = ((j[:, head] - j[:, hips]) @ u for j, u in ((joints, UP), (turned, up)))
    np.testing.assert_allclose(after, before, atol=1e-9)  # as upright as before


def test_people_seen_from_behind_face_away() -> None:
    joints = captured() * (-1, 1, -1) + np.array([0, 0, 8.0])  # faces the camera
    facing = []
    for seed in SEEDS:
        turned, _ = turn_to_view(joints, UP, frozenset({"behind"}), np.random.default_rng(seed))
        middle = turned[len(turned) // 2]
        forward = np.cross(middle[L_HIP] - middle[R_HIP], UP)
        facing.append(forward[2] / np.linalg.norm(forward))
    assert np.median(facing) > 0.7
    assert min(facing) > -0.2


def test_without_those_hardships_a_performance_is_as_given() -> None:
    joints = captured()
    turned, up = turn_to_view(
        joints, UP, frozenset(HARDSHIPS) - {"above", "behind"}, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(turned, joints)
    np.testing.assert_array_equal(up, UP)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_other_person_passes_between_the_camera_and_the_person(seed: int) -> None:
    hidden, middle = captured(), len(captured()) // 2
    other, other_up = turn_to_view(captured(), UP, frozenset({"above"}), np.random.default_rng(1))
    placed = place_in_front(other, other_up, hidden, UP, np.random.default_rng(seed))
    gap = hidden[middle, 0] - placed[middle, 0]
    assert 0.4 <= gap[2] <= 1.0
    assert abs(gap[0]) <= 0.3
    assert gap @ UP == pytest.approx(0, abs=1e-9)
    head = MOCAP_JOINTS.index("head_top")
    np.testing.assert_allclose(
        (placed[:, head] - placed[:, 0]) @ UP, (other[:, head] - other[:, 0]) @ other_up, atol=1e-9
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_an_edge_of_the_picture_cuts_through_the_person(seed: int) -> None:
    lens, size = Intrinsics(300.0, 300.0, 128.0, 100.0, "given"), (256, 200)
    joints = captured()[0]
    rng = np.random.default_rng(seed)
    seen = project(joints, cut_off(lens, project(joints, lens), size, rng))
    low, high = seen.min(0), seen.max(0)
    beyond = np.concatenate([-low, high - size]) / np.tile(high - low, 2)
    assert 0.15 <= beyond.max() <= 0.5


def test_what_moves_is_smeared_over_a_long_exposure() -> None:
    moves = np.arange(10.0)[:, None]  # a dot that moves by one pixel a frame

    def draw(position: Floats) -> np.ndarray:
        picture = np.zeros((1, 10, 3), np.uint8)
        picture[0, int(position[0] + 0.5)] = 200
        return picture

    assert exposed(draw, moves, 4, 0.0)[0, :, 0].tolist() == [0, 0, 0, 0, 200, 0, 0, 0, 0, 0]
    assert exposed(draw, moves, 4, 3.0)[0, :, 0].tolist() == [0, 0, 0, 50, 50, 50, 50, 0, 0, 0]
    assert exposed(draw, moves, 0, 3.0)[0, :, 0].tolist()[4:] == [0] * 6


def test_sensors_keep_small_dark_blurred_and_compressed_pictures() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[:, ::20] = picture[:, 1::20] = (255, 120, 60)

    def kept(*hard: str) -> tuple[Sensor, np.ndarray]:
        rng = np.random.default_rng(3)
        sensor = Sensor(rng, frozenset(hard), 180.0)
        sensor._noise = 0.0  # so that pictures differ by the hardship alone
        return sensor, sensor.degrade(picture, rng).astype(float)

    plain, plain_picture = kept()
    assert plain.scale == 1
    assert plain_picture.shape == picture.shape
    small, small_picture = kept("small")
    assert 28 <= 180 * small.scale <= 90
    assert small_picture.shape[:2] == small.size(300, 200)[::-1]
    assert kept("dark")[1].mean() < 0.7 * plain_picture.mean()
    assert kept("blurred")[1].std() < 0.9 * plain_picture.std()
    error = [np.abs(one - picture).mean() for one in (plain_picture, kept("compressed")[1])]
    assert error[1] > 1.3 * error[0]


def test_a_body_against_the_light_is_dark_and_as_opaque_as_it_was() -> None:
    grey = np.full((2, 2, 4), (200, 100, 50, 255), np.uint8)
    mesh = np.zeros((3, 3))
    part = Part(mesh, mesh, mesh[:, :2], np.zeros((3, len(DRIVERS))), np.zeros((1, 3), int), grey)
    texture = against_the_light(body(part), np.random.default_rng(0)).parts[0].texture
    assert texture[..., 0].max() <= 70
    assert (texture[..., 3] == 255).all()
    assert part.texture[0, 0, 0] == 200


def test_hardships_are_drawn_by_their_chances() -> None:
    never = dict.fromkeys(HARDSHIPS, 0.0)
    rng = np.random.default_rng(0)
    assert Hardships(**never | {"cut": 1.0}).draw(rng) == {"cut"}
    drawn = [Hardships(**never | {"small": 0.3}).draw(rng) for _ in range(500)]
    assert 0.2 < np.mean([one == {"small"} for one in drawn]) < 0.4
    assert set(drawn) == {frozenset(), frozenset({"small"})}


def test_a_chance_beyond_one_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--hard small=2: expected a chance in 0…1"):
        Hardships(small=2.0)
