"""The description of a data set; each module of this package makes one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from train.motion_data import MotionData


class Loader(Protocol):
    """A function that reads a data set's archives."""

    def __call__(self, data_dir: Path, keypoints: str, name: str) -> MotionData:
        """Read the data set called `name` with one kind of 2D keypoints from `data_dir`."""


@dataclass(frozen=True)
class Dataset:
    """A data set that `-d` can name."""

    names: tuple[str, ...]
    """Its names; variants of a data set have one each."""
    load: Loader
    is_prefix: bool = False
    """Whether all names that begin with one of `names` are its own."""
    has_ground_truth: bool = True
    """Whether it has 3D joints to train and evaluate on."""
    has_lenses: bool = False
    """Whether its cameras come with lens parameters, which semi-supervised training needs."""

    def is_called(self, name: str) -> bool:
        """Whether `name` stands for this data set."""
        return name.startswith(self.names) if self.is_prefix else name in self.names
