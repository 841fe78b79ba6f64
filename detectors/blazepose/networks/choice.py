"""The networks of one detector, and which of the landmark models serves."""

from functools import cached_property
from pathlib import Path

import numpy as np

from core.types import Floats, Picture
from detectors.blazepose.networks.boxes import BoxFinder
from detectors.blazepose.networks.models import LandmarkModel, PersonFinder
from detectors.blazepose.networks.region import Region


class Networks:
    """BlazePose's networks and the finder of boxes.

    Args:
        finder, landmarks: The files of BlazePose's person finder and of the landmark model.
        boxes: The file of the finder of boxes; None where there is none.
        heavy: The file of a larger landmark model; None where there is none.
        num_threads: LiteRT's threads for each network that runs.

    Attributes:
        finder: BlazePose's person finder.
        landmarks: The landmark model that serves for most people.
        has_time: Whether the larger one may serve for all: for a picture alone.
    """

    def __init__(
        self,
        finder: Path,
        landmarks: Path,
        boxes: Path | None,
        heavy: Path | None,
        num_threads: int,
    ) -> None:
        self.finder = PersonFinder(finder, num_threads)
        self.landmarks = LandmarkModel(landmarks, num_threads)
        self.has_time = False
        self._boxes = BoxFinder(boxes, num_threads) if boxes is not None else None
        self._heavy_file, self._heavy_threads = heavy, num_threads

    @cached_property
    def heavy(self) -> LandmarkModel:
        """The larger landmark model, loaded when first needed; the other where there is none."""
        if self._heavy_file is None:
            return self.landmarks
        return LandmarkModel(self._heavy_file, self._heavy_threads)

    def prepare(self, at_once: int) -> None:
        """Load before it is needed what serves so many people at once, and a search beside them.

        The larger landmark model gets as many threads: there is seldom more than one call of it.
        """
        self._heavy_threads = max(at_once, self._heavy_threads)
        self.landmarks.prepare(at_once + 1)
        _ = self.heavy

    def landmarks_of(self, is_hard: bool) -> LandmarkModel:
        """The landmark model for people who are easy or hard to see."""
        return self.heavy if is_hard or self.has_time else self.landmarks

    @property
    def have_boxes(self) -> bool:
        """Whether there is a finder of boxes."""
        return self._boxes is not None

    def boxes_in(self, rgb: Picture, window: Region) -> Floats:
        """The boxes (N, 4) px of people in a window; none without their finder."""
        return np.zeros((0, 4)) if self._boxes is None else self._boxes.find(rgb, window)
