"""Frames in which copies of one random pose stand at given positions."""

import numpy as np

from core.skeletons import COCO_17
from core.types import Detections, Floats

_POSE = np.random.default_rng(0).uniform([-40, -150], [40, 150], (17, 2))


def made_frame(
    index: int, positions: list[Floats], box_scores: list[float] | None = None
) -> Detections:
    """One person at each of `positions` (2,) px; box scores are 0.9 if not given."""
    count = len(positions)
    points = np.array([_POSE + position for position in positions]).reshape(-1, 17, 2)
    boxes = np.concatenate([points.min(1), points.max(1)], 1) if count else np.zeros((0, 4))
    scores = np.array(box_scores if box_scores is not None else [0.9] * count)
    no_3d = np.full((count, 17, 3), np.nan)
    return Detections(index, boxes, scores, points, np.full((count, 17), 0.9), no_3d, COCO_17)
