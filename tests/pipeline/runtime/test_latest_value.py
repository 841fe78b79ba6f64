import pytest

from pipeline.runtime.latest_value import LatestValue


def test_a_slow_reader_gets_the_latest_value_and_then_the_end() -> None:
    slot: LatestValue[str] = LatestValue()
    with pytest.raises(TimeoutError):
        slot.after(0, timeout_s=0.01)
    for value in "abc":
        slot.put(value)
    slot.close()
    assert slot.after(0) == (3, "c")
    assert slot.after(3) is None
