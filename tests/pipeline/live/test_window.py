import os

import numpy as np
import pytest

from pipeline.live.window import open_window


def test_no_window_where_there_is_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert open_window("nowhere") is None
    monkeypatch.setenv("DISPLAY", ":4711")
    assert open_window("a display that does not answer") is None


@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="there is no display to open a window on")
def test_the_window_shows_pictures_until_it_is_closed() -> None:
    window = open_window("test")
    assert window is not None
    window.show(np.zeros((120, 160, 3), np.uint8))
    assert window.is_open
    window.close()
