"""BlazePose's two networks: where people are, and the points of one person. Numpy and frame pixels outside.

Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020 (arXiv:2006.10204); the numbers are those
of the graphs published with the models (MediaPipe 0.10.21: `pose_detection_cpu`, `pose_landmark_by_roi_cpu`).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from core.skeletons import BLAZEPOSE_33
from core.types import Array, Floats

FINDER_SIZE = 224
LANDMARK_SIZE = 256
LANDMARKS = 39
"""33 of the body, the middle of the hips, a point above it at the body's radius, and 4 that only training used."""

HIPS, RADIUS = 33, 34
HIP_JOINTS = BLAZEPOSE_33.indices(("left_hip", "right_hip"))
REGION_MARGIN = 1.25
"""A region's half side over the body's radius, as in training."""
STEADY, RESPONSE = 0.2, 10.0
"""A region goes this part of the way to its person's new place, and more with the way over its side (measured: a
second difference of the landmarks 12 % smaller than without, and closer to those of the published graph)."""


@dataclass(frozen=True)
class Region:
    """A square that holds a person: centre (the middle of the hips) and side in px, and how far it is turned.

    `angle` radians from x towards y: 0 where the person's head is up in the picture.
    """

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(cls, hips: Floats, radius_point: Floats) -> "Region":
        """The region of a body from the middle of its hips (2,) px and a point (2,) px towards its head, at radius."""
        right, up = float(radius_point[0] - hips[0]), float(hips[1] - radius_point[1])
        side = 2 * REGION_MARGIN * math.hypot(right, up)
        return cls(float(hips[0]), float(hips[1]), max(side, 1.0), math.atan2(right, up))

    def to_frame(self) -> Floats:
        """(2, 3): takes a point of the region, 0…1 across and down, to frame px."""
        c, s = self.side * math.cos(self.angle), self.side * math.sin(self.angle)
        return np.array([[c, -s, self.x - (c - s) / 2], [s, c, self.y - (s + c) / 2]])

    def toward(self, hips: Floats, radius_point: Floats) -> "Region":
        """This region moved towards `around(hips, radius_point)`: the whole way, or less where that is near.

        The landmarks tremble less in a crop that does not; the published graph has a One-Euro filter for it.
        """
        up = self.side / 2 / REGION_MARGIN * np.array([math.sin(self.angle), -math.cos(self.angle)])
        centre = np.array([self.x, self.y])
        old = np.stack([centre, centre + up])
        step = np.stack([hips, radius_point]) - old
        part = min(1.0, STEADY + RESPONSE * float(np.linalg.norm(step, axis=1).max()) / self.side)
        return Region.around(*(old + part * step))

    def distance(self, other: "Region") -> float:
        """Between the centres, px."""
        return math.hypot(self.x - other.x, self.y - other.y)

    def crop(self, rgb: NDArray[np.uint8], size: int, border: int) -> NDArray[np.uint8]:
        """The region of a frame (H, W, 3) as an upright picture (size, size, 3); `border` is OpenCV's, beyond it."""
        matrix = self.to_frame()
        for _ in range(math.ceil(math.log2(max(self.side / size / 4, 1)))):
            # Each pixel of the crop looks at 2 x 2 of the frame: from a much larger one it would miss most.
            height, width = rgb.shape[:2]
            rgb = cv2.resize(rgb, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
            matrix *= np.array([[width // 2 / width], [height // 2 / height]])
        # OpenCV counts from pixel centres, the shared words from pixel corners: half a pixel in both pictures.
        matrix[:, :2] /= size
        matrix[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop: NDArray[np.uint8] = cv2.warpAffine(
            rgb, matrix, (size, size), flags=flags, borderMode=border
        )
        return crop


@dataclass(frozen=True)
class Landmarks:
    """One person as the landmark model sees them.

    presence 0…1 that there is a person; xy (39, 2) frame px; visibility (39,) 0…1 in the picture and not hidden;
    metres (39, 3) camera axes, from the middle of the hips; region where to look for them next.
    """

    presence: float
    xy: Floats
    visibility: Floats
    metres: Floats
    region: Region


class PersonFinder:
    """The person detector: a square picture → regions of people."""

    def __init__(self, model: Path, num_threads: int) -> None:
        self._network = Network(model.read_bytes(), num_threads)
        self._anchors = anchors()

    def find(self, rgb: NDArray[np.uint8], window: Region, min_score: float) -> list[Region]:
        """The people in a window of a frame (H, W, 3), surest first; best where they stand upright in it."""
        picture = window.crop(rgb, FINDER_SIZE, cv2.BORDER_CONSTANT).astype(np.float32) / 127.5 - 1
        raw, logits = self._network(picture[None])
        scores = sigmoid(logits[0, :, 0])
        likely = scores >= min_score
        boxes = weighted_suppression(
            decode_boxes(raw[0, likely], self._anchors[likely]), scores[likely]
        )
        to_frame = window.to_frame()
        points = boxes[:, 4:].reshape(-1, 4, 2) @ to_frame[:, :2].T + to_frame[:, 2]
        return [Region.around(hips, radius) for hips, radius, *_ in points]


class LandmarkModel:
    """The landmark network: a region of a frame → one person's points."""

    def __init__(self, model: Path, num_threads: int) -> None:
        # Tensors by place: landmarks, presence, segmentation, heatmap, metres. The mask is a third of the work.
        self._network = Network(without_output(model.read_bytes(), 2), num_threads)

    def __call__(self, rgb: NDArray[np.uint8], region: Region) -> Landmarks:
        """The person in a region of a frame (H, W, 3)."""
        picture = region.crop(rgb, LANDMARK_SIZE, cv2.BORDER_REPLICATE).astype(np.float32) / 255
        raw, presence, heatmap, metres = self._network(picture[None])
        points = raw.reshape(
            LANDMARKS, 5
        )  # x, y, z px of the crop; logits of visibility and presence
        to_frame = region.to_frame()
        xy = refine(points[:, :2] / LANDMARK_SIZE, heatmap[0]) @ to_frame[:, :2].T + to_frame[:, 2]
        world = metres.reshape(LANDMARKS, 3).astype(np.float64)
        world[:, :2] = world[:, :2] @ to_frame[:, :2].T / region.side
        world -= world[HIP_JOINTS].mean(0)
        return Landmarks(
            presence.item(), xy, sigmoid(points[:, 3]), world, region.toward(xy[HIPS], xy[RADIUS])
        )


class Network:
    """A TFLite model with one input, run by LiteRT with XNNPACK."""

    def __init__(self, content: bytes, num_threads: int) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=num_threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def __call__(self, picture: Floats) -> list[Floats]:
        """Run on one (1, S, S, 3) float32 picture; the outputs in the model's order."""
        self._interpreter.set_tensor(self._input, picture)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def without_output(content: bytes, place: int) -> bytes:
    """A TFLite model without one of its outputs and without the operators that only this one needed."""
    model = schema.ModelT.InitFromPackedBuf(content)
    graph = model.subgraphs[0]
    graph.outputs = np.delete(graph.outputs, place)
    needed, kept = set(graph.outputs), []
    for operator in reversed(graph.operators):  # TFLite stores them in an order of execution
        if needed & set(operator.outputs):
            needed |= set(operator.inputs)
            kept.append(operator)
    graph.operators = kept[::-1]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def anchors() -> Floats:
    """(2254, 2) anchor centres x, y in 0…1: strides 8, 16 and 32, with 2, 2 and 6 at each place, by row."""
    centres = []
    for stride, repeats in ((8, 2), (16, 2), (32, 6)):
        steps = (np.arange(FINDER_SIZE // stride) + 0.5) * stride / FINDER_SIZE
        y, x = np.meshgrid(steps, steps, indexing="ij")
        centres.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), repeats, axis=0))
    return np.concatenate(centres)


def decode_boxes(raw: Floats, centres: Floats) -> Floats:
    """(N, 12) raw → (N, 12) in 0…1 of the window: corners x0 y0 x1 y1, then four points x y.

    The points: middle of the hips, the body's radius, middle of the shoulders, the upper body's radius.
    """
    values = (raw / FINDER_SIZE).reshape(-1, 6, 2).astype(np.float64)
    centre, extent = values[:, 0] + centres, values[:, 1]
    points = values[:, 2:] + centres[:, None]
    return np.concatenate([centre - extent / 2, centre + extent / 2, points.reshape(-1, 8)], axis=1)


def weighted_suppression(boxes: Floats, scores: Floats, min_iou: float = 0.3) -> Floats:
    """Merge boxes (N, 4 + …), corners first, that overlap the best one into their mean weighted by score (N,).

    Returns (M, 4 + …), best first (Bazarevsky et al., "BlazeFace", 2019, arXiv:1907.05047, section 3.4).
    """
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    merged = np.empty((0, boxes.shape[1]))
    while len(boxes):
        group = iou(boxes[0], boxes) > min_iou
        group[0] = True  # an empty box overlaps nothing, not even itself
        merged = np.vstack([merged, np.average(boxes[group], axis=0, weights=scores[group])])
        boxes, scores = boxes[~group], scores[~group]
    return merged


def iou(box: Floats, boxes: Floats) -> Floats:
    """(N,) intersection over union of one box (4, …) with boxes (N, 4 + …), corners x0 y0 x1 y1."""
    overlap = np.clip(
        np.minimum(box[2:4], boxes[:, 2:4]) - np.maximum(box[:2], boxes[:, :2]), 0, None
    ).prod(1)
    area = np.prod(box[2:4] - box[:2])
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    result: Floats = overlap / np.maximum(area + areas - overlap, 1e-12)
    return result


def refine(xy: Floats, heatmap: Floats, kernel: int = 7, min_confidence: float = 0.5) -> Floats:
    """Move points (K, 2) in 0…1 to the centroid of the heatmap (H, W, K) logits around them, where it is sure.

    As in the published graph a cell counts by its index, not its middle: mirrored crops agree best so.
    """
    height, width, count = heatmap.shape
    centre = np.floor(xy * (width, height)).astype(int)
    span = np.arange(kernel) - kernel // 2
    column, row = centre[:, :1] + span, centre[:, 1:] + span  # (K, kernel)
    inside = ((row >= 0) & (row < height))[:, :, None] & ((column >= 0) & (column < width))[:, None]
    logits = heatmap[
        row.clip(0, height - 1)[:, :, None],
        column.clip(0, width - 1)[:, None],
        np.arange(count)[:, None, None],
    ]
    weight = np.where(inside, sigmoid(logits), 0)  # (K, rows, columns)
    total = weight.sum((1, 2)).clip(1e-12)
    moved_x = (weight.sum(1) * column).sum(1) / total / width
    moved_y = (weight.sum(2) * row).sum(1) / total / height
    sure = inside[:, kernel // 2, kernel // 2] & (weight.max((1, 2)) >= min_confidence)
    return np.where(sure[:, None], np.stack([moved_x, moved_y], axis=1), xy)


def sigmoid(logits: Array) -> Floats:
    """Logits → 0…1."""
    result: Floats = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return result
