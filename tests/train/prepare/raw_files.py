"""Made-up files of other programs, and a training run on what is prepared of them."""

from pathlib import Path

import numpy as np

from lifter.published.pickles import read_published
from train.__main__ import main

SUBJECTS = ("S1", "S9", "S11")


NETWORK = ["-arc", "3,3", "-ch", "8", "-e", "1", "-b", "128"]


def detectron_frames(keypoints: np.ndarray, rows: int = 6) -> dict[str, np.ndarray]:
    """(T, 17, 2) px in Detectron's layout, with a person of lower score and an empty frame."""
    boxes, points = (np.empty((len(keypoints), 2), object) for _ in range(2))
    for t, frame in enumerate(keypoints):
        best = np.zeros((rows, 17), np.float32)
        best[4 : 6 if rows >= 6 else 4] = frame.T if rows >= 6 else best[4:4]
        if rows < 6:
            best[:2] = frame.T
        people = [] if t == 3 else [[0, 0, 9, 9, 0.2], [0, 0, 9, 9, 0.9]]
        boxes[t] = [[], np.float32(people).reshape(-1, 5)]
        points[t] = [[], [] if t == 3 else [best + 100, best]]
    return {"boxes": boxes, "keypoints": points}


def train(data_dir: Path, *flags: str) -> None:
    out = data_dir / "checkpoint"
    assert main([*NETWORK, "--data-dir", str(data_dir), "-c", str(out), *flags]) == 0
    assert read_published(out / "epoch_1.bin")["history"][0]["3d_valid"] > 0
