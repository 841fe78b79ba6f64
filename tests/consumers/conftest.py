"""Results that programs of others are given."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.config import PipelineConfig
from pipeline.results.result import Person, Result
from pipeline.run import process_video
from weights.store import resolve


@pytest.fixture(scope="session")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Two people outdoors; one walks across the picture."""
    config = PipelineConfig.from_flat(output=tmp_path_factory.mktemp("filmed"), render=False)
    return process_video(resolve("demo-clip"), config)


@pytest.fixture(scope="session")
def walker(filmed: Result) -> Person:
    """The one who walks: their head is above their pelvis throughout."""
    head = filmed.joints.index("head_top")

    def least_height(person: Person) -> float:
        joints = person.joints_world_m
        return float(np.nanmin(joints[:, head, 2] - joints[:, 0, 2]))

    return max(filmed.people, key=least_height)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where exports go."""
    path = tmp_path / "exports"
    path.mkdir()
    return path
