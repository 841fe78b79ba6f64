"""Keypoints made elsewhere and pictures, through all stages and from the command line."""

from pathlib import Path

import numpy as np
import pytest

from core.skeletons import COCO_17
from core.types import Floats
from infer_video import main
from pipeline.batch import run as batch
from pipeline.batch.jobs import Job
from pipeline.batch.previous import report_before
from pipeline.batch.workers import InProcess
from pipeline.config import PipelineConfig
from pipeline.media.images import read_image, write_image
from pipeline.media.video_reader import probe
from pipeline.results.resume import weights_report
from pipeline.run import process_video
from testkit import lifters
from testkit.make_video import encode
from testkit.stored.common import laid_out, write
from testkit.stored.formats import FORMATS, Format
from testkit.stored.openpose import openpose, openpose_person
from testkit.stored.ours import our_poses
from testkit.walker import keypoints, walking, with_feet

SIZE, FRAMES = (320, 180), 6


def scene() -> list[list[Floats]]:
    """Two people walking side by side."""
    people = []
    for x in (-0.8, 0.8):
        path = np.stack([x + 0.02 * np.arange(FRAMES), np.zeros(FRAMES), np.full(FRAMES, 5.0)], 1)
        xy = keypoints(with_feet(walking(FRAMES, 25.0)), path) / 6
        people.append(np.concatenate([xy, np.full((FRAMES, 21, 1), 0.9)], -1))
    return [list(frame) for frame in zip(*people, strict=True)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return encode(path, [np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)] * FRAMES)


