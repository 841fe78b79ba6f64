from pathlib import Path

import numpy as np

from core.skeletons import H36M_21
from core.types import VideoInfo
from pipeline.live.record import Recorder
from tests.pipeline.live.made_moments import moment


def test_a_recording_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    info = VideoInfo(Path("camera"), 160, 120, 30.0, None, 0, None)
    recorder = Recorder(tmp_path / "out", info, H36M_21)
    recorder.__enter__()
    recorder.add_poses(moment())
    recorder.add_picture(np.zeros((120, 160, 3), np.uint8), 0.0)
    recorder.__exit__(RuntimeError, RuntimeError(), None)
    assert not (tmp_path / "out").exists()
