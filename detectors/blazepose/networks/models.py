"""BlazePose's two networks: regions of people, and the landmarks of one person.

Outside, they take frames and give numpy arrays in frame pixels. Bazarevsky et al., "BlazePose:
On-device Real-time Body Pose Tracking", 2020 (arXiv:2006.10204); the numbers are those of the
graphs published with the models (MediaPipe 0.10.21: `pose_detection_cpu`,
`pose_landmark_by_roi_cpu`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from core.skeletons import BLAZEPOSE_33
from core.types import Array, Floats
from detectors.blazepose.networks.graph import without_output
from detectors.blazepose.networks.region import Region

FINDER_SIZE = 224
MIN_SCORE = 0.5
"""The finder's least score of a candidate."""
LANDMARK_SIZE = 256
LANDMARKS = 39
"""33 of the body, the middle of the hips, a point above it at the body's radius, and 4 that only
training used."""

HIPS, RADIUS = 33, 34
HIP_JOINTS = BLAZEPOSE_33.indices(("left_hip", "right_hip"))
SHOULDER_JOINTS = BLAZEPOSE_33.indices(("left_shoulder", "right_shoulder"))
EAR_JOINTS = BLAZEPOSE_33.indices(("left_ear", "right_ear"))
LIMB_ENDS = [
    (joint, parent)
    for joint, parent in enumerate(BLAZEPOSE_33.parents)
    if joint >= BLAZEPOSE_33.index("left_elbow")
]
"""The ends of the bones of arms, hands, legs and feet."""
PAINTED = 0.45
"""How thick a body's limbs are painted, in the torso's length."""
GREY = (128, 128, 128)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """One person as the landmark model sees them.

    presence: Probability that there is a person.
    xy: (39, 2) frame px.
    visibility: (39,) probability that a point is in the picture and not hidden.
    metres: (39, 3) camera axes, from the middle of the hips.
    region: Where to look for the person in the next frame.
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

    def find(self, rgb: NDArray[np.uint8], window: Region) -> list[Region]:
        """Find people in a window of a frame; best those who stand upright in it.

        Args:
            rgb: (H, W, 3) the frame.
            window: The part of it to search.

        Returns:
            The people's regions, by falling score.
        """
        picture = window.crop(rgb, FINDER_SIZE, cv2.BORDER_CONSTANT).astype(np.float32) / 127.5 - 1
        raw, logits = self._network(picture[None])
        scores = sigmoid(logits[0, :, 0])
        likely = scores >= MIN_SCORE
        boxes = weighted_suppression(
            decode_boxes(raw[0, likely], self._anchors[likely]), scores[likely]
        )
        to_frame = window.to_frame()
        points = boxes[:, 4:].reshape(-1, 4, 2) @ to_frame[:, :2].T + to_frame[:, 2]
        return [Region.around(hips, radius) for hips, radius, *_ in points]


class LandmarkModel:
    """The landmark network: a region of a frame → one person's landmarks."""

    def __init__(self, model: Path, num_threads: int) -> None:
        # Output tensors by index: 0 landmarks, 1 presence, 2 segmentation, 3 heatmap, 4 metres.
        # The segmentation mask is a third of the work.
        self._network = Network(without_output(model.read_bytes(), 2), num_threads)
        self.prepare = self._network.prepare

    def __call__(
        self, rgb: NDArray[np.uint8], region: Region, besides: Sequence[Landmarks] = ()
    ) -> Landmarks:
        """Find the landmarks of the person in a region of a frame.

        Args:
            rgb: (H, W, 3) the frame.
            region: Where the person is.
            besides: Other people, who are painted out: the model sees one person in a crop, and
                without that it may give somebody the limbs of whoever stands before them.
        """
        crop = region.crop(rgb, LANDMARK_SIZE, cv2.BORDER_REPLICATE)
        for other in besides:
            paint_out(crop, region.to_region(other.xy) * LANDMARK_SIZE)
        picture = crop.astype(np.float32) / 255
        raw, presence, heatmap, metres = self._network(picture[None])
        # A row is x, y, z in px of the crop, then logits of visibility and presence.
        points = raw.reshape(LANDMARKS, 5)
        to_frame = region.to_frame()
        xy = refine(points[:, :2] / LANDMARK_SIZE, heatmap[0]) @ to_frame[:, :2].T + to_frame[:, 2]
        # The network's axes are the crop's: x and y are turned back to the frame's.
        world = metres.reshape(LANDMARKS, 3).astype(np.float64)
        world[:, :2] = world[:, :2] @ to_frame[:, :2].T / region.side
        world -= world[HIP_JOINTS].mean(0)
        return Landmarks(
            presence.item(), xy, sigmoid(points[:, 3]), world, region.toward(xy[HIPS], xy[RADIUS])
        )