@pytest.fixture(scope="module")
def small_lifter(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Untrained, and quick: what is lifted says nothing of how files are read."""
    return str(lifters.small_lifter(tmp_path_factory.mktemp("lifter") / "small.safetensors"))


def poses(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "poses.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.mark.parametrize("stored", FORMATS.values(), ids=FORMATS)
def test_every_format_becomes_a_rendered_video(
    stored: Format, clip: Path, small_lifter: str, tmp_path: Path
) -> None:
    path = stored.write(tmp_path, scene(), SIZE)
    config = PipelineConfig.from_flat(
        output=tmp_path / "out",
        keypoints=path,
        keypoints_skeleton=stored.skeleton,
        smooth="none",
        lifter=small_lifter,
    )
    report = process_video(clip, config).report
    people = 1 if stored is FORMATS["Sports2D BlazePose"] else 2
    assert [person.frames_seen for person in report.people] == [FRAMES] * people
    assert probe(tmp_path / "out" / "clip" / "clip_3d.mp4").frame_count == FRAMES
    table = poses(tmp_path / "out" / "clip")
    limbs = slice(COCO_17.index("left_shoulder"), 21 if stored.has_feet else 17)
    at = table["keypoints_2d"][table["frame_index"] == 4][:, limbs]
    expected = [person[limbs, :2] for person in scene()[4][:people]]
    for person in expected:
        assert (
            min(np.abs(one - person).max() for one in at) < 0.5
        )  # interpolated: the lifter's clock ticks between
    assert table["observed"][:, 17:].any() == stored.has_feet
    assert table["joints_world_m"].shape[1:] == (21, 3)
    assert np.isfinite(table["joints_world_m"]).all()


def test_who_is_asked_for_does_not_change_the_world(
    clip: Path, small_lifter: str, tmp_path: Path
) -> None:
    path = our_poses(tmp_path, scene(), SIZE)
    tables = {}
    for name, asked in (("all", {}), ("id", {"person_id": (2,)}), ("main", {"people": "main"})):
        config = PipelineConfig.from_flat(
            output=tmp_path / name, keypoints=path, lifter=small_lifter, render=False, **asked
        )
        process_video(clip, config)
        tables[name] = poses(tmp_path / name / "clip")
    for name, number in (("id", 2), ("main", 1)):
        own = tables["all"]["track_id"] == number
        assert np.unique(tables[name]["track_id"]) == [number]
        np.testing.assert_array_equal(
            tables[name]["joints_world_m"], tables["all"]["joints_world_m"][own]
        )


def test_numbered_pictures_with_keypoints_by_name_become_a_video(tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(FRAMES):
        write_image(
            folder / f"take2_{number + 5:04d}.jpg", np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        )
    path = openpose(tmp_path, [[]] * 5 + scene(), SIZE, name="json/take2_{:04d}_keypoints.json")
    config = PipelineConfig.from_flat(
        output=tmp_path / "out",
        fps=12.5,
        keypoints=path,
        keypoints_skeleton="body_25",
        smooth="none",
        people="main",
    )
    process_video(folder, config)
    made = probe(tmp_path / "out" / "shots" / "shots_3d.mp4")
    assert (made.frame_count, made.fps) == (FRAMES, pytest.approx(12.5))
    table = poses(tmp_path / "out" / "shots")
    np.testing.assert_array_equal(table["frame_index"], np.arange(FRAMES))
    np.testing.assert_allclose(table["time_s"], np.arange(FRAMES) / 12.5)
    apart = [np.abs(table["keypoints_2d"][3] - person[:, :2]).max() for person in scene()[3]]
    assert min(apart) < 0.5


def test_a_picture_becomes_a_picture(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.jpg", np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    keypoint_file = tmp_path / "photo_keypoints.json"
    person = openpose_person(laid_out(scene()[0][0], "body_25"))
    write(keypoint_file, {"version": 1.3, "people": [person]})
    config = PipelineConfig.from_flat(
        output=tmp_path / "out", keypoints=keypoint_file, keypoints_skeleton="body_25"
    )
    report = process_video(tmp_path / "photo.jpg", config).report
    assert sorted(report.files) == ["photo_3d.jpg", "poses.npz", "tracks.npz"]
    assert report.detector.name == "replay"
    made = read_image(tmp_path / "out" / "photo" / "photo_3d.jpg")
    assert made is not None
    height, width = made.shape[:2]
    assert width > 1.5 * height
    left = made[:, : round(height * SIZE[0] / SIZE[1])]
    assert (np.abs(left.astype(int) - 90).max(-1) > 60).mean() > 0.002, (
        "a person is drawn on the photo"
    )
    assert np.isfinite(poses(tmp_path / "out" / "photo")["joints_world_m"]).all()


def test_changed_keypoints_are_not_taken_for_done(clip: Path, tmp_path: Path) -> None:
    path = our_poses(tmp_path, scene(), SIZE)
    config = PipelineConfig.from_flat(output=tmp_path / "out", keypoints=path, render=False)
    process_video(clip, config)
    job, weights = Job(clip, tmp_path / "out" / "clip"), weights_report(config.weight_files())
    assert report_before(job, config, weights) is not None
    our_poses(tmp_path, [people[:1] for people in scene()], SIZE)
    assert report_before(job, config, weights) is None


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_a_folder_of_pictures_is_tried_again_when_one_of_them_was_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "Pool", lambda config, workers, log: InProcess(config))
    picture = tmp_path / "shots" / "shot_1.png"
    picture.parent.mkdir()
    picture.write_text("no picture")
    words = (picture.parent, "--fps", "10", "--output", tmp_path / "out", "--no-render")
    assert run(*words) == 1
    write_image(picture, np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    assert run(*words) == 0


def test_keypoints_that_cannot_be_used_are_one_line(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = openpose(tmp_path, scene(), SIZE)
    assert run(clip, "--output", tmp_path / "out", "--keypoints", path) == 1
    [line] = [line for line in capsys.readouterr().err.splitlines() if str(path) in line]
    told = (
        "OpenPose's format does not say which its 25 keypoints are: "
        "add --keypoints-skeleton body_25 or body_25b"
    )
    assert f"{path}: {told}" in line
    assert not list((tmp_path / "out").rglob("poses.npz"))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ["clip.mp4", "other.mp4", "--keypoints", "k.json"],
            "--keypoints are those of one video, 2 are given",
        ),
        (
            ["clip.mp4", "--keypoints", "k.json", "--detector", "auto"],
            "--keypoints and --detector both",
        ),
        (
            ["clip.mp4", "--keypoints-skeleton", "body_25"],
            "--keypoints-skeleton says what the joints of --keypoints",
        ),
        (["clip.mp4", "--fps", "25"], "clip.mp4 is none"),
        (["tests", "--fps", "0"], "--fps must be positive"),
    ],
)
def test_a_wrong_command_line_names_the_flag(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(*words, "--output", tmp_path / "out") == 2
    assert reason in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
