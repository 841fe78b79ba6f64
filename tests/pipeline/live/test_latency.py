import time

import pytest

from pipeline.live.latency import Latency


def test_latency_percentiles() -> None:
    latency = Latency()
    assert latency.as_dict() == {"p50": None, "p95": None}
    for seconds in (0.1, 0.2, 0.3, 5.0):
        latency.add(time.monotonic() - seconds)
    assert latency.percentile_ms(50) == pytest.approx(200, abs=50)
    assert latency.percentile_ms(95) == pytest.approx(5000, abs=50)
