"""`python -m lifter.export LIFTER OUT.onnx`: a lifting network for programs without Python.

The graph takes sequences of any length and number, as `PoseNetwork.lift_sequences` does: float32
`keypoints` (B, T, K, features), normalised, to `joints` (B, T - receptive field + 1, J, features
out). The lifter's header (skeletons, frame rate, normalization) is in its metadata, as `video3d`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import OutputError, Video3DError, WeightsError, how_to_install
from core.files import written_whole
from core.options import Parser
from core.types import Floats
from lifter.checkpoint import LifterSpec, header_text, open_lifter
from lifter.convnet import ConvNet

_OPSET = 17
_TO_THE_END = np.iinfo(np.int64).max


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = Parser(prog="python -m lifter.export", description="Write a lifter as ONNX.")
    parser.add_argument("lifter", type=Path, help="a lifter's .safetensors")
    parser.add_argument("output", type=Path, help="the .onnx to write")
    chosen = parser.parse_args(arguments)
    try:
        export_onnx(chosen.lifter, chosen.output)
    except Video3DError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def export_onnx(lifter: Path, output: Path) -> None:
    """Write a lifter's network as ONNX; whole or not at all.

    Args:
        lifter: The file of a temporal ConvNet, `.safetensors`.
        output: The file to write; one that is there is replaced.

    Raises:
        WeightsError: `lifter` is none that can be written so.
        OutputError: The library onnx is missing, or the file cannot be written.
    """
    network, spec = open_lifter(lifter)
    if not isinstance(network, ConvNet):
        raise WeightsError(
            f"{lifter}: only a temporal ConvNet in a .safetensors file can be exported"
        )
    content = _model(network, spec).SerializeToString()
    try:
        with written_whole(output) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror or error})") from error


def _model(network: ConvNet, spec: LifterSpec) -> Any:
    """The network as an `onnx.ModelProto`: a dilated convolution a layer."""
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise OutputError(
            f"it needs onnx, which is not installed: {how_to_install('onnx')}"
        ) from error

    config, graph = network.config, _Graph(helper)
    x = graph.node("Reshape", "keypoints", graph.numbers([0, 0, -1]))
    x = graph.node("Transpose", x, perm=[0, 2, 1])  # (B, K · features, T)
    x = graph.layer(x, *network.layers[0], width=config.filter_widths[0], dilation=1)
    dilation = config.filter_widths[0]
    for i, width in enumerate(config.filter_widths[1:]):
        trimmed = (width - 1) * dilation
        first = trimmed if config.causal else trimmed // 2
        limits = [first], [first - trimmed or _TO_THE_END], [2]  # start, end, axis
        residual = graph.node("Slice", x, *map(graph.numbers, limits))
        x = graph.layer(x, *network.layers[1 + 2 * i], width=width, dilation=dilation)
        x = graph.layer(x, *network.layers[2 + 2 * i], width=1, dilation=1)
        x = graph.node("Add", x, residual)
        dilation *= width
    x = graph.convolution(x, *network.shrink, width=1, dilation=1)
    x = graph.node("Transpose", x, perm=[0, 2, 1])
    shape = graph.numbers([0, 0, config.joints_out, config.features_out])
    graph.node("Reshape", x, shape, output="joints")

    sizes = {
        "keypoints": ["batch", "frames", config.joints_in, config.features_in],
        "joints": ["batch", "frames_out", config.joints_out, config.features_out],
    }
    given, made = (
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sizes[name]) for name in sizes
    )
    model = helper.make_model(
        helper.make_graph(graph.nodes, "lifter", [given], [made], graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=8,
        producer_name="video3d",
    )
    helper.set_model_props(model, {"video3d": header_text(spec)})
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants of a graph, named by their numbers."""

    def __init__(self, helper: Any) -> None:
        self._helper = helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, inputs, [output], **attributes))
        return output

    def numbers(self, values: Sequence[int] | Floats) -> str:
        """Add a constant, int64 or float32; returns its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        array = values if isinstance(values, np.ndarray) else np.array(values, np.int64)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def layer(self, x: str, weight: Floats, bias: Floats, width: int, dilation: int) -> str:
        """Add a layer of `ConvNet.layers`."""
        return self.node("Relu", self.convolution(x, weight, bias, width, dilation))

    def convolution(self, x: str, weight: Floats, bias: Floats, width: int, dilation: int) -> str:
        """Add a convolution whose weight is (width · C, C')."""
        kernel = weight.reshape(width, -1, weight.shape[1]).transpose(2, 1, 0)  # (C', C, width)
        names = self.numbers(kernel), self.numbers(bias)
        return self.node("Conv", x, *names, dilations=[dilation], kernel_shape=[width])


if __name__ == "__main__":
    sys.exit(main())
