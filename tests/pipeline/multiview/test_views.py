"""Several videos of the same made people → one result, by the whole program."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.camera import project
from core.errors import InputError, UsageError
from core.types import Floats, Intrinsics
from infer_video import main
from pipeline.config import PipelineConfig
from pipeline.media.video_reader import VideoReader
from pipeline.multiview.calibration_files.read import read_cameras
from pipeline.results.result import Result, load_result
from pipeline.views import process_views
from testkit.made.gestures import View, gestures
from testkit.make_video import run_ffmpeg
from testkit.stored.ours import our_poses

LENS = Intrinsics(250.0, 250.0, 160.0, 90.0, "given")
SIZE = (320, 180)
SECONDS, STARTS_S = 8.0, 0.52
FRAMES = 200
"""How long each view films, and how much later the second one starts."""
VIEWS = {"left": View(0.0, 4.0, LENS), "right": View(1.2, 4.5, LENS)}
RATES = {"left": 25, "right": 50}


def film(folder: Path, name: str, start_s: float, seeds: Sequence[int] = (1,)) -> Path:
    """Write the video of a view, black, and its keypoints beside it in `keypoints`."""
    fps, view = RATES[name], VIEWS[name]
    path = folder / f"{name}.mp4"
    width, height = SIZE
    source = f"color=black:s={width}x{height}:r={fps}:d={SECONDS}"
    run_ffmpeg("-f", "lavfi", "-i", source, "-preset", "ultrafast", str(path))
    random = np.random.default_rng(fps)
    times = start_s + np.arange(round(SECONDS * fps)) / fps
    people = []
    for seed in seeds:
        points = view.keypoints(gestures(times, seed))
        points = points + random.normal(0, 0.3, points.shape)
        people.append(np.concatenate([points, np.full((*points.shape[:2], 1), 0.9)], 2))
    keypoints = folder / "keypoints"
    keypoints.mkdir(exist_ok=True)
    scene = [list(frame) for frame in zip(*people, strict=True)]
    our_poses(keypoints, scene, SIZE).rename(keypoints / f"{name}.npz")
    return path


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both views of one person, and what was seen in them."""
    folder = tmp_path_factory.mktemp("takes") / "dance"
    folder.mkdir()
    film(folder, "left", 0.0)
    film(folder, "right", STARTS_S)
    return folder


def test_a_camera_that_turns_is_refused(take: Path, tmp_path: Path) -> None:
    wall = f"color=gray:s={SIZE[0]}x{SIZE[1]}:r=25:d=4,noise=alls=100,gblur=2,scroll=horizontal"
    turning = tmp_path / "right.mp4"
    run_ffmpeg("-f", "lavfi", "-i", f"{wall}=0.002", "-preset", "ultrafast", str(turning))
    with pytest.raises(InputError, match=r"right\.mp4: its camera moves"):
        process_views([take / "left.mp4", turning], config(take, tmp_path / "out"))
    assert not list((tmp_path / "out").rglob("*"))


def config(take: Path, out: Path, **more: object) -> PipelineConfig:
    wanted = {"render": False, "focal": 250.0, "keypoints": take / "keypoints", **more}
    return PipelineConfig.from_flat(output=out, views=True, **wanted)


