"""Neighbours of rows are the same wherever a table is cut into chunks."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.motion.speeds import joint_speeds
from pipeline.motion.stretches import stretches
from testkit.made import array_results
from testkit.made.array_results import Actor, array_result

_FRAMES = np.r_[0:40, 55:90, 95:96, 97:99]


def speeds(chunk_rows: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[int, np.ndarray]:
    """Each person's speeds (T, J) by track id, read in chunks of as many rows."""
    monkeypatch.setattr(array_results, "_CHUNK_ROWS", chunk_rows)
    rng = np.random.default_rng(1)
    actors = [
        Actor(frames, rng.normal(size=(len(frames), 21, 3)).cumsum(0) / 100)
        for frames in (_FRAMES, np.arange(20, 70))
    ]
    table = array_result(folder, actors, np.arange(100) / 25).table
    found: dict[int, list[np.ndarray]] = {}
    frames: list[int] = []
    for stretch in stretches(table):
        found.setdefault(stretch.track_id, []).append(joint_speeds(stretch)[0])
        frames += stretch["frame_index"][stretch.own].tolist()
    assert sorted(frames) == sorted([*_FRAMES, *range(20, 70)])
    return {track_id: np.concatenate(parts) for track_id, parts in found.items()}


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 7, 50])
def test_speeds_do_not_depend_on_chunks(
    chunk_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = speeds(10_000, tmp_path, monkeypatch)
    cut = speeds(chunk_rows, tmp_path, monkeypatch)
    for track_id, values in whole.items():
        np.testing.assert_array_equal(cut[track_id], values)
    assert np.isnan(whole[1][75]).all()  # frame 95 has no neighbour
    assert np.isfinite(np.delete(whole[1], 75, 0)).all()


def test_who_comes_back_elsewhere_was_not_fast(tmp_path: Path) -> None:
    joints = np.zeros((20, 21, 3))
    joints[10:, :, 0] = 50.0
    frames = np.r_[0:10, 30:40]
    table = array_result(tmp_path, [Actor(frames, joints)], np.arange(40) / 25).table
    assert max(joint_speeds(stretch)[0].max() for stretch in stretches(table)) == 0
