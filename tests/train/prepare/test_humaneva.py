"""HumanEva-I's commands, on made-up files of the true layout, end to end into a training run."""

from pathlib import Path

import numpy as np
import scipy.io

from core.archives import read_archive
from tests.train.prepare.raw_files import detectron_frames, train
from train.__main__ import main


def humaneva_file(path: Path, frames: int, failed: slice) -> np.ndarray:
    rng = np.random.default_rng(len(path.as_posix()))
    poses = rng.normal(size=(15, 3)) * 300 + rng.normal(size=(frames, 1, 3)).cumsum(0)
    poses[failed] = np.nan
    pixels = np.stack([poses[..., :2] / 3 + 300 + camera for camera in range(3)])
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"poses_3d": poses, "poses_2d": pixels})
    return poses


def test_humaneva(tmp_path, capsys):
    converted, data, videos = tmp_path / "converted_15j", tmp_path / "data", tmp_path / "videos"
    poses = humaneva_file(converted / "Train/S1/Box_1.mat", 404, slice(100, 110))
    humaneva_file(converted / "Validate/S1/Box_1.mat", 380, slice(0, 0))
    assert main(["prepare", "humaneva", str(converted), "--data-dir", str(data)]) == 0
    positions = read_archive(data / "data_3d_humaneva15.npz")["positions_3d"]
    assert {
        key: {name: len(p) for name, p in value.items()} for key, value in positions.items()
    } == {
        "Train/S1": {"Box 1 chunk0": 100, "Box 1 chunk2": 294},
        "Validate/S1": {"Box 1 chunk0": 380},
    }
    np.testing.assert_allclose(positions["Train/S1"]["Box 1 chunk2"], poses[110:] / 1000, atol=1e-6)
    subjects = ["-d", "humaneva15", "-str", "Train/S1", "-ste", "Validate/S1"]
    train(data, *subjects, "-k", "gt", "-a", "Walk,Jog,Box", "--by-subject")

    for action, frames in (("Box_1", 900), ("Jog_2", 50)):
        for camera in range(3):
            (videos / "S1").mkdir(parents=True, exist_ok=True)
            ramp = np.zeros((frames, 17, 2), np.float32) + np.arange(frames)[:, None, None]
            np.savez(videos / "S1" / f"{action}_(C{camera + 1}).avi.npz", **detectron_frames(ramp))
    name = "detectron_pt_coco"
    line = ["prepare", "2d-humaneva", str(videos), "--converted", str(converted), "--name", name]
    assert main([*line, "--data-dir", str(data)]) == 0
    detections = read_archive(data / f"data_2d_humaneva15_{name}.npz")["positions_2d"]
    assert {key: {n: len(v[0]) for n, v in value.items()} for key, value in detections.items()} == {
        "Train/S1": {"Box 1 chunk0": 100, "Box 1 chunk2": 294},
        "Unlabeled/Train/S1": {"Box 1 chunk1": 10},
        "Validate/S1": {"Box 1 chunk0": 380},
        "Unlabeled/S1": {"Jog 2": 50},
    }
    # The first validated frame is 5; video C1 shows frame 0 as its 57th picture, C3 as its 56th.
    assert [view[0, 0, 0] for view in detections["Validate/S1"]["Box 1 chunk0"]] == [61, 61, 60]
    train(data, *subjects, "-k", name)

    humaneva_file(converted / "Train/S1/Jog_1.mat", 10, slice(0, 0))
    assert (
        main(["prepare", "humaneva", str(converted), "--data-dir", str(data), "--overwrite"]) == 1
    )
    assert "Jog_1.mat: has 10 frames, expected 373" in capsys.readouterr().err
