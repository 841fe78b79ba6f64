"""A scene of two people, and detectors at the beginning of a video of it."""

from pathlib import Path

import numpy as np

from core.skeletons import COCO_17
from core.types import Detections, Floats, Frame, VideoInfo
from detectors.stored.replay import Replay
from testkit.walker import keypoints, walking, with_feet

SIZE = (640, 360)
FRAMES = 6


def scene() -> list[list[Floats]]:
    """Two people walking side by side; the second's left wrist is never seen."""
    people = []
    for x, score in ((-1.0, 0.9), (1.0, 0.75)):
        xy = keypoints(with_feet(walking(FRAMES)), np.tile([x, 0.0, 5.0], (FRAMES, 1))) / 3
        people.append(np.concatenate([xy, np.full((FRAMES, 21, 1), score)], -1))
    people[1][:, COCO_17.index("left_wrist")] = 0
    return [list(frame) for frame in zip(*people, strict=True)]


def replay(
    path: Path, layout: str | None = None, video: str = "clip", numbers: list[int] | None = None
) -> Replay:
    """A detector at the beginning of a video of that name."""
    detector = Replay(path, layout)
    detector.begin(VideoInfo(Path(f"{video}.mp4"), *SIZE, 25.0, None, 0, None), numbers)
    return detector


def detect(detector: Replay, index: int, size: tuple[int, int] = SIZE) -> Detections:
    return detector.detect(Frame(index, index / 25, np.zeros((size[1], size[0], 3), np.uint8)))


def info(frames: int | None = FRAMES, size: tuple[int, int] = SIZE) -> VideoInfo:
    return VideoInfo(Path("clip.mp4"), *size, 25.0, frames, 0, None)
