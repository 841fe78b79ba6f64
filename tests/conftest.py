import pytest

from pipeline.media.opencv import mute_opencv


@pytest.fixture(scope="session", autouse=True)
def _muted_opencv() -> None:
    """Mute OpenCV as the programs do: some tests read stderr."""
    mute_opencv()
