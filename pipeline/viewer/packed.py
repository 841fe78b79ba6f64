"""Tables of numbers as short text: whole multiples of a unit, differences in time, deflate, base64.

`web/unpack.js` reads them.
"""

import base64
import math
import zlib
from typing import Any

import numpy as np

from core.types import Array

MISSING = -(2**31)
"""Stands for NaN."""


def packed(values: Array, unit: float) -> dict[str, Any]:
    """Pack a table whose columns change little from row to row.

    Of each column the first or second differences are taken (modulo 2³²), whichever pack better;
    zigzag coding makes small ones of either sign small; the bytes of a rank stand together, so that
    the upper ones, nearly all 0, take no room.

    Args:
        values: (T, …) numbers; NaN is kept.
        unit: What the last digit is worth; what exceeds 2³¹ of it is cut off there.

    Returns:
        `shape` (T, columns), `unit`, `order` of the differences, and `data`.
    """
    columns = values.reshape(len(values), math.prod(values.shape[1:])).astype(np.float64)
    known = np.isfinite(columns)
    rounded = np.round(np.where(known, columns, 0.0) / unit).clip(MISSING + 1, -MISSING - 1)
    whole = np.where(known, rounded, MISSING)
    integers = whole.astype(np.int32).T  # (columns, T)
    coded = {order: _deflated(integers, order) for order in (1, 2)}
    order = min(coded, key=lambda one: len(coded[one]))
    text = base64.b64encode(coded[order]).decode()
    return {"shape": list(columns.shape), "unit": unit, "order": order, "data": text}


def _deflated(integers: Array, order: int) -> bytes:
    """The differences of an order of int32 (columns, T), zigzag coded, by ranks of bytes."""
    for _ in range(order):
        integers = np.diff(integers, axis=1, prepend=np.int32(0))
    zigzag = (integers << 1) ^ (integers >> 31)
    ranks = np.ascontiguousarray(zigzag.astype("<i4").ravel().view(np.uint8).reshape(-1, 4).T)
    coder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return coder.compress(ranks.tobytes()) + coder.flush()
