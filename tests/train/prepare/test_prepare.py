"""Every preparation command, on made-up files of the true layout, end to end into a training run."""

import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from core.archives import read_archive
from lifter.checkpoint import read_published
from train.__main__ import main
from train.prepare.files import fill_gaps

CAMERAS = ("54138969", "55011271", "58860488", "60457274")
SUBJECTS = ("S1", "S9", "S11")
NETWORK = ["-arc", "3,3", "-ch", "8", "-e", "1", "-b", "128"]


@pytest.fixture(scope="module")
def captured(data_dir) -> dict[str, np.ndarray]:
    """Subject → (60, 32, 3) metres, Human3.6M's raw joints."""
    archive = read_archive(data_dir / "data_3d_h36m.npz")["positions_3d"]
    return {subject: next(iter(archive[subject].values()))[:60] for subject in SUBJECTS}


def write_cdf(path: Path, joints_m: np.ndarray) -> None:
    pytest.importorskip("cdflib")
    from cdflib.cdfwrite import CDF

    with_record = (joints_m.reshape(1, len(joints_m), 96) * 1000).astype(np.float32)
    file = CDF(path, delete=True)
    description = {
        "Variable": "Pose",
        "Data_Type": 44,
        "Num_Elements": 1,
        "Rec_Vary": True,
        "Dim_Sizes": [len(joints_m), 96],
    }
    file.write_var({**description, "Compress": 0}, var_data=with_record)
    file.close()


def write_mat(path: Path, joints_m: np.ndarray) -> None:
    cell = np.empty((1, 1), object)
    cell[0, 0] = joints_m.reshape(-1, 96) * 1000
    scipy.io.savemat(path, {"data": cell})


def write_h5(path: Path, joints_m: np.ndarray) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["3D_positions"] = (joints_m * 1000).transpose(1, 2, 0).reshape(96, -1)


def train(data_dir: Path, *flags: str) -> None:
    out = data_dir / "checkpoint"
    assert main([*NETWORK, "--data-dir", str(data_dir), "-c", str(out), *flags]) == 0
    assert read_published(out / "epoch_1.bin")["history"][0]["3d_valid"] > 0


@pytest.mark.parametrize(
    ("command", "folder", "suffix", "write"),
    [
        ("h36m-cdf", "MyPoseFeatures/D3_Positions", ".cdf", write_cdf),
        ("h36m-mat", "MyPoseFeatures/D3_Positions", ".cdf.mat", write_mat),
        ("h36m-h5", "MyPoses/3D_positions", ".h5", write_h5),
    ],
)
def test_h36m(tmp_path, data_dir, captured, capsys, command, folder, suffix, write):
    for subject, joints in captured.items():
        place = tmp_path / "raw" / "h36m" / subject / folder
        place.mkdir(parents=True)
        for name in ("Directions", "TakingPhoto 1", "WalkingDog"):
            write(place / f"{name}{suffix}", joints)
    source, data = tmp_path / "raw" / "h36m", tmp_path / "data"
    if command == "h36m-h5":  # as it is distributed
        source = tmp_path / "h36m.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for file in (tmp_path / "raw").rglob("*.h5"):
                archive.write(file, file.relative_to(tmp_path / "raw"))
    line = ["prepare", command, str(source), "--data-dir", str(data)]
    assert main(line) == 0
    assert "S1: 3 recordings, complete would be 30" in capsys.readouterr().out
    positions = read_archive(data / "data_3d_h36m.npz")["positions_3d"]
    assert {subject: sorted(actions) for subject, actions in positions.items()} == {
        "S1": ["Directions", "Photo 1", "WalkDog"],
        "S9": ["Directions", "Photo 1", "WalkDog"],
        "S11": ["Photo 1", "WalkDog"],  # that one's Directions is damaged
    }
    np.testing.assert_allclose(positions["S1"]["WalkDog"], captured["S1"], atol=1e-6)
    expected = next(
        iter(read_archive(data_dir / "data_2d_h36m_gt.npz")["positions_2d"]["S9"].values())
    )
    got = read_archive(data / "data_2d_h36m_gt.npz")["positions_2d"]["S9"]["Photo 1"]
    np.testing.assert_allclose(got, [view[:60] for view in expected], atol=0.01)
    train(data, "-k", "gt", "-str", "S1")
    assert main(line) == 2
    assert "is there already, add --overwrite" in capsys.readouterr().err