@pytest.fixture(scope="module")
def result(take: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """That of both, with a video and some exports."""
    out = tmp_path_factory.mktemp("out")
    options = config(take, out, render=True, export=("csv", "bvh"))
    return process_views([take / "left.mp4", take / "right.mp4"], options)


def test_the_result_reads_like_that_of_one_video(result: Result) -> None:
    again = load_result(result.folder)
    assert again.folder.name == again.stem == "left+right"
    written = json.loads((result.folder / "report.json").read_text())
    assert json.loads(json.dumps(again.report.as_dict())) == written
    assert set(again.files) == {
        "calibration.toml", "left+right.csv", "left+right.csv-metadata.json", "left+right_3d.mp4",
        "left+right_person1.bvh", "poses.npz",
    }  # fmt: skip
    (person,) = again.people
    np.testing.assert_array_equal(person.frame_indices, np.arange(FRAMES))
    np.testing.assert_allclose(person.times_s, np.arange(FRAMES) / 25, atol=1e-6)
    assert np.isfinite(person.joints_world_m).all()
    assert person.observed[:, :17].all()


def test_the_report_says_what_was_found_of_each_view(result: Result) -> None:
    views = result.report.views
    assert views is not None
    left, right = views.views
    assert (left.found_by, left.offset_s, left.margin) == ("first", 0.0, None)
    assert right.found_by == "motion"
    assert right.offset_s == pytest.approx(STARTS_S, abs=0.02)
    assert right.margin is not None
    assert right.margin > 2
    assert [view.video.fps for view in views.views] == [25, 50]
    assert [(seen.track_id, seen.frames) for seen in left.people] == [(1, FRAMES)]
    assert [seen.frames for seen in right.people] == [pytest.approx(187, abs=2)]
    assert left.position_sigma_m == 0
    assert right.position_sigma_m is not None
    assert 0 < right.position_sigma_m < 1.0
    assert [view.focal_sigma for view in views.views] == [0, 0]  # given


def test_cameras_and_people_are_where_they_were(result: Result) -> None:
    """Cameras from the person, turned and level, and poses after the best similarity."""
    views = result.report.views
    assert views is not None
    first, second = (np.array(view.rotation) for view in views.views)
    turn = np.arccos((np.trace(second @ first.T) - 1) / 2)
    assert np.degrees(turn) == pytest.approx(np.degrees(1.2), abs=4)
    person = result.people[0]
    pelvis = np.median(person.joints_world_m[:, 0], axis=0)
    for found, made in zip(views.views, VIEWS.values(), strict=True):
        away = np.array(found.position_m) - pelvis
        assert np.linalg.norm(away) == pytest.approx(made.distance_m, rel=0.08)
        assert away[2] == pytest.approx(0.3, abs=0.15)
        assert found.rotation[1][2] < -np.cos(np.radians(3))  # the picture's y goes down
    truth = gestures(person.times_s, 1)
    limbs = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]
    assert _aligned_error_m(person.joints_world_m[:, limbs], truth[:, limbs]) < 0.04


def _aligned_error_m(found: Floats, truth: Floats) -> float:
    """Mean distance of (T, J, 3) after the similarity that brings each frame nearest."""
    errors = []
    for a, b in zip(found.astype(float), truth, strict=True):
        a, b = a - a.mean(0), b - b.mean(0)
        u, s, vt = np.linalg.svd(a.T @ b)
        sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
        aligned = a @ u @ sign @ vt * (s @ np.diag(sign)) / (a**2).sum()
        errors.append(np.linalg.norm(aligned - b, axis=1).mean())
    return float(np.mean(errors))


def test_cameras_in_the_file_see_the_people_of_the_result(result: Result) -> None:
    cameras = read_cameras(result.folder / "calibration.toml", ["left", "right"], [SIZE] * 2)
    person = result.people[0]
    joints = person.joints_world_m.astype(float)
    seen = project(joints @ cameras[0].rotation.T + cameras[0].translation, cameras[0].intrinsics)
    shoulder, keypoint = result.joints.index("l_shoulder"), result.keypoints.index("left_shoulder")
    away = np.linalg.norm(seen[:, shoulder] - person.keypoints_2d[:, keypoint], axis=1)
    assert np.median(away) < 3


def test_the_video_has_the_first_views_frames(result: Result) -> None:
    with VideoReader(result.folder / "left+right_3d.mp4") as reader:
        frames = list(reader)
    assert len(frames) == FRAMES
    assert frames[0].rgb.shape[0] == 720
    assert frames[100].rgb.std() > 5


