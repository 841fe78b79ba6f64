from pathlib import Path

import pytest

from core.errors import WeightsError
from detectors.blazepose import backend as blazepose
from detectors.blazepose.backend import BlazePoseBackend, HeavyBlazePoseBackend
from detectors.movenet.backend import MoveNetBackend


@pytest.mark.usefixtures("blazepose_alone")
def test_where_movenet_cannot_be_had_a_line_says_what_to_put_where() -> None:
    backend = MoveNetBackend()
    assert not backend.available().is_ready
    with pytest.raises(WeightsError, match=r"put movenet_thunder\.json") as raised:
        backend.fetch()
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("blazepose_alone")
def test_where_only_movenet_is_missing_a_line_says_so_and_blazepose_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def all_but_movenet(name: str, cache: Path) -> tuple[Path | None, str]:
        return optional(name, cache) if name in blazepose.MOVENET else (None, "")

    optional = blazepose._optional
    monkeypatch.setattr(blazepose, "_optional", all_but_movenet)
    backend = BlazePoseBackend()
    backend.fetch()
    assert "a little less exact: cannot fetch movenet-graph: there is no npm" in backend.warning()
    assert "\n" not in backend.warning()
    backend.build().close()
    assert HeavyBlazePoseBackend().warning() == "", "it has no second look"
