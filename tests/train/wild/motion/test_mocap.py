import tarfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.skeletons import H36M_17
from testkit.made.motion import UNIT_M, bvh
from train.wild.motion.mocap import MOCAP_JOINTS, clip_from_bvh, load_mocap

SHARED = Path(__file__).parents[5] / "shared" / "data" / "mocap"


def at(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[..., MOCAP_JOINTS.index(name), :]


def test_a_clip_is_in_metres_with_z_up_and_without_the_t_pose() -> None:
    rest, walk = {}, {"place": [0, 15.6, 0]}
    clip = clip_from_bvh(bvh([rest, walk, walk]), "made")
    assert clip.joints_m.shape == (2, 22, 3)
    pose = clip.joints_m[0]
    np.testing.assert_allclose(at(pose, "pelvis"), [0, 0, 14 * UNIT_M], atol=1e-5)
    np.testing.assert_allclose(at(pose, "l_ankle"), [1.6 * UNIT_M, 0, 0], atol=1e-5)
    assert (
        at(pose, "head_top")[2]
        > at(pose, "neck_base")[2]
        > at(pose, "thorax")[2]
        > at(pose, "spine")[2]
    )
    assert at(pose, "nose")[1] < -0.05, "the rest pose faces +z of the file, which is -y with z up"
    assert at(pose, "l_wrist")[0] > at(pose, "l_elbow")[0] > 0 > at(pose, "r_elbow")[0]


def test_the_bone_that_the_bvh_conversion_lost_is_restored() -> None:
    """The thorax is as long as the bone below it and turns with it; a file's own is kept."""
    straight, bent = clip_from_bvh(bvh([{}, {}, {"Spine1": [90, 0, 0]}]), "made").joints_m
    assert at(straight, "thorax")[2] - at(straight, "pelvis")[2] == pytest.approx(
        (1.6 + 3 * 2.2 + 1.4) * UNIT_M
    )
    assert at(straight, "l_shoulder")[2] - at(straight, "pelvis")[2] == pytest.approx(
        (1.6 + 3 * 2.2 + 0.9) * UNIT_M
    )
    np.testing.assert_allclose(
        at(bent, "thorax") - at(bent, "pelvis"), [-(2.2 + 1.4) * UNIT_M, 0, 6 * UNIT_M], atol=1e-5
    )
    own = bvh([{}, {}]).replace(
        "OFFSET 0 0 0\nCHANNELS 3 Zrotation Yrotation Xrotation\nJOINT Neck1",
        "OFFSET 0 1 0\nCHANNELS 3 Zrotation Yrotation Xrotation\nJOINT Neck1",
    )
    whole = clip_from_bvh(own, "made").joints_m[0]
    assert at(whole, "thorax")[2] - at(whole, "pelvis")[2] == pytest.approx(
        (1.6 + 2 * 2.2 + 1 + 1.4) * UNIT_M
    )


def test_feet_are_rigid_and_flat_where_the_t_poses_are() -> None:
    pointed = {"LeftFoot": [0, 0, 40], "LeftUpLeg": [0, 30, 0]}
    for name, frames in (("flat", [{}, {}]), ("pointed", [{}, pointed])):
        pose = clip_from_bvh(bvh(frames), name).joints_m[0]
        heel, toe, ankle = (at(pose, f"l_{part}") for part in ("heel", "toe", "ankle"))
        assert 0.2 < np.linalg.norm(toe - heel) < 0.3
        assert 0.07 < np.linalg.norm(heel - ankle) < 0.12
        if name == "flat":
            assert heel[2] == pytest.approx(toe[2], abs=1e-5), "both on the sole"
            assert 0.05 < ankle[2] - heel[2] < 0.1
            np.testing.assert_allclose((toe - heel)[0], 0, atol=1e-5)
            assert (toe - heel)[1] < 0, "it points to where the person faces"
        else:
            assert toe[2] < heel[2] - 0.1, "on tiptoe"


@pytest.mark.skipif(not SHARED.exists(), reason="real motion capture is not part of the repository")
def test_captured_feet_stand_flat_on_one_level(tmp_path: Path) -> None:
    for archive, names in (
        ("cmu_bvh.tar.xz", ("cmu/01_01.bvh", "cmu/07_10.bvh")),
        ("bandai_namco_bvh.tar.xz", ("bandai_namco_1/dataset-1_walk_old_001.bvh",)),
    ):
        with tarfile.open(SHARED / archive) as packed:
            for name in names:
                packed.extract(name, tmp_path, filter="data")
        for clip in load_mocap([tmp_path / name for name in names]):
            ankle, heel, toe = (at(clip.joints_m, f"l_{n}") for n in ("ankle", "heel", "toe"))
            speed = np.linalg.norm(np.diff(ankle, axis=0), axis=-1) * clip.fps
            stands = np.append(speed < 0.1, False)
            pitch = np.degrees(np.arctan2((toe - heel)[:, 2], np.linalg.norm((toe - heel)[:, :2])))
            assert abs(np.median(pitch[stands])) < 5, clip.name


def test_a_turned_head_turns_the_nose() -> None:
    clip = clip_from_bvh(bvh([{}, {"Head": [0, 90, 0]}]), "made")
    nose = at(clip.joints_m[0], "nose") - at(clip.joints_m[0], "neck_base")
    assert nose[0] > 0.05, "a quarter turn to the person's left"
    assert abs(nose[1]) < 0.01


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("solid cube", "no MOTION section"),
        (bvh([{}]).replace("Frames: 1", "Frames: 9"), "damaged"),
        (bvh([{}]).replace("LeftUpLeg", "Tentacle"), "not known here"),
    ],
)
def test_an_unusable_bvh_file_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        clip_from_bvh(text, "file.bvh")


