import cv2
import numpy as np
import pytest
from PIL import Image

from core.archives import read_archive
from train.__main__ import main
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
            "--viz-video none.mp4: cannot be read",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path, monkeypatch, line, flags, status, text, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*line, *flags]) == status
    assert text in capsys.readouterr().err
    assert not list(tmp_path.glob("a.*4"))
