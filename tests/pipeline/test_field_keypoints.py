"""Keypoints, lifters and choices of people as users have them, through all stages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.skeletons import COCO_17, H36M_17
from infer_video import main
from pipeline.config import PipelineConfig
from pipeline.results.report import NO_PEOPLE, Report
from pipeline.results.result import load_result
from pipeline.run import process_video
from testkit.lifters import published_lifter

FIELD = Path(__file__).parents[3] / "shared" / "data" / "field"
pytestmark = pytest.mark.skipif(
    not FIELD.is_dir(), reason=f"{FIELD} is not here: files as users have them"
)
CLIP = FIELD / "base.mp4"


def run(out: Path, **options: Any) -> Report:
    return process_video(CLIP, PipelineConfig.from_flat(output=out, render=False, **options)).report


def poses(out: Path) -> dict[str, np.ndarray]:
    with np.load(out / "base" / "poses.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.mark.parametrize("name", ["zero.npz", "nan_ok.npz"])
def test_keypoints_that_were_not_found_are_missing(name: str, tmp_path: Path) -> None:
    report = run(tmp_path, keypoints=FIELD / name)
    assert report.measures["reprojection_error_px"] < 5
    assert report.warnings == ()
    if name == "zero.npz":
        run(tmp_path / "nan", keypoints=FIELD / "nan_ok.npz")
        expected = poses(tmp_path / "nan")["joints_world_m"]
        np.testing.assert_allclose(poses(tmp_path)["joints_world_m"], expected)


def test_alphapose_open_is_read(tmp_path: Path) -> None:
    report = run(tmp_path, keypoints=FIELD / "ap_open.json")
    assert [person.frames_seen for person in report.people] == [60, 60]
    assert report.measures["reprojection_error_px"] < 5
    assert report.warnings == ()


@pytest.mark.parametrize("name", ["h36m_in.bin", "h36m_in.safetensors"])
def test_lifters_of_human36ms_keypoints_get_them(name: str, tmp_path: Path) -> None:
    report = run(tmp_path, keypoints=FIELD / "nan_ok.npz", lifter=str(FIELD / name))
    assert np.isfinite(poses(tmp_path)["joints_world_m"]).all()
    (warning,) = report.warnings  # it was trained for an epoch, and lifts nothing well
    assert warning.startswith("person 1 is wrong in 3D: the joints lie ")


def test_the_same_network_lifts_the_same_from_either_file(tmp_path: Path) -> None:
    for name in ("h36m_in.bin", "h36m_in.safetensors"):
        run(tmp_path / name, keypoints=FIELD / "nan_ok.npz", lifter=str(FIELD / name))
    first, second = (
        poses(tmp_path / name)["joints_camera_m"] for name in ("h36m_in.bin", "h36m_in.safetensors")
    )
    np.testing.assert_allclose(first, second, atol=0.01)  # one of them is stored in half precision


@pytest.mark.parametrize("skeleton", [COCO_17, H36M_17], ids=lambda one: one.name)
def test_published_lifters_run(skeleton: Any, tmp_path: Path) -> None:
    lifter = published_lifter(tmp_path / "epoch_1.bin", skeleton)
    run(tmp_path, keypoints=FIELD / "nan_ok.npz", lifter=str(lifter))
    assert np.isfinite(poses(tmp_path)["joints_world_m"]).all()


def test_a_lifter_that_cannot_be_used_is_one_line_before_the_first_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.bin"
    bad.write_bytes((FIELD / "h36m_in.bin").read_bytes()[:5000])
    words = [str(CLIP), "-o", str(tmp_path / "out"), "--lifter", str(bad)]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert f"{bad}: not a readable checkpoint" in told
    assert "detect" not in told
    assert "a fault of this program" not in told


def test_poses_given_back_are_not_smoothed_again(tmp_path: Path) -> None:
    run(tmp_path / "first", keypoints=FIELD / "ap_open.json")
    run(tmp_path / "again", keypoints=tmp_path / "first" / "base" / "poses.npz")
    first, again = poses(tmp_path / "first"), poses(tmp_path / "again")
    np.testing.assert_array_equal(first["frame_index"], again["frame_index"])
    seen = first["observed"]
    apart = np.abs(first["keypoints_2d"] - again["keypoints_2d"])[seen]
    assert apart.max() < 0.01
    assert np.abs(first["joints_camera_m"] - again["joints_camera_m"]).max() < 0.01


@pytest.mark.parametrize(
    "options", [{"person_id": (1,)}, {"people": "main"}, {"person_id": (2,)}, {"people": 1}]
)
def test_who_is_asked_for_moves_nobody(options: dict[str, Any], tmp_path: Path) -> None:
    everyone = run(tmp_path / "all", keypoints=FIELD / "ap_open.json")
    chosen = run(tmp_path / "some", keypoints=FIELD / "ap_open.json", **options)
    number = options.get("person_id", (1,))[0]
    assert [person.track_id for person in chosen.people] == [number]
    assert chosen.grounding == everyone.grounding
    all_rows, rows = poses(tmp_path / "all"), poses(tmp_path / "some")
    own = all_rows["track_id"] == number
    for name in ("frame_index", "joints_world_m", "joints_camera_m", "keypoints_2d"):
        np.testing.assert_array_equal(rows[name], all_rows[name][own])


def test_what_is_absurd_is_said_in_the_report(tmp_path: Path) -> None:
    result = load_result(_run_in(tmp_path, "shifted", lambda xy: xy + 2000))
    assert any("lie outside the picture of 884 × 498" in one for one in result.report.warnings)
    report = load_result(_run_in(tmp_path, "twice", lambda xy: np.concatenate([xy, xy]))).report
    assert any(
        "has keypoints for 120 frames, and the video has 60" in one for one in report.warnings
    )


def _run_in(folder: Path, name: str, change: Any) -> Path:
    """The folder of results with changed keypoints."""
    with np.load(FIELD / "nan_ok.npz", allow_pickle=True) as archive:
        positions, metadata = archive["positions_2d"].item(), archive["metadata"].item()
    xy = change(positions["base.mp4"]["custom"][0])
    path = folder / f"{name}.npz"
    np.savez(path, positions_2d={"base.mp4": {"custom": [xy]}}, metadata=metadata)
    run(folder / name, keypoints=path)
    return folder / name / "base"


def test_scores_of_0_say_why_nobody_was_found(tmp_path: Path) -> None:
    with np.load(FIELD / "nan_ok.npz", allow_pickle=True) as archive:
        positions, metadata = archive["positions_2d"].item(), archive["metadata"].item()
    xy = positions["base.mp4"]["custom"][0]
    unseen = np.concatenate([xy, np.zeros_like(xy[..., :1])], -1)
    np.savez(tmp_path / "0.npz", positions_2d={"base.mp4": {"custom": [unseen]}}, metadata=metadata)
    report = run(tmp_path, keypoints=tmp_path / "0.npz")
    assert NO_PEOPLE in report.warnings
    assert any("60 people have the score 0" in warning for warning in report.warnings)