def test_known_cameras_are_taken(take: Path, result: Result, tmp_path: Path) -> None:
    known = config(take, tmp_path, calibration=result.folder / "calibration.toml")
    again = process_views([take / "left.mp4", take / "right.mp4"], known)
    assert again.report.intrinsics.source == "given"
    before, after = result.report.views, again.report.views
    assert before is not None
    assert after is not None
    turns = [
        np.array(views.views[1].rotation) @ np.array(views.views[0].rotation).T
        for views in (before, after)
    ]
    np.testing.assert_allclose(turns[0], turns[1], atol=1e-4)


def test_whom_one_view_sees_stays(tmp_path: Path) -> None:
    film(tmp_path, "left", 0.0, seeds=(1,))
    film(tmp_path, "right", 0.0, seeds=(1,))
    people = np.load(tmp_path / "keypoints" / "left.npz")
    assert set(people["track_id"]) == {1}
    # a second person, to the left of the first view alone
    points = VIEWS["left"].keypoints(gestures(np.arange(FRAMES) / 25, 5)) - np.array([90.0, 0.0])
    both = [
        [
            np.concatenate([own, np.full((21, 1), 0.9)], 1),
            np.concatenate([other, np.full((21, 1), 0.9)], 1),
        ]
        for own, other in zip(people["keypoints_2d"], points, strict=True)
    ]
    our_poses(tmp_path / "keypoints", both, SIZE).rename(tmp_path / "keypoints" / "left.npz")
    made = process_views(
        [tmp_path / "left.mp4", tmp_path / "right.mp4"],
        config(tmp_path, tmp_path / "out", offset=(0.0,)),
    )
    views = made.report.views
    assert views is not None
    seen = [{each.track_id: each.frames for each in view.people} for view in views.views]
    assert sorted(seen[0].values()) == [FRAMES, FRAMES]
    assert sorted(seen[1].values()) == [0, FRAMES]
    assert len(made.people) == 2
    assert all(np.isfinite(person.joints_world_m).all() for person in made.people)


def test_folders_of_takes_are_done_one_by_one_and_once(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--views", str(take.parent), "-o", str(tmp_path), "--keypoints", str(take / "keypoints"),
        "--focal", "250", "--offset", "0.52", "--no-render",
    ]  # fmt: skip
    assert main(words) == 0
    assert load_result(tmp_path / "dance").stem == "dance"
    capsys.readouterr()
    assert main(words) == 0
    assert "already done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["left.mp4"], "--views are two videos or more"),
        (["left.mp4", "."], "--views are files, or folders"),
        ([".", "--offset", "1,2"], "--offset needs 1 numbers for 2 views"),
        ([".", "--offset", "soon"], "--offset must be seconds"),
        ([".", "--camera", "moving"], "--camera moving does not go with --views"),
        ([".", "--start", "1"], "--start is for one video"),
    ],
)
def test_a_wrong_command_line_is_said_before_any_work(
    take: Path, tmp_path: Path, words: list[str], text: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(take)
    assert main(["--views", *words, "-o", str(tmp_path / "out")]) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_calibration_and_offset_are_for_views() -> None:
    with pytest.raises(UsageError, match="`offset` is for `views`"):
        PipelineConfig.from_flat(offset=(1.0,))


def test_views_that_cannot_be_joined_leave_nothing(take: Path, tmp_path: Path) -> None:
    videos = [take / "left.mp4", take / "right.mp4"]
    with pytest.raises(InputError, match="they have nothing in common"):
        process_views(videos, config(take, tmp_path / "out", offset=(60.0,)))
    with pytest.raises(InputError, match="no such file"):
        process_views([videos[0], take / "third.mp4"], config(take, tmp_path / "out"))
    with pytest.raises(InputError, match=r"left\.mp4: is given twice"):
        process_views([videos[0], videos[0]], config(take, tmp_path / "out"))
    (tmp_path / "elsewhere.mp4").write_bytes(videos[1].read_bytes())
    with pytest.raises(InputError, match="there is no elsewhere"):
        process_views([videos[0], tmp_path / "elsewhere.mp4"], config(take, tmp_path / "out"))
    assert not list((tmp_path / "out").rglob("*"))
