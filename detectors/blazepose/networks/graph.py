"""Graphs of TFLite models, as flatbuffers: an output that is not wanted is taken away.

In a flatbuffer, a reference is the distance to what it refers to. A table begins with the distance
back to its vtable, which has the positions of its fields, and a vector with its length; all little
endian. Only the fields named here are read, so none of the generated code, which takes a while to
load, is needed. https://flatbuffers.dev/internals
"""

import struct

import numpy as np
from numpy.typing import NDArray

# Entries of vtables, bytes from their begin: 4 and 2 for each field before, in the order of
# TFLite's schema
_SUBGRAPHS = 8  # of a model
_GRAPH_OUTPUTS, _OPERATORS = 8, 10  # of a subgraph
_INPUTS, _OUTPUTS = 6, 8  # of an operator


def without_output(content: bytes, index: int) -> bytes:
    """Take an output of a TFLite model away, with the operators that only this one needed.

    The two vectors of the graph's flatbuffer become shorter in their places.

    Args:
        content: The model, of one subgraph.
        index: Which of its outputs.
    """
    data = bytearray(content)
    graph = _followed(data, _vector(data, _followed(data, 0), _SUBGRAPHS) + 4)
    outputs_at = _vector(data, graph, _GRAPH_OUTPUTS)
    operators_at = _vector(data, graph, _OPERATORS)
    outputs = np.delete(_integers(data, outputs_at), index).tolist()
    needed, kept = set(outputs), []
    for row in reversed(range(_unsigned(data, operators_at))):  # stored in an order of execution
        operator = _followed(data, operators_at + 4 + 4 * row)
        if needed & set(_integers(data, _vector(data, operator, _OUTPUTS)).tolist()):
            needed |= set(_integers(data, _vector(data, operator, _INPUTS)).tolist())
            kept.append(operator)
    distances = [table - operators_at - 4 - 4 * i for i, table in enumerate(reversed(kept))]
    for at, values in ((outputs_at, outputs), (operators_at, distances)):
        struct.pack_into(f"<{len(values) + 1}I", data, at, len(values), *values)
    return bytes(data)


def _unsigned(data: bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _followed(data: bytearray, at: int) -> int:
    """What the reference at a position refers to."""
    return at + _unsigned(data, at)


def _vector(data: bytearray, table: int, entry: int) -> int:
    """Where the vector of a table's field begins, by its entry in the vtable."""
    (back,) = struct.unpack_from("<i", data, table)
    (field,) = struct.unpack_from("<H", data, table - back + entry)
    return _followed(data, table + field)


def _integers(data: bytearray, at: int) -> NDArray[np.int32]:
    """The numbers of a vector of int32."""
    return np.frombuffer(data, "<i4", _unsigned(data, at), at + 4)
