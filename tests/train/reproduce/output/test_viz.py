import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.archives import read_archive
from core.skeletons import COCO_17
from lifter.normalize import pixels_from_screen
from testkit.lifters import published_lifter
from testkit.walker import keypoints, walking
from train.__main__ import main
from train.archives import write_archive
from train.datasets.custom import load_custom
from train.layouts import keypoint_metadata
from train.reproduce.output.animation import write_animation


@pytest.fixture
def line(small, data_dir) -> list[str]:
    clip = ["--viz-subject", "S9", "--viz-action", "Clip7", "--viz-camera", "2", "--viz-size", "2"]
    return [*small, "-c", str(data_dir), "--evaluate", "supervised_epoch_4.bin", "--render", *clip]


def frames_of(path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    frames = []
    while (got := video.read())[0]:
        frames.append(got[1])
    return frames


def test_mp4_and_export(tmp_path, line, data_dir):
    picture, joints = tmp_path / "a.mp4", tmp_path / "a.npz"
    limits = ["--viz-limit", "12", "--viz-downsample", "2"]
    assert main([*line, *limits, "--viz-output", str(picture), "--viz-export", str(joints)]) == 0
    frames = frames_of(picture)
    assert len(frames) == 12
    assert frames[0].shape == (200, 600, 3)  # input, reconstruction, ground truth
    assert np.abs(frames[0].astype(int) - frames[11]).max() > 50  # the person moves
    exported = read_archive(joints)
    assert exported["joints"][13] == "l_wrist"
    assert exported["joints_camera_m"].shape == (416, 17, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.npz"]


def test_gif_without_ground_truth_over_a_video(tmp_path, line):
    video = tmp_path / "in.mp4"
    pictures = (np.full((100, 100, 3), shade, np.uint8) for shade in range(0, 250, 10))
    write_animation(video, pictures, 50.0, 3000)
    flags = ["--viz-no-ground-truth", "--viz-video", str(video), "--viz-skip", "20"]
    assert main([*line, *flags, "--viz-output", str(tmp_path / "a.gif")]) == 0
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"]) == (5, (400, 200), 20)
        red = gif.convert("RGB").getpixel((20, 100))[0]
        assert red == pytest.approx(200, abs=12)  # the video's 21st picture


@pytest.mark.parametrize("name", ["joints", "joints.v2", "joints.npy", "JOINTS.NPY"])
def test_an_export_without_an_ending_gets_one(tmp_path, line, name, capsys):
    assert main([*line, "--viz-export", str(tmp_path / name)]) == 0
    (path,) = tmp_path.iterdir()
    assert path.name == (name if name.lower().endswith(".npy") else f"{name}.npy")
    assert np.load(path).shape == (416, 17, 3)
    assert f"wrote {path}" in capsys.readouterr().out


def own_video(folder, fps: float | None, frames: int = 12) -> list[str]:
    """The flags to draw a video's keypoints, whose archive has a frame rate or none."""
    points = keypoints(walking(frames), np.tile([0.0, 0.0, 5.0], (frames, 1)))
    points[3:6, 9] = 0  # a wrist that was not found for a while
    points[:, 4] = -1  # an ear that never was
    size = {"w": 1920, "h": 1080} | ({} if fps is None else {"fps": fps})
    metadata = {**keypoint_metadata("coco"), "video_metadata": {"clip.mp4": size}}
    write_archive(
        folder / "data_2d_custom_mine.npz",
        positions_2d={"clip.mp4": {"custom": [points.astype(np.float32)]}},
        metadata=metadata,
    )
    words = ["-d", "custom", "-k", "mine", "--data-dir", str(folder), "-c", str(folder)]
    clip = ["--viz-subject", "clip.mp4", "--viz-action", "custom", "--viz-size", "2"]
    published_lifter(folder / "epoch_1.bin", COCO_17)
    shape = ["-arc", "3,3", "-ch", "16"]
    return [*words, *shape, "--evaluate", "epoch_1.bin", "--render", *clip]


@pytest.mark.parametrize(
    ("stored_fps", "video_fps", "drawn_fps"), [(None, 60, 60), (None, 30, 30), (50, 60, 50)]
)
def test_a_custom_archive_without_a_frame_rate_is_drawn_at_the_videos(
    tmp_path, stored_fps, video_fps, drawn_fps
):
    video, out = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    write_animation(
        video, (np.full((90, 160, 3), 9 * i, np.uint8) for i in range(12)), video_fps, 3000
    )
    words = [*own_video(tmp_path, stored_fps), "--viz-video", str(video)]
    assert main([*words, "--viz-output", str(out), "--viz-limit", "8"]) == 0
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FPS) == pytest.approx(drawn_fps)


def test_keypoints_of_an_own_video_that_were_not_found_are_filled_in(tmp_path):
    own_video(tmp_path, 30.0)
    clip = load_custom(tmp_path, "mine").clips[0]
    pixels = pixels_from_screen(clip.keypoints, 1920, 1080)
    truth = keypoints(walking(12), np.tile([0.0, 0.0, 5.0], (12, 1)))
    assert np.abs(pixels - truth)[:, 9].max() < 15
    assert np.abs(pixels - truth)[:, 4].max() < 40, "beside the eye"


FIELD = Path(__file__).parents[5] / "shared" / "data" / "field"


@pytest.mark.parametrize("fps", [30, 60])
def test_an_archive_as_users_have_it_is_drawn_at_the_videos_rate(tmp_path, fps):
    if not FIELD.is_dir():
        pytest.skip(f"{FIELD} is not here: files as users have them")
    own_video(tmp_path, None)
    shutil.copy(FIELD / "viz_myvideos.npz", tmp_path / "data_2d_custom_myvideos.npz")
    video, out = tmp_path / "base.mp4", tmp_path / "out.mp4"
    write_animation(video, (np.full((90, 160, 3), 3 * i, np.uint8) for i in range(60)), fps, 3000)
    words = ["-d", "custom", "-k", "myvideos", "--data-dir", str(tmp_path), "-c", str(tmp_path)]
    words += ["-arc", "3,3", "-ch", "16", "--evaluate", "epoch_1.bin", "--render"]
    words += ["--viz-subject", "base.mp4", "--viz-action", "custom", "--viz-size", "2"]
    words += ["--viz-video", str(video), "--viz-output", str(out), "--viz-limit", "10"]
    assert main(words) == 0
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FPS) == pytest.approx(fps)


@pytest.mark.parametrize(
    ("flags", "status", "text"),
    [
        (
            ["--viz-action", "Sit", "--viz-export", "a.npy"],
            2,
            "--viz-action: S9 has no action 'Sit'; it has Clip7",
        ),
        (["--viz-camera", "4", "--viz-export", "a.npy"], 2, "--viz-camera 4: Clip7 has 4 views"),
        (
            ["--viz-skip", "500", "--viz-export", "a.npy"],
            2,
            "--viz-skip 500: the clip has 416 frames",
        ),
        (
            ["--viz-video", "none.mp4", "--viz-output", "a.mp4"],
            1,
            "--viz-video none.mp4: no such file",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path, monkeypatch, line, flags, status, text, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*line, *flags]) == status
    assert text in capsys.readouterr().err
    assert not list(tmp_path.glob("a.*4"))
