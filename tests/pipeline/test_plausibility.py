from collections.abc import Iterator

import numpy as np
import pytest

from core.skeletons import COCO_21, H36M_21
from pipeline.plausibility import Plausibility
from pipeline.results.measures import PersonPart
from pipeline.results.rows import person_row
from testkit.walker import CAMERA, keypoints, moving_root, walking, with_feet


def parts(shift_px: float, track_id: int = 1, observed: bool = True) -> Iterator[PersonPart]:
    """A person who is lifted well, in two parts, with keypoints that lie beside their joints."""
    joints, root = with_feet(walking(40)), moving_root(40)
    points = keypoints(joints, root)
    rows = np.zeros(40, person_row(COCO_21, H36M_21))
    rows["track_id"], rows["observed"] = track_id, observed
    rows["joints_camera_m"], rows["root_camera_m"] = joints, root
    rows["box_xyxy"] = np.concatenate([points.min(1), points.max(1)], 1)
    rows["keypoints_2d"] = points + np.array([shift_px, 0])
    for own in (rows[:25], rows[25:]):
        world, nothing = np.zeros((len(own), 21, 3)), np.zeros((len(own), 4), bool)
        yield PersonPart(own, H36M_21, world, nothing, 30.0, CAMERA)


def doubts(*people: Iterator[PersonPart]) -> tuple[str, ...]:
    plausibility = Plausibility()
    for person in people:
        for part in person:
            plausibility.add(part)
    return plausibility.doubts()


def test_a_person_who_fits_the_picture_is_not_doubted() -> None:
    assert doubts(parts(0.0), parts(8.0, 2)) == ()
    assert doubts() == ()
    assert doubts(parts(300.0, observed=False)) == (), "nothing was seen to compare with"


def test_a_person_who_does_not_is_named_with_the_distance() -> None:
    (line,) = doubts(parts(0.0, 1), parts(90.0, 2))
    assert line.startswith("person 2 is wrong in 3D: the joints lie 90 px from the keypoints, ")


@pytest.mark.parametrize("joint", ["nose", "left_ear"])
def test_the_face_is_not_compared(joint: str) -> None:
    (first, second) = parts(0.0)
    first.rows["keypoints_2d"][:, COCO_21.index(joint)] += 500
    assert doubts(iter((first, second))) == ()
