"""Human3.6M's commands, on made-up files of the true layout, end to end into a training run."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from core.archives import read_archive
from tests.train.prepare.raw_files import SUBJECTS, detectron_frames, train
from train.__main__ import main

CAMERAS = ("54138969", "55011271", "58860488", "60457274")


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
        recordings = tmp_path / "raw" / "h36m" / subject / folder
        recordings.mkdir(parents=True)
        for name in ("Directions", "TakingPhoto 1", "WalkingDog"):
            write(recordings / f"{name}{suffix}", joints)
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
    reference = read_archive(data_dir / "data_2d_h36m_gt.npz")["positions_2d"]["S9"]
    expected = next(iter(reference.values()))
    got = read_archive(data / "data_2d_h36m_gt.npz")["positions_2d"]["S9"]["Photo 1"]
    np.testing.assert_allclose(got, [view[:60] for view in expected], atol=0.01)
    train(data, "-k", "gt", "-str", "S1")
    assert main(line) == 2
    assert "is there already, add --overwrite" in capsys.readouterr().err


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
            folder = source / subject / ("StackedHourglass" if name.startswith("sh") else "")
            folder.mkdir(parents=True, exist_ok=True)
            if name.startswith("sh"):
                h5py = pytest.importorskip("h5py")
                with h5py.File(folder / f"{action}.{camera}.h5", "w") as file:
                    file["poses"] = view[:70, :16]
                continue
            content = {"keypoints": view[:70]} if "cpn" in name else detectron_frames(view[:70])
            np.savez(folder / f"{action}.{camera}.mp4.npz", **content)
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