def detectron_frames(keypoints: np.ndarray, rows: int = 6) -> dict[str, np.ndarray]:
    """(T, 17, 2) px in Detectron's layout, with a second, less sure person and an empty frame."""
    boxes, points = (np.empty((len(keypoints), 2), object) for _ in range(2))
    for t, frame in enumerate(keypoints):
        best = np.zeros((rows, 17), np.float32)
        best[4 : 6 if rows >= 6 else 4] = frame.T if rows >= 6 else best[4:4]
        if rows < 6:
            best[:2] = frame.T
        people = [] if t == 3 else [[0, 0, 9, 9, 0.2], [0, 0, 9, 9, 0.9]]
        boxes[t] = [[], np.float32(people).reshape(-1, 5)]
        points[t] = [[], [] if t == 3 else [best + 100, best]]
    return {"boxes": boxes, "keypoints": points}


@pytest.fixture
def h36m_data(tmp_path, data_dir) -> Path:
    """The reference data set's 3D, cut to three subjects of 60 frames."""
    data = tmp_path / "data"
    data.mkdir()
    positions = read_archive(data_dir / "data_3d_h36m.npz")["positions_3d"]
    cut = {
        subject: {action: joints[:60] for action, joints in positions[subject].items()}
        for subject in SUBJECTS
    }
    np.savez(data / "data_3d_h36m.npz", positions_3d=cut)
    return data


@pytest.mark.parametrize(
    "name", ["cpn_ft_h36m_dbb", "detectron_pt_coco", "sh_pt_mpii", "sh_ft_h36m"]
)
def test_h36m_detections(tmp_path, data_dir, h36m_data, name):
    keypoints = read_archive(data_dir / "data_2d_h36m_gt.npz")["positions_2d"]
    source = tmp_path / "detections"
    for subject in SUBJECTS:
        action, views = next(iter(keypoints[subject].items()))
        for camera, view in zip(CAMERAS, views, strict=True):
            place = source / subject / ("StackedHourglass" if name.startswith("sh") else "")
            place.mkdir(parents=True, exist_ok=True)
            if name.startswith("sh"):
                h5py = pytest.importorskip("h5py")
                with h5py.File(place / f"{action}.{camera}.h5", "w") as file:
                    file["poses"] = view[:70, :16]
                continue
            content = {"keypoints": view[:70]} if "cpn" in name else detectron_frames(view[:70])
            np.savez(place / f"{action}.{camera}.mp4.npz", **content)
    if name == "sh_ft_h36m":  # as it is distributed
        with tarfile.open(tmp_path / "tuned.tar.gz", "w:gz") as archive:
            archive.add(source, "tuned")
        source = tmp_path / "tuned.tar.gz"
    assert (
        main(["prepare", "2d-h36m", str(source), "--name", name, "--data-dir", str(h36m_data)]) == 0
    )
    archive = read_archive(h36m_data / f"data_2d_h36m_{name}.npz")
    layout = {"cpn_ft_h36m_dbb": "h36m", "detectron_pt_coco": "coco"}.get(name, "mpii")
    assert archive["metadata"]["layout_name"] == layout
    got, expected = archive["positions_2d"]["S9"]["Clip7"], keypoints["S9"]["Clip7"]
    np.testing.assert_allclose(
        got[2][10], expected[2][10, : archive["metadata"]["num_joints"]], atol=1e-3
    )
    train(h36m_data, "-k", name, "-str", "S1")


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


