"""A person is lifted while frames come in."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21, Skeleton
from core.types import Floats
from lifter.predict import Lifter
from pipeline.lifting.online import OnlineLifter, PersonSample
from pipeline.lifting.options import LiftOptions
from testkit.lifters import small_lifter
from testkit.walker import CAMERA, keypoints, walking, with_feet
from weights.store import resolve


def sample(keypoints_xy: Floats, scores: Floats | None = None) -> PersonSample:
    """A detection without 3D."""
    scores = np.full(21, 0.9) if scores is None else scores
    return PersonSample(keypoints_xy, scores, np.full((21, 3), np.nan))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch as a live run sets it: on a busy machine, threads wait for each other for minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_person_is_lifted_from_the_past_alone_at_uneven_times() -> None:
    lifter = Lifter.load(resolve("lifter"))
    every, fps = 150, 30.0
    joints = walking(every)
    root = np.stack([np.linspace(-1, 1, every), np.zeros(every), np.full(every, 4.0)], 1)
    points = keypoints(with_feet(joints), root)
    online = OnlineLifter(lifter, CAMERA, LiftOptions(height_m=1.6, smooth="one-euro"))
    joint_errors, root_errors = [], []
    for t in np.cumsum(np.random.default_rng(0).integers(1, 4, 70)):
        if t >= every:
            break
        if 60 <= t < 70:
            assert not online.lift(t / fps, {})
            continue
        pose = online.lift(t / fps, {7: sample(points[t])})[7]
        joint_errors.append(np.linalg.norm(pose.joints_m[0][:17] - joints[t], axis=-1).mean())
        root_errors.append(np.linalg.norm(pose.root_m[0] - root[t]))
    assert np.mean(joint_errors) < 0.15
    assert np.median(root_errors) < 0.5


@pytest.mark.usefixtures("one_thread")
def test_keypoints_with_scores_near_zero_move_no_joint() -> None:
    points = keypoints(with_feet(walking(20)), np.tile([0.0, 0.0, 4.0], (20, 1)))
    wrist = COCO_17.index("left_wrist")
    poses = []
    for aside_px, score in ((0, 0.0), (40, 0.05)):
        online = OnlineLifter(Lifter.load(resolve("lifter")), CAMERA, LiftOptions())
        scores = np.full(21, 0.9)
        scores[wrist] = score
        for t, seen in enumerate(points):
            given = seen.copy()
            given[wrist] += aside_px
            pose = online.lift(t / 30, {1: sample(given, scores)})[1]
        poses.append(pose.joints_m)
    np.testing.assert_allclose(*poses, atol=1e-6)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("joints", [H36M_17, H36M_21], ids=lambda one: one.name)
def test_poses_have_the_lifters_joints_and_say_how_sure_they_are_where_it_does(
    joints: Skeleton, tmp_path: Path
) -> None:
    says_sigma = joints == H36M_21
    path = small_lifter(tmp_path / "small.safetensors", COCO_21, joints, says_sigma)
    points = keypoints(with_feet(walking(20)), np.tile([0.0, 0.0, 4.0], (20, 1)))
    heights = []
    for height_m in (1.0, 2.0):
        online = OnlineLifter(Lifter.load(path), CAMERA, LiftOptions(height_m=height_m))
        for t, seen in enumerate(points):
            pose = online.lift(t / 30, {1: sample(seen)})[1]
        assert pose.skeleton == joints
        assert np.isfinite(pose.sigma_m).all() == says_sigma
        heights.append(pose.sigma_m)
    np.testing.assert_allclose(heights[1], 2 * heights[0], err_msg="sigma grows with the person")


def test_people_are_lifted_together_as_they_are_alone() -> None:
    lifter, nowhere = Lifter.load(resolve("lifter-causal")), np.full((21, 2), np.nan)
    walks = [
        keypoints(with_feet(walking(40)), np.tile([x, 0.0, z], (40, 1)))
        for x, z in ((-0.5, 4.0), (1.0, 6.0))
    ]
    together = OnlineLifter(lifter, CAMERA, LiftOptions())
    alone = [OnlineLifter(lifter, CAMERA, LiftOptions()) for _ in walks]
    for t, seen in enumerate(zip(*walks, strict=True)):
        people = {i: sample(points) for i, points in enumerate(seen) if i == 0 or t >= 10}
        if t == 20:  # of whom nothing is known any more
            people[1] = sample(nowhere, np.zeros(21))
        poses = together.lift(t / 30, people)
        assert poses.keys() == people.keys()
        for i, person in people.items():
            own = alone[i].lift(t / 30, {i: person})[i]
            for name in ("joints_m", "root_m", "sigma_m"):
                np.testing.assert_allclose(
                    getattr(poses[i], name), getattr(own, name), atol=1e-4, err_msg=f"{t} {name}"
                )
