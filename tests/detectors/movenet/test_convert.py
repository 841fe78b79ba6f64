"""A small graph of TensorFlow.js's kinds of nodes, run by LiteRT and, independently, by torch."""

import base64
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.types import Array
from detectors.blazepose.networks.models import Network
from detectors.movenet.convert import read_weights, to_tflite


def as_stored(weights: dict[str, Array]) -> tuple[dict[str, Any], bytes]:
    """A graph's account of its constants, and their file: numbers in half precision, counts not."""
    entries, content = [], b""
    for name, values in weights.items():
        entry: dict[str, Any] = {
            "name": name,
            "shape": list(values.shape),
            "dtype": str(values.dtype),
        }
        if values.dtype == np.float32:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            values = values.astype("<f2")
        entries.append(entry)
        content += values.tobytes()
    return {"weightsManifest": [{"paths": ["made.bin"], "weights": entries}]}, content


def node(op: str, name: str, *inputs: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes}


def convolution(op: str, name: str, *inputs: str, stride: int, fused: str = "") -> dict[str, Any]:
    def text(value: str) -> str:
        return base64.b64encode(value.encode()).decode()

    padding = {"s": text("SAME")}
    strides = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
    more = {"fused_ops": {"list": {"s": [text("BiasAdd"), text(fused)]}}} if fused else {}
    return node(op, name, *inputs, padding=padding, strides=strides, **more)


@pytest.fixture
def weights() -> dict[str, Array]:
    rng = np.random.default_rng(1)
    made = {
        "first": rng.normal(0, 0.3, (3, 3, 3, 8)),
        "first_bias": rng.normal(0, 1, 8),
        "deep": rng.normal(0, 0.3, (3, 3, 8, 1)),
        "deep_bias": rng.normal(0, 1, 8),
        "plain": rng.normal(0, 0.3, (3, 3, 8, 1)),
    }
    halves = {name: values.astype(np.float16) for name, values in made.items()}
    floats = {name: values.astype(np.float32) for name, values in halves.items()}
    return {**floats, "size": np.array([16, 16], np.int32)}


def test_a_graph_gives_the_same_in_tflite(weights: dict[str, Array]) -> None:
    """Strides, activations, each channel by itself with and without bias, sums, enlargement."""
    graph, content = as_stored(weights)
    constants = [{"name": name, "op": "Const"} for name in weights]
    nodes = [
        convolution("_FusedConv2D", "a", "start", "first", "first_bias", stride=2, fused="Relu6"),
        node("AddV2", "sum", "up", "c"),  # stored before what it needs
        convolution(
            "FusedDepthwiseConv2dNative", "b", "a", "deep", "deep_bias", stride=2, fused="Relu"
        ),
        node("ResizeBilinear", "up", "b", "size", half_pixel_centers={"b": True}),
        convolution("DepthwiseConv2dNative", "c", "a", "plain", stride=1),
        node("Sqrt", "after", "sum"),
    ]
    graph = {"modelTopology": {"node": constants + nodes}, **graph}
    model = to_tflite(graph, read_weights(graph, content), "start", ("sum", "b"), 32)
    picture = np.random.default_rng(2).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    found = Network(model, 1)(picture)

    def kernel(name: str, *order: int) -> torch.Tensor:
        return torch.from_numpy(weights[name].transpose(order).copy())

    def bias(name: str) -> torch.Tensor:
        return torch.from_numpy(weights[name])

    x = torch.from_numpy(picture).permute(0, 3, 1, 2)
    # Of an even side, TensorFlow pads what a stride of 2 needs behind.
    a = functional.conv2d(functional.pad(x, (0, 1, 0, 1)), kernel("first", 3, 2, 0, 1), None, 2)
    a = (a + bias("first_bias")[:, None, None]).clamp(0, 6)
    b = functional.conv2d(
        functional.pad(a, (0, 1, 0, 1)), kernel("deep", 2, 3, 0, 1), bias("deep_bias"), 2, groups=8
    ).relu()
    c = functional.conv2d(a, kernel("plain", 2, 3, 0, 1), None, 1, 1, groups=8)
    up = functional.interpolate(b, scale_factor=2, mode="bilinear", align_corners=False)
    for output, wanted in zip(found, (up + c, b), strict=True):
        assert np.allclose(output, wanted.permute(0, 2, 3, 1).numpy(), atol=1e-4)


def test_constants_are_read_one_behind_the_other(weights: dict[str, Array]) -> None:
    read = read_weights(*as_stored(weights))
    assert all(np.array_equal(read[name], weights[name]) for name in weights)
    assert read["first"].dtype == np.float32
