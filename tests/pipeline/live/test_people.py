"""Who is who, how they are lifted and where they stand while frames come in."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Detections, Floats
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.grounding.online import LiveWorld
from pipeline.lifting.online import LivePerson, Sighting
from pipeline.tracking.online import LiveIds
from tests.walker import CAMERA, keypoints, walking
from weights.store import resolve


def detections(places: list[Floats]) -> Detections:
    body = np.random.default_rng(0).uniform([-40, -150], [40, 150], (17, 2))
    points = np.array([body + place for place in places]).reshape(-1, 17, 2)
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    count = len(places)
    scores, nothing = np.full((count, 17), 0.9), np.full((count, 17, 3), np.nan)
    return Detections(0, boxes, np.full(count, 0.9), points, scores, nothing, COCO_17)


def test_two_people_keep_their_numbers_while_frames_are_missed_and_one_is_hidden() -> None:
    ids, rng, time_s, given = LiveIds(None), np.random.default_rng(2), 0.0, []
    while time_s < 6:
        places = [np.array([300 + 60 * time_s, 400.0]), np.array([1200 - 50 * time_s, 420.0])]
        here = places[:1] if 3 < time_s < 4 else places
        given.append((time_s, len(here), ids.update(detections(here), time_s)))
        time_s += rng.uniform(0.03, 0.2)
    assert all(not numbers for seconds, _, numbers in given if seconds < 0.4), "a flicker is nobody"
    settled = [(count, numbers) for seconds, count, numbers in given if seconds > 0.8]
    assert all(numbers == {1: 0, 2: 1} for count, numbers in settled if count == 2)
    assert all(numbers == {1: 0} for count, numbers in settled if count == 1)


def test_only_the_person_seen_longest_is_kept_when_one_is_wanted() -> None:
    ids = LiveIds(max_people=1)
    for i in range(60):
        places = [np.array([300.0, 400]), np.array([1200.0, 420])]
        numbers = ids.update(detections(places[:1] if i < 20 else places[::-1]), i / 30)
    assert list(numbers.values()) == [1], "who came first, in whatever order they are detected"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As a live run has torch: two threads that wait for each other on a busy machine take minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_person_is_lifted_from_the_past_alone_at_whatever_times_frames_come() -> None:
    lifter = Lifter.load(resolve("lifter"))
    every, fps = 150, 30.0
    joints = walking(every)
    root = np.stack([np.linspace(-1, 1, every), np.zeros(every), np.full(every, 4.0)], 1)
    points = keypoints(joints, root)
    person = LivePerson(lifter, CAMERA, PipelineConfig(height_m=1.6, smooth="one-euro"))
    off_joints, off_root = [], []
    for t in np.cumsum(np.random.default_rng(0).integers(1, 4, 70)):
        if t >= every:
            break
        if 60 <= t < 70:
            person.miss(t / fps)
            continue
        pose = person.lift(Sighting(t / fps, points[t], np.full(17, 0.9), np.full((17, 3), np.nan)))
        off_joints.append(np.linalg.norm(pose.joints_m[0] - joints[t], axis=-1).mean())
        off_root.append(np.linalg.norm(pose.root_m[0] - root[t]))
    assert np.mean(off_joints) < 0.15
    assert np.median(off_root) < 0.5


@pytest.mark.usefixtures("one_thread")
def test_what_the_detector_hardly_believes_moves_nobody() -> None:
    points = keypoints(walking(20), np.tile([0.0, 0.0, 4.0], (20, 1)))
    wrist = COCO_17.index("left_wrist")
    poses = []
    for aside_px, score in ((0, 0.0), (40, 0.05)):
        person, scores = (
            LivePerson(Lifter.load(resolve("lifter")), CAMERA, PipelineConfig()),
            np.full(17, 0.9),
        )
        scores[wrist] = score
        for t, seen in enumerate(points):
            given = seen.copy()
            given[wrist] += aside_px
            pose = person.lift(Sighting(t / 30, given, scores, np.full((17, 3), np.nan)))
        poses.append(pose.joints_m)
    np.testing.assert_allclose(*poses, atol=1e-6)


def placed(seconds: float, level_m: float, tilt_rad: float) -> Iterator[tuple[float, CameraPoses]]:
    """Somebody who walks on a level that is `level_m` above the floor, 1.5 m below a camera tilted down."""
    frames = int(30 * seconds)
    joints = walking(frames)
    ankles = joints[:, H36M_17.indices(("l_ankle", "r_ankle")), 1].max(1)
    root = np.stack(
        [np.linspace(-1, 1, frames), 1.5 - level_m - 0.08 - ankles, np.full(frames, 5.0)], 1
    )
    turn = np.array(
        [
            [1, 0, 0],
            [0, np.cos(tilt_rad), -np.sin(tilt_rad)],
            [0, np.sin(tilt_rad), np.cos(tilt_rad)],
        ]
    )
    for t in range(frames):
        yield t / 30, CameraPoses((joints[t] @ turn.T)[None], (root[t] @ turn.T)[None], H36M_17)


@pytest.mark.parametrize("tilt_deg", [0.0, -12.0])
def test_up_and_floor_are_learned_on_the_way(tilt_deg: float) -> None:
    world, scores = LiveWorld(), np.full(17, 0.9)
    low, high = placed(8, 0.0, np.radians(tilt_deg)), placed(8, 1.7, np.radians(tilt_deg))
    for (time_s, below), (_, above) in zip(low, high, strict=True):
        found = world.place(time_s, {1: (below, scores), 2: (above, scores)})
    standing, raised = found[1], found[2]
    upright = standing[H36M_17.index("head_top")] - standing[0]
    assert upright[2] / np.linalg.norm(upright) > 0.99
    assert standing[:, 2].min() == pytest.approx(0.08, abs=0.06)
    assert raised[:, 2].min() == pytest.approx(1.78, abs=0.25), "a roof is a roof"


def test_somebody_whose_place_is_not_known_is_nowhere() -> None:
    nowhere = CameraPoses(walking(1), np.full((1, 3), np.nan), H36M_17)
    assert np.isnan(LiveWorld().place(0.0, {1: (nowhere, np.zeros(17))})[1]).all()
