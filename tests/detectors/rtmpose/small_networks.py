"""ONNX files of the signature that rtmlib's have, small enough to be made by a test.

The finder sees a person in each half of the picture where something is red; the keypoint network
puts the joints at fixed shares of its crop, with scores that depend on the crop's colour.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.skeletons import COCO_17, HALPE_26, Skeleton
from core.types import Picture
from weights.store import read_manifest

needs_rtmlib = pytest.mark.skipif(
    not all(map(find_spec, ("rtmlib", "onnxruntime", "onnx"))),
    reason="rtmlib, onnxruntime and onnx are not all installed here",
)

FINDER, POSE = 416, (192, 256)
"""The input sizes in mode lightweight, px: a square; width, height."""

STANDING = {
    "nose": (0.50, 0.14), "eye": (0.03, 0.12), "ear": (0.06, 0.13), "shoulder": (0.14, 0.25),
    "elbow": (0.18, 0.38), "wrist": (0.19, 0.5), "hip": (0.09, 0.53), "knee": (0.1, 0.7),
    "ankle": (0.1, 0.88), "head": (0.5, 0.1), "neck": (0.5, 0.22), "big_toe": (0.13, 0.91),
    "small_toe": (0.15, 0.91), "heel": (0.1, 0.9),
}  # fmt: skip
"""Joint → x and y in shares of the crop: from its left edge, or to either side of the middle."""


def standing(skeleton: Skeleton) -> np.ndarray:
    """The joints (K, 2) of someone who faces the camera, in shares of the crop."""
    shares = []
    for joint in skeleton.joints:
        side, _, name = joint.partition("_")
        if side in ("left", "right"):
            x, y = STANDING[name]
            shares.append((0.5 + (x if side == "left" else -x), y))
        else:
            shares.append(STANDING.get(joint, (0.5, 0.53)))
    return np.array(shares)


def write_networks(cache: Path, kind: str = "body") -> None:
    """Write both networks of mode lightweight to where the store looks for them."""
    import onnx

    cache.mkdir(exist_ok=True)
    skeleton = COCO_17 if kind == "body" else HALPE_26
    entries, name = read_manifest(), kind.replace("_", "-")
    onnx.save(finder(), cache / entries["rtmpose-finder-lightweight"].file)
    onnx.save(keypoints(skeleton), cache / entries[f"rtmpose-{name}-lightweight"].file)


def finder() -> Any:
    """Input (1, 3, H, W), BGR 0…255 → dets (1, N, 5) boxes and scores, labels (1, N)."""
    graph = Graph()
    graph.add("Split", "input", "blue", "green", "red", axis=1, num_outputs=3)
    graph.add("Sub", "red blue", "difference")
    graph.add("Greater", ("difference", graph.constant(100.0)), "bool")
    graph.add("Cast", "bool", "mask", to=1)
    half = FINDER // 2
    graph.add("Split", "mask", "half0", "half1", axis=3, num_outputs=2)
    for i in range(2):
        for axis, other, edge in (("x", 2, "left"), ("y", 3, "top")):
            # How much of a column (row) is red, then the first and the last that is.
            graph.add(
                "ReduceMax", (f"half{i}", graph.constant([1, other])), f"{axis}{i}", keepdims=0
            )
            shift = graph.constant(float(half * i) if axis == "x" else 0.0)
            for last in (0, 1):
                end = f"{edge}{last}{i}"
                graph.add("ArgMax", f"{axis}{i}", f"i{end}", axis=1, select_last_index=last)
                graph.add("Cast", f"i{end}", f"f{end}", to=1)
                graph.add("Add", (f"f{end}", shift), end)
        graph.add("ReduceMax", (f"half{i}", graph.constant([1, 2, 3])), f"any{i}", keepdims=0)
        graph.add("Reshape", (f"any{i}", graph.constant([1, 1])), f"found{i}")
        graph.add("Mul", (f"found{i}", graph.constant(0.9)), f"score{i}")
        parts = (f"left0{i}", f"top0{i}", f"left1{i}", f"top1{i}", f"score{i}")
        graph.add("Concat", parts, f"row{i}", axis=1)
        graph.add("Reshape", (f"row{i}", graph.constant([1, 1, 5])), f"det{i}")
    graph.add("Concat", "det0 det1", "dets", axis=1)
    graph.add("Identity", graph.constant([[0, 0]]), "labels")
    return graph.model((3, FINDER, FINDER), {"dets": 1, "labels": 7})


def keypoints(skeleton: Skeleton) -> Any:
    """Input (1, 3, H, W), normalised → simcc_x (1, K, 2 W) and simcc_y (1, K, 2 H).

    The peaks are a factor of the joint times the crop's mean in the last channel, moved to be
    positive: some above 1. The last of COCO's joints has none.
    """
    graph, (width, height) = Graph(), POSE
    factor = np.linspace(0.3, 0.8, len(skeleton))
    factor[skeleton.index(COCO_17.joints[-1])] = 0
    graph.add("Split", "input", "c0", "c1", "c2", axis=1, num_outputs=3)
    graph.add("ReduceMean", ("c2", graph.constant([1, 2, 3])), "mean", keepdims=0)
    graph.add("Add", ("mean", graph.constant(2.0)), "level")
    for axis, size, shares in zip("xy", (width, height), standing(skeleton).T, strict=True):
        cells = np.round(2 * size * shares).astype(int)
        template = factor[:, None] * np.eye(2 * size)[cells]
        graph.add("Mul", (graph.constant(template[None]), "level"), f"simcc_{axis}")
    return graph.model((3, height, width), {"simcc_x": 1, "simcc_y": 1})


class Graph:
    """An ONNX graph under construction."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(
        self, operator: str, inputs: str | tuple[str, ...], *outputs: str, **attributes: Any
    ) -> None:
        """Add an operator; several inputs are separated by blanks, or a tuple."""
        from onnx import helper

        names = inputs.split() if isinstance(inputs, str) else inputs
        self._nodes.append(helper.make_node(operator, names, outputs, **attributes))

    def constant(self, value: Any) -> str:
        """Add a constant, and return its name."""
        from onnx import numpy_helper

        array = np.asarray(value)
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def model(self, input_shape: tuple[int, ...], outputs: dict[str, int]) -> Any:
        """The model with one input (1, …), and outputs of some element types."""
        from onnx import helper

        given = [helper.make_tensor_value_info("input", 1, (1, *input_shape))]
        gives = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()]
        graph = helper.make_graph(self._nodes, "small", given, gives, self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def two_people(frame: int = 0, size: tuple[int, int] = (320, 240)) -> Picture:
    """A picture of two red figures that walk to the right, and a blue one, whom nobody sees."""
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    for x, top in ((20 + 2 * frame, 60), (200 + 2 * frame, 90)):
        picture[top : top + 120, x : x + 40] = (230, 20, 10)
    picture[60:200, 145:155] = (10, 20, 230)
    return picture
