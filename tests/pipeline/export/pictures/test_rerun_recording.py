"""`rrd`, read by Rerun's own reader."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.export.base import write_exports
from pipeline.results.result import Result
from testkit.made.made_people import THERE, two_people
from testkit.results import FRAMES, made_result

chunk = pytest.importorskip("rerun.chunk", reason="the extra export is not installed")


def chunks_of(result: Result, folder: Path) -> tuple[Any, dict[str, list[Any]]]:
    """A recording's reader, and its chunks by entity."""
    assert write_exports(result, ["rrd"], folder).failures == []
    reader = chunk.RrdReader(folder / "clip.rrd")
    by_entity: dict[str, list[Any]] = {}
    for part in reader.stream():
        by_entity.setdefault(part.entity_path, []).append(part)
    return reader, by_entity


def column(parts: list[Any], ending: str) -> list[Any]:
    """The values of a component in all chunks that have it."""
    values: list[Any] = []
    for part in parts:
        batch = part.to_record_batch()
        for name in batch.schema.names:
            if name.endswith(ending):
                values += batch.column(name).to_pylist()
    return values


def test_a_recording_has_pictures_people_and_a_blueprint(tmp_path: Path) -> None:
    reader, parts = chunks_of(made_result(tmp_path, people=2), tmp_path)
    assert len(reader.recordings()) == 1
    assert len(reader.blueprints()) == 1
    pictures = [one for one in column(parts["/video/picture"], "blob") if one]
    assert len(pictures) == FRAMES
    assert bytes(pictures[0][0][:2]) == b"\xff\xd8"
    assert {"/world/person1", "/world/person2", "/video/person1"} <= parts.keys()
    for part in parts["/world/person1"]:
        assert {"frame", "time"} <= set(part.timeline_names)


def test_people_are_at_their_joints_and_go_when_they_leave(tmp_path: Path) -> None:
    result = two_people(tmp_path)
    _, parts = chunks_of(result, tmp_path)
    positions: dict[int, np.ndarray] = {}
    cleared = []
    for part in parts["/world/person1"]:
        batch = part.to_record_batch()
        frames = batch.column("frame").to_pylist()
        for name in batch.schema.names:
            if name.endswith("Points3D:positions"):
                rows = batch.column(name).to_pylist()
                positions |= {f: np.array(p) for f, p in zip(frames, rows, strict=True) if p}
            if "Clear" in name:
                cleared += frames
    assert sorted(positions) == THERE.tolist()
    stored = result.people[0].joints_world_m
    np.testing.assert_allclose([positions[frame] for frame in THERE], stored, atol=1e-6)
    assert sorted(cleared) == [30, 90]
