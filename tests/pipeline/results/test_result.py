"""Results as Python callers get them, now and later."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, UsageError
from core.skeletons import COCO_17, H36M_17, H36M_21
from pipeline.batch.jobs import Job
from pipeline.batch.previous import report_before
from pipeline.config import PipelineConfig
from pipeline.export.base import add_exports
from pipeline.lifting.options import LiftOptions
from pipeline.results.result import Result, load_result
from pipeline.results.resume import weights_report
from pipeline.results.rows import COLUMNS
from pipeline.run import process_video
from testkit.lifters import small_lifter
from testkit.results import FRAMES, config_for, made_clip, made_result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    return made_result(folder)


def test_people_have_their_arrays_and_the_report(result: Result) -> None:
    (person,) = result.people
    assert person.joints_world_m.shape == (FRAMES, len(result.joints), 3)
    assert person.keypoints_2d.shape == (FRAMES, len(result.keypoints), 2)
    np.testing.assert_array_equal(person.frame_indices, np.arange(FRAMES))
    assert person.report.frames_seen == FRAMES
    assert result.report.measures["reprojection_error_px"] < 10
    assert result.files["poses.npz"].exists()


def test_a_lifter_with_feet_gives_results_with_feet(folder: Path, tmp_path: Path) -> None:
    """Also how sure it is, and what touches the ground."""
    lifter = small_lifter(tmp_path / "small.safetensors")
    config = config_for(folder)
    config = replace(config, lift=replace(config.lift, lifter=str(lifter)))
    result = process_video(made_clip(folder), config, tmp_path / "out")
    (person,) = result.people
    assert result.joints == H36M_21
    assert person.joints_world_m.shape == (FRAMES, 21, 3)
    assert person.joint_sigma_m.shape == (FRAMES, 21)
    assert (person.joint_sigma_m > 0).all()
    assert person.contacts.shape == (FRAMES, 4)
    sigmas = person.joint_sigma_m[:, 1:]
    assert result.report.measures["joint_sigma_m"] == pytest.approx(sigmas.mean(), abs=1e-4)
    worst = sigmas.mean(0).max()
    assert result.report.measures["worst_joint_sigma_m"] == pytest.approx(worst, abs=1e-4)
    before = (person.joint_sigma_m, person.contacts)
    add_exports(result, ["npz"])
    for kept, array in zip(before, (person.joint_sigma_m, person.contacts), strict=True):
        np.testing.assert_array_equal(kept, array)


def test_a_result_of_format_version_1_is_read(result: Result, tmp_path: Path) -> None:
    """As version 1 was written: COCO-17, Human3.6M-17, no sigma, no contacts."""
    copy = shutil.copytree(result.folder, tmp_path / "copy")
    with np.load(copy / "poses.npz") as archive:
        columns = {name: archive[name] for name in archive.files}
    metadata = json.loads(str(columns.pop("metadata_json")))
    for name in ("joint_sigma_m", "contacts"):
        del columns[name]
    for name in ("keypoints_2d", "keypoint_scores", "observed"):
        columns[name] = columns[name][:, :17]
    for name in ("joints_camera_m", "joints_world_m"):
        columns[name] = columns[name][:, :17]
    metadata["format_version"] = 1
    metadata["skeletons"]["keypoints"] = {"name": "coco_17", "joints": COCO_17.joints}
    metadata["skeletons"]["joints"] = {"name": "h36m_17", "joints": H36M_17.joints}
    np.savez_compressed(copy / "poses.npz", **columns, metadata_json=json.dumps(metadata))
    old = load_result(copy)
    (person,) = old.people
    assert (old.keypoints, old.joints) == (COCO_17, H36M_17)
    np.testing.assert_array_equal(person.joints_world_m, columns["joints_world_m"])
    assert person.joint_sigma_m.shape == (FRAMES, 17)
    assert np.isnan(person.joint_sigma_m).all()
    assert person.contacts.shape == (FRAMES, 4)
    assert not person.contacts.any()
    add_exports(old, ["npz"])
    np.testing.assert_array_equal(person.joints_world_m, columns["joints_world_m"])


def test_it_is_the_same_when_loaded_later(result: Result) -> None:
    later = load_result(str(result.folder))
    assert later.report == result.report
    with np.load(result.folder / "poses.npz") as archive:
        for name in ("joints_camera_m", "root_camera_m", "joints_world_m", "keypoint_scores"):
            np.testing.assert_array_equal(getattr(later.people[0], name), archive[name])
            np.testing.assert_array_equal(getattr(result.people[0], name), archive[name])


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.9, None])
def test_an_archive_that_is_damaged_is_one_line(
    place: float | None, result: Result, tmp_path: Path
) -> None:
    copy = shutil.copytree(result.folder, tmp_path / "copy")
    content = bytearray((copy / "poses.npz").read_bytes())
    if place is None:
        content = bytearray(b"PK not really")
    else:
        start = int(place * len(content))
        content[start : start + 40] = b"\x55" * 40
    (copy / "poses.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"poses\.npz") as error:
        read_all(copy)
    assert "\n" not in str(error.value)


def read_all(folder: Path) -> None:
    table = load_result(folder).table
    for name in COLUMNS:
        table.column(name)


def test_a_result_of_an_earlier_version_counts_as_done_until_something_changes(
    folder: Path, result: Result, tmp_path: Path
) -> None:
    clip, config = folder / "clip.mp4", config_for(folder)
    copy = shutil.copytree(result.folder, tmp_path / "copy")
    content = json.loads((copy / "report.json").read_text())
    del content["grounding"], content["config"]["export"], content["config"]["camera"]
    (copy / "report.json").write_text(json.dumps(content))
    weights = weights_report(config.weight_files())
    assert report_before(Job(clip, copy), config, weights) is not None
    flat = {"output": config.output, **dict(config.detect.settings), "render": False}
    for changed in ({"camera": "moving"}, {"fov": 70.0}):
        other = PipelineConfig.from_flat(**flat, **changed)
        assert report_before(Job(clip, copy), other, weights) is None
    (copy / "poses.npz").write_bytes(b"short")
    assert report_before(Job(clip, copy), config, weights) is None


def test_wrong_options_are_refused_in_pythons_words() -> None:
    with pytest.raises(UsageError, match="`fov` must lie between 1 and 180 degrees, got 200"):
        LiftOptions(fov=200)
    with pytest.raises(UsageError, match="`fov` must be a number, got '70'"):
        LiftOptions(fov="70")
    with pytest.raises(UsageError, match="`people` must be a number, main or all, got some"):
        PipelineConfig.from_flat(people="some")
    with pytest.raises(UsageError, match="`export` must be a tuple, got 'npz'"):
        PipelineConfig.from_flat(export="npz")
    assert PipelineConfig.from_flat(output="out").output == Path("out")
    with pytest.raises(UsageError, match="there is no option `wings`"):
        PipelineConfig.from_flat(wings=2)
    with pytest.raises(UsageError, match="`smooth` must be one of none, savgol, one-euro"):
        PipelineConfig.from_flat(smooth="a-lot")
