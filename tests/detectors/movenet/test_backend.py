import pytest

from core.errors import WeightsError
from detectors.movenet.backend import MoveNetBackend


@pytest.mark.usefixtures("blazepose_alone")
def test_where_movenet_cannot_be_had_a_line_says_what_to_put_where() -> None:
    backend = MoveNetBackend()
    assert not backend.available().is_ready
    with pytest.raises(WeightsError, match=r"put movenet_thunder\.json") as raised:
        backend.fetch()
    assert "\n" not in str(raised.value)
