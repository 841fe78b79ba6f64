"""The networks of a run: loaded when first needed, kept for the videos after."""

from functools import cached_property
from typing import Any

from detectors import base as detectors
from detectors.base import Choice, Detector
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.results.resume import weights_of
from weights.store import resolve


class Models:
    """What `config` names, for one video after another; `threads` bounds what each network may use."""

    def __init__(self, config: PipelineConfig, threads: int | None = None) -> None:
        self._config, self._threads = config, threads
        self._detector: Detector | None = None

    @cached_property
    def lifter(self) -> Lifter:
        """The lifting network."""
        return Lifter.load(resolve(self._config.lifter))

    @cached_property
    def weights(self) -> dict[str, Any]:
        """The files behind the networks, as reports name them."""
        return weights_of(self._config)

    @cached_property
    def chosen(self) -> Choice:
        """Which detector, and why."""
        if self._config.keypoints is not None:
            return Choice("replay", f"--keypoints {self._config.keypoints}")
        return detectors.choose(self._config.detector, **self._config.detectron2_options)

    def detector(self) -> Detector:
        """The detector, ready for the first frame of a video."""
        if self._detector is None:
            options = self._config.detectron2_options if self.chosen.name == "detectron2" else {}
            self._detector = detectors.create(self.chosen.name, threads=self._threads, **options)
        else:
            self._detector.reset()
        return self._detector

    def close(self) -> None:
        """Free the detector."""
        if self._detector is not None:
            self._detector.close()
            self._detector = None
