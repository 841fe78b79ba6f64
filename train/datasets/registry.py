"""Data sets by the names that `-d` knows."""

from pathlib import Path

from core.errors import UsageError
from train.datasets.custom import load_custom
from train.datasets.h36m import load_h36m
from train.datasets.humaneva import load_humaneva
from train.motion_data import MotionData


def load_dataset(name: str, keypoints: str, data_dir: Path) -> MotionData:
    """The data set `name` with the 2D keypoints `keypoints` from the archives in `data_dir`."""
    if name == "h36m":
        return load_h36m(data_dir, keypoints)
    if name in ("humaneva15", "humaneva20"):
        return load_humaneva(data_dir, name, keypoints)
    if name.startswith("custom"):
        return load_custom(data_dir, name, keypoints)
    raise UsageError(
        f"-d {name}: no such data set; there are h36m, humaneva15, humaneva20 and custom"
    )
