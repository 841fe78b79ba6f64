"""A person finder of its own: boxes of people in a square picture, whatever they do in it.

SSD on MobileNetV2, trained on Open Images: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV
2016, arXiv:1512.02325; Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381. The anchors and
the coding of boxes are those of the graph published with it (MediaPipe's object detection for
Objectron), which are those of TensorFlow's SSD.
"""

import math
from pathlib import Path

import cv2
import numpy as np

from core.types import Floats, Picture
from detectors.blazepose.networks.models import Network, iou, sigmoid
from detectors.blazepose.networks.region import Region

SIZE = 300
PERSON = 4
"""The class, of 24; 0 is background."""
STRIDES = (16, 32, 64, 128, 256, 512)
SCALES = (0.2, 0.95)
"""Sides of the first and the last layer's anchors, in 0…1; those between lie evenly."""
ASPECTS = (1.0, 2.0, 1 / 2, 3.0, 1 / 3)
CENTRE_CODE, SIZE_CODE = 10.0, 5.0
"""What the network gives is so many times the centre's offset in anchor sizes, and ln of sizes."""
SMALL_SIDE = 0.35
"""Up to which, in the frame's shorter side, a window is small: people in it are far away."""
MIN_SCORE, MIN_SCORE_SMALL = 0.35, 0.2
"""The least score of a box, and that in small windows."""
MIN_SIDE_PX = 35
"""The least longer side of a box in a small window: no pose can be told of who is smaller."""
EDGE = 0.01
"""A box that comes nearer to its window's border, in the window's side, is cut by it."""
MAX_IOU = 0.5
"""Of two boxes that overlap more, the one with the lower score is dropped."""


class BoxFinder:
    """A square window of a frame → boxes of people.

    Args:
        model: The network's file.
        num_threads: LiteRT's threads.
    """

    def __init__(self, model: Path, num_threads: int) -> None:
        self._network = Network(model.read_bytes(), num_threads)
        self._anchors = anchors()

    def find(self, rgb: Picture, window: Region) -> Floats:
        """Find people in an upright window of a frame.

        Args:
            rgb: (H, W, 3) the frame.
            window: The part of it to search.

        Returns:
            (N, 4) the people's boxes, x0 y0 x1 y1 px, by falling score.
        """
        picture = window.crop(rgb, SIZE, cv2.BORDER_CONSTANT).astype(np.float32) / 127.5 - 1
        codes, logits = self._network(picture[None])
        scores = sigmoid(logits[0, :, PERSON])
        is_small = window.side <= SMALL_SIDE * min(rgb.shape[:2])
        likely = scores >= (MIN_SCORE_SMALL if is_small else MIN_SCORE)
        boxes, scores = decode(codes[0, likely], self._anchors[likely]), scores[likely]
        corner = np.array([window.x, window.y]) - window.side / 2
        in_frame = boxes[suppressed(boxes, scores)] * window.side + np.tile(corner, 2)
        size = np.array(rgb.shape[1::-1])
        least = MIN_SIDE_PX if is_small else 0
        whole = [
            not is_cut(box, corner, window.side, size) and (box[2:] - box[:2]).max() >= least
            for box in in_frame
        ]
        inside: Floats = np.clip(in_frame[whole], 0, np.tile(size, 2))
        return inside


def is_cut(box: Floats, corner: Floats, side: float, size: Floats) -> bool:
    """Whether a box ends where its window does, inside the frame: it holds part of a person.

    Args:
        box: (4,) x0 y0 x1 y1 px.
        corner: (2,) px, the window's top left.
        side: The window's, px.
        size: (2,) px, the frame's width and height.
    """
    margin = EDGE * side
    before = (box[:2] < corner + margin) & (corner > 0)
    after = (box[2:] > corner + side - margin) & (corner + side < size)
    return bool((before | after).any())


def anchors() -> Floats:
    """The network's anchors, layer by layer, row by row.

    A layer of side s has boxes of width s √a and height s / √a for each aspect a, and a square one
    between its side and the next layer's, √(s s'). The first layer has three: a smaller square, and
    the aspects 2 and ½.

    Returns:
        (1917, 4) centre x, y, width, height in 0…1.
    """
    sides = [*np.linspace(*SCALES, len(STRIDES)), 1.0]
    layers = []
    for layer, stride in enumerate(STRIDES):
        side, between = sides[layer], math.sqrt(sides[layer] * sides[layer + 1])
        shapes = [(side, aspect) for aspect in ASPECTS] + [(between, 1.0)]
        if layer == 0:
            shapes = [(side / 2, 1.0), (side, 2.0), (side, 1 / 2)]
        extents = np.array([(s * math.sqrt(a), s / math.sqrt(a)) for s, a in shapes])
        cells = math.ceil(SIZE / stride)
        middles = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(middles, middles, indexing="ij")
        centres = np.repeat(np.stack([x.ravel(), y.ravel()], 1), len(shapes), axis=0)
        layers.append(np.concatenate([centres, np.tile(extents, (cells**2, 1))], axis=1))
    return np.concatenate(layers)


def decode(codes: Floats, boxes: Floats) -> Floats:
    """Decode boxes, which are relative to anchors.

    Args:
        codes: (N, 4) the network's: centre y, x, ln of height, of width.
        boxes: (N, 4) the anchors: centre x, y, width, height.

    Returns:
        (N, 4) x0 y0 x1 y1 in the anchors' unit.
    """
    y, x, height, width = codes.T.astype(np.float64)
    extent = boxes[:, 2:] * np.exp(np.stack([width, height], 1) / SIZE_CODE)
    centre = boxes[:, :2] + np.stack([x, y], 1) / CENTRE_CODE * boxes[:, 2:]
    return np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)


def suppressed(boxes: Floats, scores: Floats) -> list[int]:
    """Greedy non-maximum suppression: the rows of (N, 4) that are kept, by falling score (N,)."""
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if not kept or iou(boxes[row], boxes[kept]).max() <= MAX_IOU:
            kept.append(row)
    return kept