def test_own_poses_become_a_custom_data_set(tmp_path, data_dir):
    keypoints = read_archive(data_dir / "data_2d_h36m_gt.npz")["positions_2d"]["S9"]["Clip7"][0][
        :40
    ]
    for video, tracks in (("dance", [1]), ("duel", [1, 2])):
        place = tmp_path / "output" / video
        place.mkdir(parents=True)
        frames = np.delete(np.arange(40), 7)  # one was not seen
        metadata = {
            "video": {"path": f"/clips/{video}.mp4", "width": 1000, "height": 1002, "fps": 30.0}
        }
        np.savez(
            place / "poses.npz",
            frame_index=np.tile(frames, len(tracks)),
            track_id=np.repeat(tracks, len(frames)),
            keypoints_2d=np.tile(keypoints[frames], (len(tracks), 1, 1)),
            metadata_json=np.array(json.dumps(metadata)),
        )
    data = tmp_path / "data"
    assert (
        main(
            [
                "prepare",
                "poses",
                str(tmp_path / "output"),
                "--name",
                "mine",
                "--data-dir",
                str(data),
            ]
        )
        == 0
    )
    archive = read_archive(data / "data_2d_custom_mine.npz")
    assert sorted(archive["positions_2d"]) == ["dance", "duel_1", "duel_2"]
    assert archive["metadata"]["video_metadata"]["dance"] == {"w": 1000, "h": 1002, "fps": 30.0}
    got = archive["positions_2d"]["dance"]["custom"][0]
    np.testing.assert_allclose(got[7], (keypoints[6] + keypoints[8]) / 2, rtol=1e-5)
    lift(tmp_path, data_dir, data, "mine", "dance", 40)


def lift(
    tmp_path: Path, checkpoints: Path, data: Path, name: str, subject: str, frames: int
) -> None:
    """A custom data set has nothing to train on, but a trained network lifts it."""
    out = tmp_path / "joints.npy"
    line = [
        "-d",
        "custom",
        "-k",
        name,
        "--data-dir",
        str(data),
        "-arc",
        "3,3,3",
        "-ch",
        "48",
        "-c",
        str(checkpoints),
    ]
    line += [
        "--evaluate",
        "supervised_epoch_4.bin",
        "--render",
        "--viz-subject",
        subject,
        "--viz-action",
        "custom",
    ]
    assert main([*line, "--viz-export", str(out)]) == 0
    assert np.load(out).shape == (frames, 17, 3)


def test_detectron_dumps_become_a_custom_data_set(tmp_path, data_dir):
    keypoints = read_archive(data_dir / "data_2d_h36m_gt.npz")["positions_2d"]["S9"]["Clip7"][0][
        :20
    ]
    (tmp_path / "dumps").mkdir()
    metadata = np.array({"w": 1000, "h": 1002}, dtype=object)
    np.savez(
        tmp_path / "dumps" / "clip.mp4.npz",
        **detectron_frames(keypoints, rows=4),
        metadata=metadata,
    )
    line = [
        "prepare",
        "2d-custom",
        str(tmp_path / "dumps"),
        "--name",
        "theirs",
        "--data-dir",
        str(tmp_path),
    ]
    assert main(line) == 0
    got = read_archive(tmp_path / "data_2d_custom_theirs.npz")["positions_2d"]["clip.mp4"][
        "custom"
    ][0]
    np.testing.assert_allclose(got[10], keypoints[10])
    np.testing.assert_allclose(got[3], (keypoints[2] + keypoints[4]) / 2, rtol=1e-5)
    lift(tmp_path, data_dir, tmp_path, "theirs", "clip.mp4", 20)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (["h36m-cdf", "nowhere"], "nowhere: holds none of the folders S1"),
        (["2d-h36m", "nowhere", "--name", "cpn_x"], "nowhere: neither a folder nor an archive"),
        (["poses", "nowhere.npz", "--name", "x"], "nowhere.npz: no such file"),
    ],
)
def test_what_is_missing_is_said(tmp_path, monkeypatch, capsys, line, text):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *line]) == 1
    assert text in capsys.readouterr().err


def test_gaps_are_bridged_and_ends_stand_still():
    keypoints = np.full((5, 1, 2), np.nan, np.float32)
    keypoints[1], keypoints[3] = 1, 3
    assert fill_gaps(keypoints, Path())[:, 0, 0].tolist() == [1, 1, 2, 3, 3]