def paint_out(picture: NDArray[np.uint8], xy: Floats) -> None:
    """Paint a body grey: torso, head, and limbs that are as thick as half a torso is long.

    Args:
        picture: (S, S, 3) what is changed.
        xy: (39, 2) px, the body's landmarks in it.
    """
    shoulders, hips, ears = (xy[pair] for pair in (SHOULDER_JOINTS, HIP_JOINTS, EAR_JOINTS))
    torso = float(np.linalg.norm(shoulders.mean(0) - hips.mean(0)))
    # Far outside, points would not fit the drawing's integers.
    points = np.clip(xy, -4 * LANDMARK_SIZE, 5 * LANDMARK_SIZE).round().astype(int)
    thickness = max(round(min(torso, LANDMARK_SIZE) * PAINTED), 1)
    for a, b in LIMB_ENDS:
        cv2.line(picture, points[a].tolist(), points[b].tolist(), GREY, thickness)
    cv2.fillPoly(picture, [points[[*SHOULDER_JOINTS, *HIP_JOINTS[::-1]]]], GREY)
    head = np.clip(ears.mean(0), -4 * LANDMARK_SIZE, 5 * LANDMARK_SIZE).round().astype(int)
    cv2.circle(picture, head.tolist(), thickness, GREY, -1)


class Network:
    """A TFLite model with one input, run by LiteRT with XNNPACK.

    It may be called by several threads at once: there is an interpreter for each of them.
    """

    def __init__(self, content: bytes, num_threads: int) -> None:
        self._content, self._num_threads = content, num_threads
        self._idle: SimpleQueue[Interpreter] = SimpleQueue()
        interpreter = self._another()
        self._input = interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in interpreter.get_output_details()]
        self._idle.put(interpreter)

    def _another(self) -> Interpreter:
        interpreter = Interpreter(model_content=self._content, num_threads=self._num_threads)
        interpreter.allocate_tensors()
        return interpreter

    def prepare(self, at_once: int) -> None:
        """Get ready for so many calls at once, before they come."""
        ready = [self._another() for _ in range(at_once - self._idle.qsize())]
        for interpreter in ready:
            self._idle.put(interpreter)

    def __call__(self, picture: Floats) -> list[Floats]:
        """Run on one (1, S, S, 3) float32 picture; returns the outputs in the model's order."""
        try:
            interpreter = self._idle.get_nowait()
        except Empty:
            interpreter = self._another()
        interpreter.set_tensor(self._input, picture)
        interpreter.invoke()
        outputs = [interpreter.get_tensor(index) for index in self._outputs]
        self._idle.put(interpreter)
        return outputs


def anchors() -> Floats:
    """The finder's anchors.

    Returns:
        (2254, 2) centres x, y in 0…1: strides 8, 16 and 32 with 2, 2 and 6 in each cell, by row.
    """
    centres = []
    for stride, repeats in ((8, 2), (16, 2), (32, 6)):
        middles = (np.arange(FINDER_SIZE // stride) + 0.5) * stride / FINDER_SIZE
        y, x = np.meshgrid(middles, middles, indexing="ij")
        centres.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), repeats, axis=0))
    return np.concatenate(centres)


