"""Convolutional networks of TensorFlow.js → TFLite models, which LiteRT runs.

A graph model of TensorFlow.js is a JSON of nodes, and a file of their constants. What lies between
an input and outputs is converted, of the kinds of nodes that MoveNet has. Both keep pictures as
(1, H, W, C), so only the kernels' axes change.
"""

import base64
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tflite

from core.types import Array

_PADDING = {b"SAME": tflite.Padding.SAME, b"VALID": tflite.Padding.VALID}
_ACTIVATIONS = {
    b"BiasAdd": tflite.ActivationFunctionType.NONE,
    b"Relu": tflite.ActivationFunctionType.RELU,
    b"Relu6": tflite.ActivationFunctionType.RELU6,
}
_KINDS = {
    "_FusedConv2D": tflite.BuiltinOperator.CONV_2D,
    "FusedDepthwiseConv2dNative": tflite.BuiltinOperator.DEPTHWISE_CONV_2D,
    "DepthwiseConv2dNative": tflite.BuiltinOperator.DEPTHWISE_CONV_2D,
    "AddV2": tflite.BuiltinOperator.ADD,
    "ResizeBilinear": tflite.BuiltinOperator.RESIZE_BILINEAR,
}
_VERSIONS = {tflite.BuiltinOperator.RESIZE_BILINEAR: 3}
"""The operators' versions that are not 1: the third knows half pixels."""
_SCHEMA = 3
"""The version of TFLite's schema."""
_MARGIN = 1 << 18
"""Bytes of a model beside its constants, about: a builder that is too small copies all again."""


def to_tflite(
    graph: dict[str, Any], weights: dict[str, Array], start: str, ends: Sequence[str], size: int
) -> bytes:
    """Convert the part of a graph between an input and outputs.

    Args:
        graph: The graph's JSON.
        weights: Its constants, as `read_weights` gives them.
        start: The node that gives a picture (1, size, size, 3) of float32; it becomes the input.
        ends: The nodes that become outputs, in this order.
        size: The picture's side.

    Returns:
        The TFLite model.

    Raises:
        KeyError: The part has a node of an unknown kind.
    """
    nodes = {node["name"]: node for node in graph["modelTopology"]["node"]}
    part = _Part(start, size)
    for name in _between(nodes, start, ends):
        part.add(nodes[name], weights)
    return part.packed(ends)


def read_weights(graph: dict[str, Any], content: bytes) -> dict[str, Array]:
    """The constants of a graph by name, numbers of half precision as float32.

    Args:
        graph: The graph's JSON, which says how they lie.
        content: Their file.
    """
    weights, at = {}, 0
    for entry in (entry for group in graph["weightsManifest"] for entry in group["weights"]):
        stored = np.dtype(entry.get("quantization", entry)["dtype"]).newbyteorder("<")
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(content, stored, count, at)
        weights[entry["name"]] = values.astype(entry["dtype"]).reshape(entry["shape"])
        at += values.nbytes
    return weights


def _between(nodes: dict[str, dict[str, Any]], start: str, ends: Sequence[str]) -> list[str]:
    """The nodes that lead from the start to the ends, each behind those that it needs."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name != start and name not in order and nodes[name]["op"] != "Const":
            for needed in nodes[name]["input"]:
                visit(needed)
            order[name] = None

    for end in ends:
        visit(end)
    return list(order)


class _Part:
    """A TFLite model that grows by one operator after another."""

    def __init__(self, start: str, size: int) -> None:
        self._graph = tflite.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._model = tflite.ModelT()
        self._model.version = _SCHEMA
        self._model.subgraphs, self._model.operatorCodes = [self._graph], []
        self._model.buffers = [tflite.BufferT()]  # the first is that of tensors without content
        self._tensors = {start: self._tensor((1, size, size, 3))}
        self._graph.inputs = [self._tensors[start]]

    def add(self, node: dict[str, Any], weights: dict[str, Array]) -> None:
        """Add a node whose inputs are there."""
        attributes = node.get("attr", {})
        kind = _KINDS[node["op"]]
        first = self._tensors[node["input"][0]]
        shape = self._graph.tensors[first].shape
        if kind == tflite.BuiltinOperator.ADD:
            inputs = [first, self._tensors[node["input"][1]]]
            options, options_kind = tflite.AddOptionsT(), tflite.BuiltinOptions.AddOptions
        elif kind == tflite.BuiltinOperator.RESIZE_BILINEAR:
            size = weights[node["input"][1]]
            shape = [1, *size.tolist(), shape[3]]
            inputs = [first, self._constant(size)]
            options = tflite.ResizeBilinearOptionsT()
            options.halfPixelCenters = attributes["half_pixel_centers"]["b"]
            options_kind = tflite.BuiltinOptions.ResizeBilinearOptions
        else:
            # (h, w, in, out) → (out, h, w, in); for each channel by itself, out is 1.
            kernel = weights[node["input"][1]].transpose(3, 0, 1, 2)
            if kind == tflite.BuiltinOperator.CONV_2D:
                channels = len(kernel)
                options, options_kind = tflite.Conv2DOptionsT(), tflite.BuiltinOptions.Conv2DOptions
            else:
                channels = shape[3]
                options = tflite.DepthwiseConv2DOptionsT()
                options.depthMultiplier = 1
                options_kind = tflite.BuiltinOptions.DepthwiseConv2DOptions
            bias = np.zeros(channels, np.float32)
            if len(node["input"]) > 2:
                bias = weights[node["input"][2]]
            inputs = [first, self._constant(kernel), self._constant(bias)]
            stride = int(attributes["strides"]["list"]["i"][1])
            options.strideH = options.strideW = stride
            options.padding = _PADDING[base64.b64decode(attributes["padding"]["s"])]
            fused = attributes.get("fused_ops", {}).get("list", {}).get("s", [])
            if fused:
                options.fusedActivationFunction = _ACTIVATIONS[base64.b64decode(fused[-1])]
            # VALID kernels are of one cell, so that padding does not matter.
            shape = [1, -(-shape[1] // stride), -(-shape[2] // stride), channels]
        operator = tflite.OperatorT()
        operator.opcodeIndex = self._code(kind)
        operator.inputs = inputs
        operator.builtinOptions, operator.builtinOptionsType = options, options_kind
        self._tensors[node["name"]] = self._tensor(shape)
        operator.outputs = [self._tensors[node["name"]]]
        self._graph.operators.append(operator)

    def packed(self, ends: Sequence[str]) -> bytes:
        """The model with these outputs."""
        self._graph.outputs = [self._tensors[end] for end in ends]
        content = sum(len(buffer.data) for buffer in self._model.buffers[1:])
        builder = flatbuffers.Builder(content + _MARGIN)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _code(self, kind: int) -> int:
        """The index of a kind of operator among those of the model."""
        codes = self._model.operatorCodes
        for index, code in enumerate(codes):
            if code.builtinCode == kind:
                return index
        code = tflite.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = _VERSIONS.get(kind, 1)
        codes.append(code)
        return len(codes) - 1

    def _tensor(self, shape: Sequence[int], buffer: int = 0, is_float: bool = True) -> int:
        """Add a tensor; its index."""
        tensor = tflite.TensorT()
        tensor.shape, tensor.buffer = list(shape), buffer
        tensor.type = tflite.TensorType.FLOAT32 if is_float else tflite.TensorType.INT32
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(self, values: Array) -> int:
        """Add a tensor with content; its index."""
        buffer = tflite.BufferT()
        buffer.data = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self._model.buffers.append(buffer)
        return self._tensor(values.shape, len(self._model.buffers) - 1, values.dtype != np.int32)
