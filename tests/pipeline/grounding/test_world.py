import numpy as np
import pytest

from core.skeletons import H36M_17
from core.types import CameraPoses
from pipeline.grounding.feet.soles import ANKLES
from pipeline.grounding.options import Camera
from pipeline.grounding.world import estimate_world
from tests.pipeline.grounding.made_people import (
    filmed,
    ground,
    lying,
    marching,
    with_lifter_errors,
)


def test_a_person_who_lies_is_on_the_floor_and_does_not_turn_it() -> None:
    grounded = ground([filmed(lying()), filmed(marching())])
    assert grounded.up @ [0.0, -1.0, 0.0] > np.cos(np.radians(4))
    heights = grounded.joints[0][..., 2]
    assert heights.min() > 0
    assert np.median(heights) < 0.35


@pytest.mark.parametrize("camera", ["static", "moving"])
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_a_few_frames_are_grounded(frames: int, camera: Camera) -> None:
    world = ground([filmed(marching(frames))], camera=camera).joints[0]
    assert abs(world[:, ANKLES, 2].min() - 0.08) < 0.1


@pytest.mark.parametrize("camera", ["static", "moving"])
def test_a_person_without_a_position_stays_unknown_and_changes_no_other(camera: Camera) -> None:
    person = filmed(marching())
    nowhere = CameraPoses(person.joints_m, np.full_like(person.root_m, np.nan), H36M_17)
    alone = ground([person], camera=camera).joints[0]
    lost, kept = ground([nowhere, person], camera=camera).joints
    assert np.isnan(lost).all()
    np.testing.assert_allclose(kept, alone)


def test_a_burst_of_wrong_poses_is_outvoted() -> None:
    person = with_lifter_errors(filmed(marching()))
    rng = np.random.default_rng(0)
    joints, root = person.joints_m.copy(), person.root_m.copy()
    joints[70:80] += rng.normal(0, 0.5, (10, 17, 3))
    root[70:80] += rng.normal(0, 2.0, (10, 3))
    grounded = ground([CameraPoses(joints, root, H36M_17)])
    world = grounded.joints[0]
    assert grounded.up @ [0.0, -1.0, 0.0] > np.cos(np.radians(6))
    assert np.isfinite(world).all()
    assert np.abs(np.median(world[:60, ANKLES, 2].min(1)) - 0.08) < 0.05


def test_a_world_without_people_has_a_floor() -> None:
    assert np.isfinite(estimate_world([]).floor_m)
