import numpy as np

from tests.train.wild.made_people import body, captured
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.people.body import DRIVERS
from train.wild.people.posing import POINTS, pose


def test_a_posed_body_has_the_captured_directions_and_its_own_lengths() -> None:
    joints, person = captured(), body()
    matrices, points = pose(person, joints)
    np.testing.assert_allclose(points[:, 0], joints[:, 0])
    for side in "lr":
        for upper, lower in (
            ("hip", "knee"),
            ("knee", "ankle"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
        ):
            a, b = f"{side}_{upper}", f"{side}_{lower}"
            posed = points[:, POINTS.index(b)] - points[:, POINTS.index(a)]
            bone = joints[:, MOCAP_JOINTS.index(b)] - joints[:, MOCAP_JOINTS.index(a)]
            length = np.linalg.norm(person.joints[b] - person.joints[a])
            np.testing.assert_allclose(
                posed, bone * length / np.linalg.norm(bone, axis=1)[:, None], atol=1e-9
            )
    turns = matrices[..., :3]
    np.testing.assert_allclose(
        turns @ turns.swapaxes(2, 3), np.broadcast_to(np.eye(3), turns.shape), atol=1e-9
    )
    assert np.linalg.det(turns).min() > 0.99  # none is mirrored


def test_the_mesh_goes_where_the_joints_go() -> None:
    person = body()
    matrices, points = pose(person, captured())
    carried = {
        "l_shin": "l_ankle",
        "r_forearm": "r_wrist",
        "head": "nose",
        "l_clavicle": "l_shoulder",
    }
    for driver, joint in carried.items():
        moved = matrices[:, list(DRIVERS).index(driver)] @ np.append(person.joints[joint], 1.0)
        np.testing.assert_allclose(moved, points[:, POINTS.index(joint)], atol=1e-9)
