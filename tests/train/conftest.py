from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def data_dir() -> Path:
    return Path(__file__).parent.parent / "data" / "h36m_like"


@pytest.fixture
def small(data_dir: Path) -> list[str]:
    """The flags of the reference checkpoints' network and data."""
    return ["--data-dir", str(data_dir), "-k", "gt", "-arc", "3,3,3", "-ch", "48"]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Networks this small gain nothing from a second thread, and lose much on a busy machine."""
    torch.set_num_threads(1)
