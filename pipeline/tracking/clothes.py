"""The colours of people's clothes, by which they are known again after they were lost.

Colours are read where clothes are, along torso, thighs, shins and upper arms, in some frames in
which nothing covers those. A tracklet has the median of each part.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17
from core.types import Array, Detections, Floats, Picture
from pipeline.tracking.similarity import BODY

_INTERVAL = 6
"""Every so many frames are looked at."""
_MIN_SCORE = 0.5
"""Of the keypoints between which colours are read."""
_MIN_POINTS = 8
"""Of a part, uncovered."""
_ALONG = np.linspace(0.2, 0.85, 8)
"""Where colours are read between two joints."""
_PARTS: dict[str, list[tuple[str, str, float]]] = {
    "torso": [("shoulder", "hip", across) for across in (0.25, 0.5, 0.75)],
    "thighs": [("hip", "knee", across) for across in (0.0, 1.0)],
    "shins": [("knee", "ankle", across) for across in (0.0, 1.0)],
    "arms": [("shoulder", "elbow", across) for across in (0.0, 1.0)],
}
"""The lines of each part, 0 on the left and 1 on the right."""
_WEIGHTS = np.array([1.0, 1.0, 0.5, 0.5])
"""Of the parts: shins and arms are often bare."""
_STD = np.array([8.0, 3.0, 5.0])
"""By which the colour of the same clothes differs, in CIELAB's L*, a* and b*: L* most, with the
light."""
_MAX_STDS = 4.0
"""A channel that differs by more tells no more."""
_CHROMA = 12.0
"""The torso's least, √(a*² + b*²), that is not white, grey or black, which many wear."""

_SAME = 3.0
"""The squared distance, mean of the parts, of the same clothes. Of people seen at once in a street
1 in 20 are as near."""
_COST, _COST_PER_DISTANCE, _MAX_COST = -3.0, 0.5, 6.0
"""What it costs to wear the same, what each squared distance adds, and the most."""


def _points() -> tuple[Floats, NDArray[np.intp]]:
    """Where colours are read: (P, 17) weights of the keypoints, and (P,) of which part."""
    weights, parts = [], []
    for part, lines in enumerate(_PARTS.values()):
        for start, end, across in lines:
            for along in _ALONG:
                weight = np.zeros(len(COCO_17))
                for joint, share in ((start, 1 - along), (end, along)):
                    weight[COCO_17.index(f"left_{joint}")] = share * (1 - across)
                    weight[COCO_17.index(f"right_{joint}")] = share * across
                weights.append(weight)
                parts.append(part)
    return np.array(weights), np.array(parts)


_POINTS, _PART = _points()


class Clothes:
    """What is known of the clothes of a video's people."""

    def __init__(self) -> None:
        self._colours: dict[int, NDArray[np.float16]] = {}  # index → colours of its rows

    def look(self, index: int, rgb: Picture, detections: Detections) -> None:
        """Look at the people of a frame.

        Args:
            index: Of the frame, in the video's list of detections.
            rgb: (H, W, 3) the frame.
            detections: Its people.
        """
        if index % _INTERVAL == 0 and len(detections):
            self._colours[index] = colours(rgb, detections).astype(np.float16)

    def of(self, rows: Array) -> Floats:
        """The colours (4, 3) of the person in rows (T, 2) like `Tracklet.rows`, NaN if unknown."""
        looks = [
            self._colours[index][row]
            for index, row in rows.tolist()
            if index in self._colours and row < len(self._colours[index])
        ]
        seen = np.array(looks, np.float64).reshape(-1, len(_PARTS), 3)
        is_seen = np.asarray(np.isfinite(seen).all(-1))
        found = np.full((len(_PARTS), 3), np.nan)
        for part in np.flatnonzero(is_seen.any(0)):
            found[part] = np.median(seen[is_seen[:, part], part], 0)
        return found


def colours(rgb: Picture, detections: Detections) -> Floats:
    """The colours of the clothes of a frame's people.

    Args:
        rgb: (H, W, 3) the frame.
        detections: N people; COCO-17 or -21.

    Returns:
        (N, 4, 3) CIELAB of torso, thighs, shins and upper arms; NaN where they are not seen, or in
        another person's box.
    """
    keypoints, scores = detections.keypoints_xy[:, BODY], detections.keypoint_scores[:, BODY]
    xy = np.einsum("pk,nkc->npc", _POINTS, np.nan_to_num(keypoints))
    height, width = rgb.shape[:2]
    boxes = detections.boxes_xyxy[:, None, None]
    in_box = ((xy >= boxes[..., :2]) & (xy <= boxes[..., 2:])).all(-1)  # (box, N, P)
    in_box[np.diag_indices(len(detections))] = False
    unclear = (scores < _MIN_SCORE) | np.isnan(keypoints).any(-1)
    seen = ~in_box.any(0) & ~(unclear[:, None] & (_POINTS != 0)).any(-1)
    seen &= ((xy >= 0) & (xy < (width, height))).all(-1)
    x, y = np.moveaxis(np.where(seen[..., None], xy, 0).astype(int), -1, 0)
    pixels = rgb[y, x].astype(np.float32) / 255
    lab = np.where(seen[..., None], cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), np.nan)
    found = np.full((len(detections), len(_PARTS), 3), np.nan)
    for part in range(len(_PARTS)):
        is_seen = seen[:, part == _PART].sum(1) >= _MIN_POINTS
        found[is_seen, part] = np.nanmedian(lab[is_seen][:, part == _PART], 1)
    return found


class Wardrobe:
    """The clothes of a video's tracklets, compared.

    Args:
        colours: (M, 4, 3) of each, see `Clothes.of`.
        first, last: (M,) their first and last frames.
    """

    def __init__(self, colours: Floats, first: Array, last: Array) -> None:
        self._colours, self._first, self._last = colours, first, last
        self._is_coloured = np.hypot(colours[:, 0, 1], colours[:, 0, 2]) >= _CHROMA

    def cost(self, i: int, j: int) -> float:
        """Negative log-likelihood, up to a constant, that i and j wear the same; 0 if unknown."""
        distance = float(self._distances(i, np.array([j]))[0])
        if np.isnan(distance):
            return 0.0
        return min(_COST + _COST_PER_DISTANCE * distance, _MAX_COST)

    def tells(self, i: int, j: int) -> bool:
        """Whether clothes alone tell that j is i, who was gone for long.

        They do if both wear the same colour, and no one does who is seen at once with either.
        """
        if not (self._is_coloured[i] and self._is_coloured[j]):
            return False
        everyone = np.arange(len(self._first))
        like_i, like_j = (self._distances(one, everyone) < _SAME for one in (i, j))
        return bool(like_i[j] and not (like_i & self._with(j) | like_j & self._with(i)).any())

    def _with(self, i: int) -> NDArray[np.bool_]:
        """(M,) who is seen at once with i; i is not."""
        at_once = (self._first <= self._last[i]) & (self._last >= self._first[i])
        at_once[i] = False
        return np.asarray(at_once)

    def _distances(self, i: int, others: Array) -> Floats:
        """(len(others),) squared distances; NaN where neither torso nor thighs can be compared."""
        difference = (self._colours[others] - self._colours[i]) / _STD
        by_part = (np.clip(difference, -_MAX_STDS, _MAX_STDS) ** 2).sum(-1)
        weights = np.where(np.isnan(by_part), 0.0, _WEIGHTS)
        total = (weights * np.nan_to_num(by_part)).sum(-1)
        known = np.isfinite(by_part[:, :2]).any(-1)
        return np.asarray(np.where(known, total / np.maximum(weights.sum(-1), 0.5), np.nan))
