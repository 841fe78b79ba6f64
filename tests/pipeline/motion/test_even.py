"""Motion at an even rate, of videos that have one and of videos that have none."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.motion.even import Block, Grid, even_blocks, even_grid
from pipeline.results.result import Result
from testkit.made import array_results
from testkit.made.array_results import Actor, array_result


def evenly(result: Result, track_id: int) -> tuple[Grid, list[Block]]:
    grid = even_grid(result.table, result.report.video.fps)
    return grid, list(even_blocks(result.table, grid, track_id))


def joined(blocks: list[Block], name: str) -> np.ndarray:
    return np.concatenate([block[name] for block in blocks])


def test_rows_of_an_even_video_are_taken_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames, times = np.r_[5:30, 42:60], 0.4 + np.arange(70) / 29.97
    first, second = rng.normal(size=(43, 21, 3)), rng.normal(size=(70, 21, 3))
    result = array_result(tmp_path, [Actor(frames, first), Actor(np.arange(70), second)], times)
    grid, blocks = evenly(result, 1)
    assert grid.note is None
    assert (grid.count, float(grid.rate)) == (70, pytest.approx(29.97, abs=1e-3))
    assert blocks[0].start == 5
    joints = joined(blocks, "joints_world_m")
    assert len(joints) == 55
    np.testing.assert_array_equal(joints[frames - 5], first.astype(np.float32))
    assert np.isnan(np.delete(joints, frames - 5, 0)).all()


@pytest.mark.parametrize("chunk_rows", [3, 2000])
def test_a_video_of_no_even_rate_is_resampled_and_that_is_said(
    chunk_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_results, "_CHUNK_ROWS", chunk_rows)
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.06, 200))
    frames = np.r_[0:90, 120:200]
    # positions that are linear in time are the same at any rate
    joints = np.zeros((len(frames), 21, 3)) + times[frames, None, None] * np.array([1.0, -2.0, 0.5])
    contacts = np.repeat(times[frames, None] > times[50], 4, axis=1)
    result = array_result(tmp_path, [Actor(frames, joints, contacts=contacts)], times)
    grid, blocks = evenly(result, 1)
    assert grid.note is not None
    assert "resampled" in grid.note
    at = grid.start_s + np.arange(sum(len(block.is_known) for block in blocks)) / float(grid.rate)
    known = np.concatenate([block.is_known for block in blocks])
    inside = ((at >= times[0]) & (at <= times[89])) | ((at >= times[120]) & (at <= times[199]))
    np.testing.assert_array_equal(known, inside)
    wanted = at[known, None] * [1.0, -2.0, 0.5]
    np.testing.assert_allclose(joined(blocks, "joints_world_m")[known, 7], wanted, atol=1e-4)
    assert joined(blocks, "contacts").dtype == bool


def test_a_table_without_people_has_no_frames(tmp_path: Path) -> None:
    result = array_result(tmp_path, [Actor(np.arange(2), np.zeros((2, 21, 3)))], np.arange(2) / 25)
    empty = {name: values[:0] for name, values in result.table.columns.items()}
    result.table.columns.update(empty)
    assert even_grid(result.table, 25.0).count == 0
