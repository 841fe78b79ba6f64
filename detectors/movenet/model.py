"""MoveNet Thunder: one person's crop → the keypoints of COCO-17.

Votel, Li et al., "Next-Generation Pose Detection with MoveNet and TensorFlow.js", 2021; after
CenterNet, Zhou et al., "Objects as Points", 2019 (arXiv:1904.07850). The convolutions run by
LiteRT; what the published graph does with their maps is done here.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from detectors.blazepose.networks.models import Network, sigmoid
from detectors.blazepose.networks.region import Region
from detectors.movenet.convert import read_weights, to_tflite

SIZE, CELLS = 256, 64
"""The side of the input in px, and of the maps in cells."""
_GRAPH = "StatefulPartitionedCall/"
_START = _GRAPH + "sub_1"
"""The picture in -1…1."""
_HEATMAPS, _CENTRE, _FROM_CENTRE, _IN_CELL = (
    _GRAPH + node + "/BiasAdd"
    for node in (
        "kpt_heatmap_0/conv2d_5",
        "center_0/conv2d_4",
        "kpt_regress_0/conv2d_6",
        "kpt_offset_0/conv2d_7",
    )
)
_NEAR_CENTRE = "ConstantFolding/" + _GRAPH + "truediv_2_recip"
"""Weights (CELLS, CELLS) of where the person is, who is in the middle."""
_SOFTENED = 1.8
"""Cells that are added to distances from where the centre says that a keypoint is."""


class MoveNet:
    """The network: a region of a frame → one person's keypoints."""

    def __init__(self, graph: Path, constants: Path, num_threads: int) -> None:
        """Load the network.

        Args:
            graph, constants: The files of the published graph model of TensorFlow.js.
            num_threads: LiteRT's threads.
        """
        description = json.loads(graph.read_bytes())
        weights = read_weights(description, constants.read_bytes())
        ends = (_HEATMAPS, _CENTRE, _FROM_CENTRE, _IN_CELL)
        self._network = Network(to_tflite(description, weights, _START, ends, SIZE), num_threads)
        self._near_centre = weights[_NEAR_CENTRE].reshape(CELLS, CELLS)

    def __call__(self, rgb: NDArray[np.uint8], region: Region) -> Floats:
        """Find the keypoints of the person in the middle of a region of a frame (H, W, 3).

        Returns:
            (17, 2) frame px.
        """
        picture = region.crop(rgb, SIZE, cv2.BORDER_CONSTANT).astype(np.float32) / 127.5 - 1
        heatmaps, centre, from_centre, in_cell = (
            output[0] for output in self._network(picture[None])
        )
        likely = sigmoid(centre[..., 0]) * self._near_centre
        points = decode(sigmoid(heatmaps), likely, from_centre, in_cell)
        to_frame = region.to_frame()
        xy: Floats = points @ to_frame[:, :2].T + to_frame[:, 2]
        return xy


def decode(heatmaps: Floats, centre: Floats, from_centre: Floats, in_cell: Floats) -> Floats:
    """Keypoints from the network's maps of C x C cells.

    A keypoint is where its heatmap is largest, divided by the distance, softened, from where the
    person's centre expects it.

    Args:
        heatmaps: (C, C, 17) in 0…1.
        centre: (C, C) how likely the person's centre is there.
        from_centre: (C, C, 34) cells, y and x of each keypoint from a centre there.
        in_cell: (C, C, 34) cells, y and x of each keypoint in a cell.

    Returns:
        (17, 2) x and y, 0…1 of the crop.
    """
    count = len(centre)
    y, x = np.divmod(centre.argmax(), count)
    expected = from_centre[y, x].reshape(-1, 2) + np.array([y, x])
    cells = np.arange(count)
    down, across = cells[:, None, None] - expected[:, 0], cells[:, None] - expected[:, 1]
    likely = heatmaps / (np.hypot(down, across) + _SOFTENED)
    rows, columns = np.divmod(likely.reshape(count**2, -1).argmax(0), count)
    joints = np.arange(len(rows))
    offsets = in_cell[rows, columns].reshape(len(joints), -1, 2)[joints, joints]
    points: Floats = (np.stack([columns, rows], 1) + offsets[:, ::-1]) / count
    return points
