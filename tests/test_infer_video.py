"""The command line on real files: what a user types and what lies there afterwards."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.skeletons import COCO_21, H36M_17
from infer_video import main
from pipeline.media.video_reader import VideoReader, probe
from testkit.make_video import moving, run_ffmpeg, turn_display
from weights.store import resolve

ROOT = Path(__file__).parents[1]


def infer(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "infer_video.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The log lines, without the run's id at their ends."""
    lines = [line for line in done.stderr.splitlines() if line.startswith(("failed:", "warning:"))]
    assert all(re.search(r" \[[0-9a-f]{8}\]$", line) for line in lines)
    return [line[:-11] for line in lines]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def load(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0.8 s of the sample in which both people are in view."""
    path = tmp_path_factory.mktemp("clip") / "two people.mp4"
    cut = (
        "-ss",
        "2.2",
        "-t",
        "0.8",
        "-i",
        str(resolve("demo-clip")),
        "-vf",
        "scale=884:-2",
        str(path),
    )
    run_ffmpeg(*cut)
    return path


@pytest.fixture(scope="module")
def results(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    done = infer(clip, "--output", out)
    assert done.returncode == 0, done.stderr
    assert complaints(done) == []
    return out / "two people"


def test_after_two_dashes_a_name_may_begin_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    moving(tmp_path / "-x.mp4", frames=2)
    assert main(["--dry-run", "--", "-x.mp4"]) == 0
    assert "would do -x.mp4" in capsys.readouterr().out


def test_a_dry_run_names_all_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("left.mp4", "right.mp4"):
        moving(tmp_path / name, frames=2)
    assert main(["--dry-run", "--views", "left.mp4", "right.mp4"]) == 0
    said = capsys.readouterr().out
    assert "would do left.mp4 + right.mp4 -> output/left+right" in said


def test_the_help_says_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "a larger one lies beside it (default: 20)" in said
    assert "%(" not in said


def test_a_video_becomes_a_side_by_side_video_poses_and_a_report(clip: Path, results: Path) -> None:
    assert files(results) == ["poses.npz", "report.json", "tracks.npz", "two people_3d.mp4"]
    source, made = probe(clip), probe(results / "two people_3d.mp4")
    assert made.frame_count == source.frame_count == 24
    assert made.fps == pytest.approx(source.fps, rel=1e-3)
    assert made.width > source.width


def test_the_poses_are_those_of_the_two_people(clip: Path, results: Path) -> None:
    table = load(results / "poses.npz")
    rows, joints = table["joints_world_m"].shape[:2]
    shapes = {
        "frame_index": (), "track_id": (), "time_s": (),
        "keypoints_2d": (21, 2), "keypoint_scores": (21,), "observed": (21,),
        "joints_camera_m": (joints, 3), "root_camera_m": (3,), "joints_world_m": (joints, 3),
        "joint_sigma_m": (joints,), "contacts": (4,),
    }  # fmt: skip
    assert {name: table[name].shape[1:] for name in shapes} == shapes
    assert rows >= 2 * 22
    assert set(table["track_id"]) == {1, 2}
    assert (np.diff(table["frame_index"]) >= 0).all()
    man, woman = (table["joints_camera_m"][table["track_id"] == i] for i in (1, 2))
    for joints in (man, woman):
        height = joints[:, H36M_17.index("l_ankle"), 1] - joints[:, H36M_17.index("head_top"), 1]
        assert ((height > 1.1) & (height < 2.1)).all(), "both stand upright, head above feet"
    assert table["joints_world_m"][..., 2].min() > -0.3


def test_the_npz_says_what_it_holds(results: Path) -> None:
    metadata = json.loads(str(load(results / "poses.npz")["metadata_json"]))
    assert metadata["format_version"] == 2
    assert metadata["skeletons"]["keypoints"]["joints"] == list(COCO_21.joints)
    joints = metadata["skeletons"]["joints"]["joints"]
    assert joints[: len(H36M_17)] == list(H36M_17.joints)
    assert load(results / "poses.npz")["joints_world_m"].shape[1] == len(joints)
    assert metadata["intrinsics"]["source"] == "assumed"
    assert len(metadata["weights"]["lifter"]["sha256"]) == 64


def test_the_report_answers_a_persons_questions(results: Path) -> None:
    report = json.loads((results / "report.json").read_text())
    assert report["frames"] == 24
    assert [person["track_id"] for person in report["people"]] == [1, 2]
    assert report["seconds"].keys() == {"detect", "lift", "render"}
    assert 0 < report["reprojection_error_px"] < 40
    assert 0 < report["bone_length_spread"] < 0.3
    assert report["warnings"] == []


def test_a_finished_video_is_left_alone_until_told_otherwise(clip: Path, results: Path) -> None:
    before = (results / "report.json").stat().st_mtime_ns
    done = infer(clip, "--output", results.parent)
    assert done.returncode == 0
    assert "already done" in done.stdout
    assert (results / "report.json").stat().st_mtime_ns == before
    assert infer(clip, "--output", results.parent, "--overwrite", "--no-render").returncode == 0
    assert (results / "report.json").stat().st_mtime_ns > before


def test_one_person_and_a_piece_of_the_video_can_be_asked_for(clip: Path, tmp_path: Path) -> None:
    done = infer(clip, "--output", tmp_path, "--people", "main", "--start", "0.2", "--end", "0.5",
                 "--fov", "70", "--smooth", "none")  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = load(tmp_path / "two people" / "poses.npz")
    assert set(table["track_id"]) == {1}
    assert table["time_s"].min() >= 0.2
    assert table["time_s"].max() < 0.5
    assert json.loads(str(table["metadata_json"]))["intrinsics"]["source"] == "given"
    made = probe(tmp_path / "two people" / "two people_3d.mp4")
    assert made.frame_count == len(set(table["frame_index"])) == 9


def test_a_person_can_be_asked_for_by_number_and_a_number_that_nobody_has_is_said(
    clip: Path, tmp_path: Path
) -> None:
    done = infer(
        clip,
        "--output",
        tmp_path,
        "--no-render",
        "--people-order",
        "leftmost",
        "--person-id",
        "2,9",
    )
    assert done.returncode == 0, done.stderr
    assert complaints(done) == [f"warning: {clip}: --person-id 9: this video has 2 people"]
    table = load(tmp_path / "two people" / "poses.npz")
    assert set(table["track_id"]) == {2}
    assert table["keypoints_2d"][..., 0].mean() > 442, "the one on the right of 884 px"


def test_a_turned_phone_clip_gives_the_same_poses(
    clip: Path, results: Path, tmp_path: Path
) -> None:
    """The same pictures stored lying on their side, with the display matrix that says so."""
    turned = tmp_path / "turned.mp4"
    run_ffmpeg(
        "-i", str(clip), "-vf", "transpose=cclock", "-c:v", "libx264", "-crf", "12", str(turned)
    )
    turn_display(turned, 90)
    assert (probe(turned).width, probe(turned).height) == (
        884,
        496 if probe(clip).height == 496 else 498,
    )
    assert infer(turned, "--output", tmp_path, "--no-render").returncode == 0
    ours, theirs = load(results / "poses.npz"), load(tmp_path / "turned" / "poses.npz")
    middle = [table["frame_index"] == 12 for table in (ours, theirs)]
    apart = np.linalg.norm(
        ours["keypoints_2d"][middle[0]] - theirs["keypoints_2d"][middle[1]], axis=-1
    )
    assert np.median(apart) < 6


def test_a_video_with_nobody_in_it_is_done_all_the_same(tmp_path: Path) -> None:
    empty = moving(tmp_path / "empty.mp4", frames=10)
    done = infer(empty, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert complaints(done) == [f"warning: {empty}: nobody was found in this video"]
    table = load(tmp_path / "empty" / "poses.npz")
    assert table["joints_world_m"].shape[::2] == (0, 3)
    assert sum(1 for _ in VideoReader(tmp_path / "empty" / "empty_3d.mp4")) == 10


def test_a_one_frame_clip_is_lifted(clip: Path, tmp_path: Path) -> None:
    run_ffmpeg("-i", str(clip), "-frames:v", "1", str(tmp_path / "one.mp4"))
    done = infer(tmp_path / "one.mp4", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    table = load(tmp_path / "one" / "poses.npz")
    assert len(table["track_id"]) >= 1
    assert np.isfinite(table["joints_world_m"]).all()


def test_bad_inputs_are_named_one_line_each_and_the_good_one_is_done(
    clip: Path, tmp_path: Path
) -> None:
    text, sound, cut, missing = (
        tmp_path / name for name in ("text.mp4", "sound.m4a", "cut.mp4", "missing.mp4")
    )
    text.write_text("this is no video\n")
    run_ffmpeg("-f", "lavfi", "-i", "sine", "-t", "1", str(sound))
    cut.write_bytes(clip.read_bytes()[:3000])
    done = infer(text, sound, cut, missing, clip, "--output", tmp_path / "out", "--no-render")
    assert done.returncode == 1
    lines = complaints(done)
    assert {line.split(":")[1].strip() for line in lines} == {
        str(text),
        str(sound),
        str(cut),
        str(missing),
    }
    assert len(lines) == 4
    assert "Traceback" not in done.stderr
    results = [f"two people/{name}" for name in ("poses.npz", "report.json", "tracks.npz")]
    assert files(tmp_path / "out") == ["batch_report.csv", "batch_report.json", *results]


def test_an_output_that_cannot_be_written_is_said(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    done = infer(clip, "--output", tmp_path / "taken", "--no-render", "--end", "0.1")
    assert done.returncode == 1
    assert len(complaints(done)) == 1
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_weights_are_said_before_any_work(clip: Path, tmp_path: Path) -> None:
    done = infer(clip, "--output", tmp_path, "--lifter", "no-such-lifter")
    assert done.returncode == 1
    assert "neither a file nor known weights" in done.stderr
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--keypoints", "gone.json"], "gone.json: no such file or folder"),
        (["--keypoints", "README.md"], "README.md: neither JSON nor an .npz archive"),
        (["--lifter", "README.md"], "README.md: is no lifter, neither a .safetensors file nor"),
        (["--detector", "keypointrcnn", "--keypointrcnn-weights", "gone.pth"], "gone.pth: no such"),
    ],
)
def test_a_file_that_is_not_there_or_not_what_it_is_given_for_leaves_nothing(
    clip: Path, arguments: list[str], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([str(clip), "--output", str(tmp_path / "new" / "out"), *arguments]) == 1
    assert reason in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("infer_video", ["clip.mp4", "--output", "NAME"]),
        ("infer_video", ["clip.mp4", "--lifter", "NAME"]),
        ("infer_video", ["clip.mp4", "--keypoints", "NAME"]),
        ("infer_video", ["--views", "clip.mp4", "README.md", "--calibration", "NAME"]),
        ("infer_video", ["--app", "--output", "NAME"]),
        ("pipeline.export.__main__", ["NAME", "--to", "bvh"]),
        ("pipeline.viewer.__main__", ["NAME", "clip", "--output", "page.html"]),
        ("pipeline.mend", ["NAME", "fix.json"]),
        ("train.__main__", ["prepare", "poses", "NAME", "--name", "x"]),
        ("weights.__main__", ["list"]),
    ],
)
def test_what_the_system_refuses_is_one_line(
    module: str,
    arguments: list[str],
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A name too long stands for all refusals: folders that may not be entered, broken disks."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(clip, "clip.mp4")
    Path("fix.json").write_text('{"format_version": 1, "edits": []}')
    name = "a" * 300
    if module == "weights.__main__":
        monkeypatch.setenv("VIDEO3D_WEIGHTS", name)
    words = [word.replace("NAME", name) for word in arguments]
    assert importlib.import_module(module).main(words) == 1
    (line,) = [line for line in capfd.readouterr().err.splitlines() if name in line]
    assert "File name too long" in line
    assert "[Errno" not in line


def test_of_people_whom_nobody_has_only_that_is_said(clip: Path, tmp_path: Path) -> None:
    done = infer(clip, "--output", tmp_path, "--no-render", "--end", "0.02", "--person-id", "9")
    assert done.returncode == 0, done.stderr
    assert complaints(done) == [f"warning: {clip}: --person-id 9: this video has 2 people"]
    assert ": 1 frame, 0 people" in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--fov", "60", "--focal", "900"], "--fov and --focal"),
        (["--fov", "200"], "--fov must lie between"),
        (["--focal", "inf"], "--focal must be a finite number"),
        (["--\x1b[31m"], r"--\x1b[31m"),
        (["--start", "3", "--end", "2"], "--end must lie behind --start"),
        (["--people", "0"], "--people must be 1 or more"),
        (["--people", "some"], "--people"),
        (["--person-id", "0"], "--person-id counts from 1"),
        (["--person-id", "1,x"], "--person-id"),
        (["--person-id", "2", "--people", "main"], "--people and --person-id"),
        (["--people-order", "nicest"], "--people-order"),
        (["--smooth", "a-lot"], "--smooth"),
        (["--pattern", "*.bin"], "--pattern says which files of a folder are meant, and none is"),
    ],
)
def test_a_wrong_command_line_ends_with_2_before_anything_is_opened(
    clip: Path, arguments: list[str], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main([str(clip), "--output", str(tmp_path / "out"), *arguments])
    except SystemExit as error:  # argparse's
        status = error.code
    assert status == 2
    assert reason in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
