"""`bvh`, read by the reader that training has."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from core.kinematics import BONES, rigid_joints
from core.skeletons import H36M_21
from core.types import Floats
from pipeline.export.base import ExportOptions, write_exports
from pipeline.export.rigs.motion import rigid_people
from pipeline.results.result import Result
from testkit.made import array_results
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import FPS, tumbling
from train.wild.motion.bvh import BvhMotion, read_bvh

FRAMES = 70
OF_JOINTS = {
    "mixamo": {
        "mixamorig:LeftForeArm": "l_elbow", "mixamorig:RightFoot": "r_ankle",
        "mixamorig:Neck": "thorax", "mixamorig:Head_end": "head_top",
        "mixamorig:LeftToeBase_end": "l_toe", "mixamorig:Spine1": "spine",
    },
    "lafan1": {"LeftForeArm": "l_elbow", "RightLeg": "r_knee", "RightToe_end": "r_toe",
               "Spine1": "spine", "Neck": "thorax"},
    "h36m": {"LeftForeArm": "l_elbow", "RightLeg": "r_knee", "Spine1": "spine", "Neck": "thorax",
             "Head": "neck_base", "Head_end": "head_top"},
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    joints, frames = tumbling(FRAMES), np.arange(20, FRAMES)
    actors = [Actor(np.arange(FRAMES), joints), Actor(frames, joints[frames] + 2)]
    return array_result(tmp_path_factory.mktemp("made"), actors, np.arange(FRAMES) / FPS)


def written(result: Result, folder: Path, names: str = "mixamo") -> dict[str, BvhMotion]:
    options = ExportOptions(bvh_names=names)
    assert write_exports(result, ["bvh"], folder, options).lines == ()
    return {path.name: read_bvh(path.read_text()) for path in folder.glob("*.bvh")}


def expected(result: Result, person: int) -> Floats:
    """Joints (T, 21, 3) of rigid bones, centimetres."""
    own = rigid_people(result)[1][person]
    poses = list(own.poses())
    rotations = np.concatenate([part.rotations for part in poses])
    root = np.concatenate([part.root_m for part in poses])
    return rigid_joints(rotations, root, own.rest, H36M_21) * 100


@pytest.mark.parametrize("names", ["mixamo", "lafan1", "h36m"])
def test_joints_are_where_rigid_bones_have_them(names: str, result: Result, tmp_path: Path) -> None:
    files = written(result, tmp_path, names)
    assert files.keys() == {"clip_person1.bvh", "clip_person2.bvh"}
    for person, (frames, file) in enumerate(((FRAMES, "1"), (FRAMES - 20, "2"))):
        motion = files[f"clip_person{file}.bvh"]
        assert motion.fps == pytest.approx(FPS, abs=1e-4)
        assert len(motion.positions) == frames
        joints = expected(result, person)
        for name, joint in OF_JOINTS[names].items():
            found = motion.positions[:, motion.names.index(name)]
            np.testing.assert_allclose(found, joints[:, H36M_21.index(joint)], atol=0.05)


def test_the_rest_pose_is_a_t_with_the_root_at_the_origin(result: Result, tmp_path: Path) -> None:
    written(result, tmp_path)
    text = (tmp_path / "clip_person1.bvh").read_text()
    head, _, motion = text.partition("MOTION")
    channels = 3 + 3 * len(BONES)
    still = f"{head}MOTION\nFrames: 1\nFrame Time: 1\n{' '.join(['0'] * channels)}\n"
    rest = read_bvh(still)
    at = {name: rest.positions[0, i] for i, name in enumerate(rest.names)}
    np.testing.assert_array_equal(at["mixamorig:Hips"], 0)
    for side, x in (("Left", 1), ("Right", -1)):
        arm = at[f"mixamorig:{side}Hand"] - at[f"mixamorig:{side}Arm"]
        leg = at[f"mixamorig:{side}Foot"] - at[f"mixamorig:{side}UpLeg"]
        foot = at[f"mixamorig:{side}ToeBase_end"] - at[f"mixamorig:{side}ToeBase"]
        np.testing.assert_allclose(arm / np.linalg.norm(arm), [x, 0, 0], atol=1e-6)
        np.testing.assert_allclose(leg / np.linalg.norm(leg), [0, -1, 0], atol=1e-6)
        np.testing.assert_allclose(foot / np.linalg.norm(foot), [0, 0, 1], atol=1e-6)
    assert motion.splitlines()[1].split() == ["Frames:", str(FRAMES)]


def test_a_video_of_uneven_frames_is_resampled_and_the_report_says_so(tmp_path: Path) -> None:
    times = np.cumsum(np.where(np.arange(60) % 2 == 0, 0.02, 0.06))
    result = array_result(tmp_path, [Actor(np.arange(60), tumbling(60))], times)
    exported = write_exports(result, ["bvh"], tmp_path)
    assert len(exported.notes) == 1
    assert "resampled" in exported.notes[0]
    motion = read_bvh((tmp_path / "clip_person1.bvh").read_text())
    assert len(motion.positions) / motion.fps == pytest.approx(times[-1] - times[0], abs=0.06)


def test_memory_does_not_grow_with_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_results, "_CHUNK_ROWS", 100)
    joints, peaks = tumbling(1200), []
    for frames in (300, 1200):
        actor = Actor(np.arange(frames), joints[:frames])
        result = array_result(tmp_path, [actor], np.arange(frames) / FPS)
        tracemalloc.start()
        write_exports(result, ["bvh"], tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < joints[300:].nbytes, "what keeping the joints alone would take"


def test_a_result_without_people_has_no_files(tmp_path: Path) -> None:
    nobody = array_result(tmp_path, [Actor(np.arange(2), tumbling(2))], np.arange(2) / FPS)
    for name, values in nobody.table.columns.items():  # type: ignore[attr-defined]
        nobody.table.columns[name] = values[:0]  # type: ignore[attr-defined]
    assert write_exports(nobody, ["bvh", "glb"], tmp_path).failures == []
    assert {path.name for path in tmp_path.iterdir()} == {"clip.glb"}
