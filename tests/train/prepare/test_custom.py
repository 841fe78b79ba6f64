import json
from pathlib import Path

import numpy as np

from core.archives import read_archive
from tests.train.prepare.raw_files import detectron_frames
from train.__main__ import main


def clip7(data_dir: Path) -> np.ndarray:
    """(T, 17, 2) px of one clip of the reference data set."""
    return read_archive(data_dir / "data_2d_h36m_gt.npz")["positions_2d"]["S9"]["Clip7"][0]


def lift(
    tmp_path: Path, checkpoints: Path, data: Path, name: str, subject: str, frames: int
) -> None:
    """Lift a subject of a custom data set with a trained network; there is nothing to train on."""
    out = tmp_path / "joints.npy"
    line = ["-d", "custom", "-k", name, "--data-dir", str(data), "-c", str(checkpoints)]
    line += ["-arc", "3,3,3", "-ch", "48", "--evaluate", "supervised_epoch_4.bin", "--render"]
    clip = ["--viz-subject", subject, "--viz-action", "custom"]
    assert main([*line, *clip, "--viz-export", str(out)]) == 0
    assert np.load(out).shape == (frames, 17, 3)


def test_own_poses_become_a_custom_data_set(tmp_path, data_dir):
    keypoints = clip7(data_dir)[:40]
    for video, tracks in (("dance", [1]), ("duel", [1, 2])):
        folder = tmp_path / "output" / video
        folder.mkdir(parents=True)
        frames = np.delete(np.arange(40), 7)  # one was not seen
        metadata = {
            "video": {"path": f"/clips/{video}.mp4", "width": 1000, "height": 1002, "fps": 30.0}
        }
        np.savez(
            folder / "poses.npz",
            frame_index=np.tile(frames, len(tracks)),
            track_id=np.repeat(tracks, len(frames)),
            keypoints_2d=np.tile(keypoints[frames], (len(tracks), 1, 1)),
            metadata_json=np.array(json.dumps(metadata)),
        )
    data = tmp_path / "data"
    line = ["prepare", "poses", str(tmp_path / "output"), "--name", "mine"]
    assert main([*line, "--data-dir", str(data)]) == 0
    archive = read_archive(data / "data_2d_custom_mine.npz")
    assert sorted(archive["positions_2d"]) == ["dance", "duel_1", "duel_2"]
    assert archive["metadata"]["video_metadata"]["dance"] == {"w": 1000, "h": 1002, "fps": 30.0}
    got = archive["positions_2d"]["dance"]["custom"][0]
    np.testing.assert_allclose(got[7], (keypoints[6] + keypoints[8]) / 2, rtol=1e-5)
    lift(tmp_path, data_dir, data, "mine", "dance", 40)


def test_detectron_dumps_become_a_custom_data_set(tmp_path, data_dir):
    keypoints = clip7(data_dir)[:20]
    (tmp_path / "dumps").mkdir()
    metadata = np.array({"w": 1000, "h": 1002}, dtype=object)
    np.savez(
        tmp_path / "dumps" / "clip.mp4.npz",
        **detectron_frames(keypoints, rows=4),
        metadata=metadata,
    )
    line = ["prepare", "2d-custom", str(tmp_path / "dumps"), "--name", "theirs"]
    assert main([*line, "--data-dir", str(tmp_path)]) == 0
    archive = read_archive(tmp_path / "data_2d_custom_theirs.npz")
    got = archive["positions_2d"]["clip.mp4"]["custom"][0]
    np.testing.assert_allclose(got[10], keypoints[10])
    np.testing.assert_allclose(got[3], (keypoints[2] + keypoints[4]) / 2, rtol=1e-5)
    lift(tmp_path, data_dir, tmp_path, "theirs", "clip.mp4", 20)


def test_two_results_of_one_video_are_both_named(tmp_path, capsys):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.savez(
            tmp_path / folder / "poses.npz",
            frame_index=np.zeros(1, int),
            track_id=np.ones(1, int),
            keypoints_2d=np.ones((1, 17, 2)),
            metadata_json='{"video": {"path": "x.mp4", "width": 9, "height": 9, "fps": 30}}',
        )
    words = ["prepare", "poses", str(tmp_path), "--name", "mine", "--data-dir", str(tmp_path)]
    assert main(words) == 1
    both = f"{tmp_path / 'a' / 'poses.npz'} and {tmp_path / 'b' / 'poses.npz'}"
    assert f"{both}: both videos are called x" in capsys.readouterr().err


def test_damaged_metadata_are_one_line(tmp_path, capsys):
    for text in ("[" * 100_000, "{}", '{"video": {"path": "a.mp4"}}'):
        np.savez(
            tmp_path / "poses.npz",
            frame_index=np.zeros(1, int),
            track_id=np.ones(1, int),
            keypoints_2d=np.zeros((1, 17, 2)),
            metadata_json=text,
        )
        words = ["prepare", "poses", str(tmp_path), "--name", "mine", "--data-dir", str(tmp_path)]
        assert main(words) == 1
        assert "poses.npz: its metadata cannot be read" in capsys.readouterr().err
