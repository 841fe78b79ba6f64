import numpy as np
import pytest

from train.cameras import published_cameras


def test_human36m_has_seven_placed_subjects():
    cameras = published_cameras("h36m")
    assert sorted(cameras) == ["", "S1", "S11", "S5", "S6", "S7", "S8", "S9"]
    for subject, views in cameras.items():
        assert [camera.name for camera in views] == ["54138969", "55011271", "58860488", "60457274"]
        for camera in views:
            assert (camera.orientation is None) == (subject == "")
            if camera.orientation is not None:
                assert np.linalg.norm(camera.orientation) == pytest.approx(1, abs=1e-5)
                assert 1 < camera.translation[2] < 2  # metres above the floor
