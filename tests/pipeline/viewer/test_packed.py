import base64
import zlib
from typing import Any

import numpy as np

from core.types import Floats
from pipeline.viewer.packed import MISSING, packed


def unpacked(content: dict[str, Any]) -> Floats:
    """What `web/unpack.js` does, which tests/consumers run in a browser."""
    rows, columns = content["shape"]
    ranks = np.frombuffer(zlib.decompress(base64.b64decode(content["data"]), -15), np.uint8)
    zigzag = ranks.reshape(4, -1).T.copy().view("<u4").reshape(columns, rows).astype(np.int64)
    values = (zigzag >> 1) ^ -(zigzag & 1)
    for _ in range(content["order"]):
        values = np.cumsum(values, 1)
    values = (values + 2**31) % 2**32 - 2**31
    return np.where(values == MISSING, np.nan, values * content["unit"]).T


def test_values_come_back_to_half_a_unit_and_nan_as_nan() -> None:
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(0, 0.02, (300, 21, 3)), 0)
    values[100:120] = np.nan
    values[5, 2] = np.nan
    values[7, 0] = [2e6, -2e6, 0]  # metres: near the ends of what four bytes hold
    found = unpacked(packed(values, 0.001)).reshape(values.shape)
    np.testing.assert_allclose(found, values, atol=0.00051)


def test_what_is_too_large_is_cut_off() -> None:
    found = unpacked(packed(np.array([[1e30], [-1e30], [np.inf], [0.0]]), 0.001))
    np.testing.assert_allclose(found[:, 0], [2147483.647, -2147483.647, np.nan, 0.0])


def test_steady_motion_takes_little_room() -> None:
    """Second differences of what moves evenly are nothing."""
    times = np.arange(18_000)[:, None] / 29.97
    assert len(packed(times, 1e-4)["data"]) < 2_000


def test_nothing_and_truth_values_are_packed() -> None:
    assert unpacked(packed(np.zeros((0, 63)), 1)).shape == (0, 63)
    contacts = np.random.default_rng(0).random((50, 4)) < 0.5
    np.testing.assert_array_equal(unpacked(packed(contacts, 1)), contacts)
