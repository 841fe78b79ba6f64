"""From files of the FBX library to what `python -m train wild` reads."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from tests.train.made_library import Pose, fbx
from train.__main__ import main, run
from train.wild.motion.mocap import MOCAP_JOINTS, MotionClip, load_mocap

STILL: Pose = {}
BENT: Pose = {"lForeArm": (0, -60, 35), "lShin": (0, -70, 0)}
BROKEN: Pose = {"lForeArm": (0, 60, -35)}
TIPTOE: Pose = {"lFoot": (0, -45, 0), "rFoot": (0, -45, 0)}


def pack(folder: Path, **takes: list[Pose]) -> dict[str, MotionClip]:
    """The clips that a folder of takes makes."""
    for name, poses in takes.items():
        (folder / f"{name}.fbx").write_text(fbx(poses))
    output = folder / "packed.npz"
    assert run(["pack", str(folder), "--output", str(output)]) == 0
    return {clip.name: clip for clip in load_mocap([output])}


def at(clip: MotionClip, name: str) -> np.ndarray:
    return clip.joints_m[len(clip.joints_m) // 2, MOCAP_JOINTS.index(name)]


def test_a_standing_figure_is_a_person_of_cmu(tmp_path: Path) -> None:
    clip = pack(tmp_path, still=[STILL] * 25)["still"]
    assert clip.fps == 60
    assert len(clip.joints_m) == 61, "24 steps of a 24th of a second; the T-pose is left out"
    down = at(clip, "l_hip") - at(clip, "l_ankle")
    assert down[2] == pytest.approx(0.83, abs=0.02)
    assert at(clip, "l_hip")[0] > 0.05 > -0.05 > at(clip, "r_hip")[0]
    assert at(clip, "thorax")[2] - at(clip, "pelvis")[2] == pytest.approx(0.55, abs=0.02)
    assert at(clip, "nose")[1] < at(clip, "neck_base")[1] - 0.05, "people face -y"
    for side in "lr":
        heel, toe, ankle = (at(clip, f"{side}_{joint}") for joint in ("heel", "toe", "ankle"))
        assert heel[2] == pytest.approx(toe[2], abs=0.02), "both on the floor"
        assert ankle[2] - heel[2] == pytest.approx(0.08, abs=0.02)
        assert heel[1] - ankle[1] > 0.03
        assert heel[1] - toe[1] == pytest.approx(0.24, abs=0.02)


def test_limbs_bend_as_the_figures_do(tmp_path: Path) -> None:
    clip = pack(tmp_path, bent=[BENT] * 25)["bent"]
    shin = at(clip, "l_ankle") - at(clip, "l_knee")
    assert shin[1] > 0.3, "the shin is behind the knee"
    forearm = at(clip, "l_wrist") - at(clip, "l_elbow")
    assert forearm[1] < -0.1, "the forearm is before the elbow"
    straight = at(clip, "r_ankle") - at(clip, "r_knee")
    assert abs(straight[1]) < 0.06


def test_toes_bend_where_the_floor_is(tmp_path: Path) -> None:
    clip = pack(tmp_path, tiptoe=[TIPTOE] * 25)["tiptoe"]
    for side in "lr":
        heel, toe = at(clip, f"{side}_heel"), at(clip, f"{side}_toe")
        assert heel[2] - toe[2] > 0.08
        # Unbent, the toes would go 45 degrees down: 9 cm of sole from the ball's height.
        assert at(clip, f"{side}_ankle")[2] - toe[2] < 0.19


def test_stretches_with_a_broken_elbow_are_cut_out(tmp_path: Path) -> None:
    clips = pack(tmp_path, take=[*[STILL] * 60, *[BROKEN] * 10, *[STILL] * 60, *[BROKEN] * 5])
    assert list(clips) == ["take", "take-1"]
    for clip in clips.values():
        assert 1.5 < len(clip.joints_m) / clip.fps < 2.5
        straight = at(clip, "l_wrist") - at(clip, "l_elbow")
        assert straight[1] < 0.02, "no forearm points backwards"


def test_what_is_there_already_is_left_out(tmp_path: Path) -> None:
    clips = pack(tmp_path, a=[STILL] * 48, b=[STILL] * 48, c=[BENT] * 48, d=[STILL] * 5)
    assert list(clips) == ["a", "c"], "b is a again, d is too short"
    known = tmp_path / "packed.npz"
    (tmp_path / "e.fbx").write_text(fbx([{"rShin": (0, -70, 0)}] * 48))
    rest = tmp_path / "rest.npz"
    assert run(["pack", str(tmp_path), "--without", str(known), "--output", str(rest)]) == 0
    assert [clip.name for clip in load_mocap([rest])] == ["e"]


def test_unreadable_files_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary.fbx").write_bytes(b"Kaydara FBX Binary  \x00\x1a\x00")
    (tmp_path / "other.fbx").write_text(fbx([STILL] * 25).replace("lFoot", "paw"))
    (tmp_path / "circle.fbx").write_text(
        fbx([STILL] * 25).replace('"Model::take", "Model::Scene"', '"Model::take", "Model::head"')
    )
    assert list(pack(tmp_path, whole=[STILL] * 25)) == ["whole"]
    said = capsys.readouterr().err
    assert said.count("left out: ") == 3
    assert "binary.fbx: no ASCII FBX 6 file" in said
    assert "other.fbx: a skeleton without 'lFoot'" in said


def test_nothing_to_pack_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.fbx files"):
        run(["pack", str(tmp_path), "--output", str(tmp_path / "out.npz")])
    (tmp_path / "a.fbx").write_text("solid cube")
    assert main(["pack", str(tmp_path), "--output", str(tmp_path / "out.npz")]) == 1
    assert not (tmp_path / "out.npz").exists()
