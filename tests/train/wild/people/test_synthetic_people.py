"""Synthetic people: what is read of MakeHuman, how a body follows captured motion, what a picture of it shows."""

from pathlib import Path

import numpy as np
import pytest

from core.camera import project
from core.errors import InputError
from core.skeletons import H36M_17
from core.types import Floats, Intrinsics
from tests.walker import walking
from train.wild.mocap import MOCAP_JOINTS
from train.wild.people.makehuman import DRIVERS, Body, MakeHuman, Part, read_garment
from train.wild.people.posing import POINTS, pose

UP = np.array([0.0, -1.0, 0.0])
CAMERA = Intrinsics(300.0, 300.0, 128.0, 128.0, "given")
REST = {
    "pelvis": (0, 0, 0), "spine": (0, 0.25, 0), "thorax": (0, 0.5, 0), "neck_base": (0, 0.6, 0.02),
    "head_top": (0, 0.8, 0.02), "nose": (0, 0.66, 0.14), "l_hip": (0.09, 0, 0), "l_knee": (0.1, -0.45, 0),
    "l_ankle": (0.1, -0.9, 0), "l_shoulder": (0.17, 0.45, 0), "l_elbow": (0.37, 0.25, 0), "l_wrist": (0.55, 0.08, 0.05),
    "l_eye": (0.03, 0.7, 0.1), "l_ear": (0.08, 0.68, 0.02),
}  # fmt: skip


def body(*parts: Part) -> Body:
    joints = {name: np.array(place, float) for name, place in REST.items()}
    mirror = {
        name.replace("l_", "r_", 1): place * (-1, 1, 1)
        for name, place in joints.items()
        if name[:2] == "l_"
    }
    return Body(parts, joints | mirror)


def captured() -> Floats:
    """A walk (T, 18, 3) four metres away, with a nose."""
    joints = walking(40) + np.array([0.0, 0.0, 4.0])
    left = joints[:, H36M_17.index("l_shoulder")] - joints[:, H36M_17.index("r_shoulder")]
    forward = np.cross(left, np.broadcast_to(UP, left.shape))
    nose = (
        joints[:, H36M_17.index("neck_base")]
        + 0.06 * UP
        + 0.1 * forward / np.linalg.norm(forward, axis=1)[:, None]
    )
    return np.concatenate([joints, nose[:, None]], 1)


def test_a_posed_body_has_the_captured_directions_and_its_own_lengths() -> None:
    joints, person = captured(), body()
    matrices, points = pose(person, joints, UP)
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
    assert np.linalg.det(turns).min() > 0.99  # nobody is mirrored


def test_the_mesh_goes_where_the_joints_go() -> None:
    person = body()
    matrices, points = pose(person, captured(), UP)
    carried = {
        "l_shin": "l_ankle",
        "r_forearm": "r_wrist",
        "head": "nose",
        "l_clavicle": "l_shoulder",
    }
    for driver, joint in carried.items():
        moved = matrices[:, list(DRIVERS).index(driver)] @ np.append(person.joints[joint], 1.0)
        np.testing.assert_allclose(moved, points[:, POINTS.index(joint)], atol=1e-9)


def test_a_garment_lies_on_the_body_it_is_given(tmp_path: Path) -> None:
    square = (
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nvt 1 1\nf 1/1 2/2 4/4 3/3\n"
    )
    (tmp_path / "cap.obj").write_text(square)
    (tmp_path / "cap.mhclo").write_text(
        "# a comment\nname cap\nobj_file cap.obj\nx_scale 0 1 2.0\ny_scale 0 2 2.0\nz_scale 0 3 2.0\nverts 0\n"
        "material cap.mhmat\n0\n1\n 0 1 2 0.5 0.5 0.0 0.0 0.0 1.0\n2\n\ndelete_verts\n3 - 5 8\n"
    )
    garment = read_garment(tmp_path / "cap.mhclo")
    assert garment.hides == {3, 4, 5, 8}
    assert len(garment.mesh.triangles) == 2  # the square, cut
    wide = np.array(
        [[0, 0, 0], [4, 0, 0], [0, 2, 0], [0, 0, 6]], float
    )  # two and three times the scales above
    np.testing.assert_allclose(garment.on(wide), [[0, 0, 0], [4, 0, 0], [2, 0, 3], [0, 2, 0]])


def test_a_folder_without_makehumans_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no data folder of MakeHuman.*base\.obj"):
        MakeHuman(tmp_path)


def test_a_picture_shows_the_body_where_its_joints_are_seen() -> None:
    moderngl = pytest.importorskip("moderngl", reason="moderngl (extra `film`) is not installed")
    from train.wild.people.picture import Studio

    try:
        studio = Studio()
    except Exception as error:
        pytest.skip(f"no OpenGL without a screen here: {error}")
    assert moderngl
    red = np.full((4, 4, 4), (255, 0, 0, 255), np.uint8)
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.04
    person = body()
    weights = np.zeros((4, len(DRIVERS)))
    weights[:, list(DRIVERS).index("l_hand")] = 1.0
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    towards_us = np.tile([0.0, 0, 1], (4, 1))
    square = Part(
        corners + person.joints["l_wrist"], towards_us, np.zeros((4, 2)), weights, triangles, red
    )
    matrices, points = pose(person, captured(), UP)
    grey = np.full((256, 256, 3), 90, np.uint8)
    with studio.scene(body(square), grey, CAMERA, np.random.default_rng(0)) as draw:
        for frame in (0, 20):
            picture = draw(matrices[frame]).astype(int)
            rows, columns = np.nonzero(picture[..., 0] - picture[..., 1] > 20)
            seen = np.array([columns.mean(), rows.mean()]) + 0.5
            np.testing.assert_allclose(
                seen, project(points[frame, POINTS.index("l_wrist")], CAMERA), atol=2.0
            )
            assert tuple(picture[5, 5]) == (90, 90, 90)
