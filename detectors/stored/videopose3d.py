"""VideoPose3D's archives: `data_2d_custom_*.npz`, and the dumps of its `infer_video` scripts.

https://github.com/facebookresearch/VideoPose3D/blob/main/INFERENCE.md
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.skeletons import COCO_17, H36M_17
from core.types import Array, Floats
from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, StoredKeypoints, make_table

LAYOUTS = {"coco": COCO_17, "h36m": H36M_17}
"""Skeletons by the names that archives give them."""


def is_custom(arrays: Mapping[str, Any]) -> bool:
    """Whether an archive holds the 2D keypoints of a data set."""
    return {"positions_2d", "metadata"} <= arrays.keys()


def read_custom(arrays: Mapping[str, Any], video: str) -> StoredKeypoints:
    """Read the people of the entries that have the video's name; of any name, if there is one.

    Several people of a video are entries of its name with `_1`, `_2`, … behind it.
    """
    positions, metadata = arrays["positions_2d"], arrays["metadata"]
    chosen = _entries(list(positions), video)
    layout = metadata.get("layout_name")
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(
            f"its layout is {layout!r}, and only {' and '.join(LAYOUTS)} can be lifted"
        )
    rows = [row for name in chosen for row in _sequence(positions[name], name)]
    size = metadata.get("video_metadata", {}).get(chosen[0])
    return make_table(
        "VideoPose3D's archive",
        rows,
        LAYOUTS[layout].joints if layout else None,
        (int(size["w"]), int(size["h"])) if size else None,
        frames=max((row.number + 1 for row in rows), default=0),
    )


def _entries(names: list[str], video: str) -> list[str]:
    """The entries named as the video or, as by VideoPose3D's own tool, its file (`clip.mp4`)."""
    ours = re.compile(re.escape(video) + r"(\.[^.]+)?(_[0-9]+)?")
    matching = [name for name in names if ours.fullmatch(name)]
    if not matching and len(names) != 1:
        raise ValueError(f"no entry is called {video}; there is {', '.join(names) or 'none'}")
    return matching or names


def _sequence(actions: Mapping[str, Any], name: str) -> Iterator[Row]:
    """The frames of one person: (T, K, 2) px, or (T, K, 3) with a confidence."""
    cameras = [view for views in actions.values() for view in views]
    if len(cameras) != 1:
        raise ValueError(f"{name} has {len(cameras)} sequences, where a video has one")
    keypoints = np.asarray(cameras[0], np.float32)
    if keypoints.ndim != 3 or keypoints.shape[2] not in (2, 3):
        raise ValueError(f"{name}: expected (frames, keypoints, 2 or 3), got {keypoints.shape}")
    for number, frame in enumerate(_with_scores(keypoints)):
        yield Row(number, frame)


def _with_scores(keypoints: Floats) -> Floats:
    """(T, K, 2 or 3) → (T, K, 3); the confidence is 1 where the archive has none."""
    if keypoints.shape[-1] == 3:
        return keypoints
    return np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], -1)


def is_dump(arrays: Mapping[str, Any]) -> bool:
    """Whether an archive is what the `infer_video` scripts write."""
    return {"boxes", "keypoints", "metadata"} <= arrays.keys()


def read_dump(arrays: Mapping[str, Any], video: str) -> StoredKeypoints:
    """Read all people.

    The scripts run Keypoint R-CNN, whose keypoints are COCO's, with the peak of the heatmap as
    score. A frame's entries are lists by class, of which the second is people: boxes (N, 5) with
    the score last and keypoints (N, 4, K), rows x, y, logit, probability.
    """
    size = arrays["metadata"]
    rows = (
        Row(number, np.asarray(keypoints)[[0, 1, 3]].T, box[:4], box[4])
        for number, (boxes, people) in enumerate(
            zip(arrays["boxes"], arrays["keypoints"], strict=True)
        )
        for box, keypoints in zip(_people(boxes), _people(people), strict=True)
    )
    return make_table(
        "VideoPose3D's infer_video",
        rows,
        COCO_17.joints,
        (int(size["w"]), int(size["h"])),
        frames=len(arrays["boxes"]),
    )


def _people(classes: Any) -> Array:
    """Of a frame's entries by class, those of people."""
    return np.asarray(classes[1])


FORMATS = (
    StoredFormat(("VideoPose3D",), "archive", is_custom, read_custom),
    StoredFormat(("VideoPose3D",), "archive", is_dump, read_dump),
)