def decode_boxes(raw: Floats, centres: Floats) -> Floats:
    """Decode the finder's boxes, which are relative to anchors.

    Args:
        raw: (N, 12) px of the window: offset of the box's centre, its size, offsets of four points.
        centres: (N, 2) the anchors' centres in 0…1.

    Returns:
        (N, 12) in 0…1 of the window: corners x0 y0 x1 y1, then four points x y: the middle of the
        hips, the body's radius, the middle of the shoulders, the upper body's radius.
    """
    values = (raw / FINDER_SIZE).reshape(-1, 6, 2).astype(np.float64)
    centre, extent = values[:, 0] + centres, values[:, 1]
    points = values[:, 2:] + centres[:, None]
    return np.concatenate([centre - extent / 2, centre + extent / 2, points.reshape(-1, 8)], axis=1)


def weighted_suppression(boxes: Floats, scores: Floats, min_iou: float = 0.3) -> Floats:
    """Non-maximum suppression by blending: overlapping boxes become their weighted mean.

    Greedy: of the boxes left, the best b₁ and all that overlap it, IoU(b₁, bᵢ) > min_iou, become
    Σ sᵢ bᵢ / Σ sᵢ. Bazarevsky et al., "BlazeFace", 2019, arXiv:1907.05047, section 3.4.

    Args:
        boxes: (N, 4 + …), corners first.
        scores: (N,) s.
        min_iou: The overlap from which boxes are of one person.

    Returns:
        (M, 4 + …), by falling score of the best of each.
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
    """Intersection over union of one box (4, …) with boxes (N, 4 + …), corners first: (N,)."""
    overlap = np.clip(
        np.minimum(box[2:4], boxes[:, 2:4]) - np.maximum(box[:2], boxes[:, :2]), 0, None
    ).prod(1)
    area = np.prod(box[2:4] - box[:2])
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    result: Floats = overlap / np.maximum(area + areas - overlap, 1e-12)
    return result


def refine(xy: Floats, heatmap: Floats, kernel: int = 7, min_confidence: float = 0.5) -> Floats:
    """Move points to the centroid of the heatmap around them, where its peak is confident.

    x ← Σ w(c) c / Σ w(c) over the cells c of a window around x, w = sigmoid(heatmap). As in the
    published graph, a cell counts by its index and not its middle: mirrored crops agree best so.

    Args:
        xy: (K, 2) points in 0…1 of the crop.
        heatmap: (H, W, K) logits.
        kernel: The window's side in cells.
        min_confidence: Points stay where no cell of their window has this weight, and outside.

    Returns:
        (K, 2) points in 0…1.
    """
    height, width, count = heatmap.shape
    # The cells of each point's window: indices (K, kernel), and whether they are on the heatmap.
    centre = np.floor(xy * (width, height)).astype(int)
    span = np.arange(kernel) - kernel // 2
    column, row = centre[:, :1] + span, centre[:, 1:] + span
    inside = ((row >= 0) & (row < height))[:, :, None] & ((column >= 0) & (column < width))[:, None]
    logits = heatmap[
        row.clip(0, height - 1)[:, :, None],
        column.clip(0, width - 1)[:, None],
        np.arange(count)[:, None, None],
    ]
    # w(c) as (K, rows, columns), and its centroid in 0…1.
    weight = np.where(inside, sigmoid(logits), 0)
    total = weight.sum((1, 2)).clip(1e-12)
    moved_x = (weight.sum(1) * column).sum(1) / total / width
    moved_y = (weight.sum(2) * row).sum(1) / total / height
    confident = inside[:, kernel // 2, kernel // 2] & (weight.max((1, 2)) >= min_confidence)
    return np.where(confident[:, None], np.stack([moved_x, moved_y], axis=1), xy)


def sigmoid(logits: Array) -> Floats:
    """Logits → 0…1."""
    result: Floats = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return result