def test_folders_and_files_are_read_and_missing_ones_named(tmp_path: Path) -> None:
    for name in ("b.bvh", "a.bvh"):
        (tmp_path / name).write_text(bvh([{}] * 5))
    assert [clip.name for clip in load_mocap([tmp_path, tmp_path / "a.bvh"])] == ["a", "b", "a"]
    with tarfile.open(tmp_path / "both.tar.xz", "w:xz") as archive:
        for name in ("b.bvh", "a.bvh"):
            archive.add(tmp_path / name, f"folder/{name}")
    assert [clip.name for clip in load_mocap([tmp_path / "both.tar.xz"])] == ["a", "b"]
    with pytest.raises(InputError, match="no such file"):
        load_mocap([tmp_path / "missing"])
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match=r"expected a folder, a \.bvh"):
        load_mocap([tmp_path / "notes.txt"])


@pytest.mark.skipif(not SHARED.exists(), reason="real motion capture is not part of the repository")
def test_real_captures_are_people() -> None:
    clips = load_mocap([SHARED / "cmu_extra_positions.npz"])
    assert len(clips) == 38
    for clip in clips:
        bones = [
            np.linalg.norm(clip.joints_m[:, a] - clip.joints_m[:, b], axis=-1)
            for a, b in H36M_17.bones
        ]
        assert 0.38 < np.median(bones[H36M_17.index("l_knee") - 1]) < 0.48
        left = at(clip.joints_m, "l_hip") - at(clip.joints_m, "r_hip")
        up = at(clip.joints_m, "thorax") - at(clip.joints_m, "pelvis")
        nose = at(clip.joints_m, "nose") - at(clip.joints_m, "neck_base")
        facing = (np.cross(left, up) * nose).sum(-1) > 0
        assert facing.mean() > 0.9, "the nose is in front, so left is left"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npz", b"PK\x03\x04 cut"),
        ("a.tar.xz", b"no archive"),
        ("a.bvh", b"\xff\xfe"),
        ("a.bvh", bvh([{}, {}]).replace("Spine", "Tail").encode()),
        ("a.bvh", bvh([{}, {"Neck": [float("nan"), 0, 0]}]).encode()),
        ("a.bvh", b"HIERARCHY ROOT a { CHANNELS 0 } MOTION Frames: 9999999999 Frame Time: 1"),
    ],
)
def test_damaged_motion_capture_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError):
        load_mocap([tmp_path / name])
