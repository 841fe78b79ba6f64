import pytest

from train.__main__ import main


def test_errors_are_logged_for_tensorboard(tmp_path, quick):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert main([*quick, "-e", "2", "-c", str(tmp_path), "--tensorboard"]) == 0
    log = events.EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in log.Scalars("3d_valid")] == [1, 2]
