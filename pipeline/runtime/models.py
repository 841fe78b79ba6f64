"""The networks of a run: loaded when first needed, kept for the videos after."""

from functools import cached_property

from core.errors import DetectorError
from core.skeletons import COCO_17
from detectors.base import Detector
from detectors.choice import Choice, DetectOptions
from lifter.predict import Lifter
from pipeline.results.report_parts import WeightsReport
from pipeline.results.resume import network_files, weights_report
from weights.store import resolve


class Models:
    """The detector and the lifter of a run, for one video after another."""

    def __init__(self, detect: DetectOptions, lifter: str, threads: int | None = None) -> None:
        """Load nothing yet.

        Args:
            detect: Which detector.
            lifter: Name in the weights manifest, or path, of the lifting network.
            threads: The processor's threads that the detector may use; None for its own choice.
        """
        self._detect, self._lifter, self._threads = detect, lifter, threads
        self._detector: Detector | None = None

    @cached_property
    def weights(self) -> dict[str, WeightsReport]:
        """The networks' files by role, as reports name them; that of `lifter` is fetched."""
        resolve(self._lifter)
        return weights_report(network_files(self._detect, self._lifter))

    @cached_property
    def lifter(self) -> Lifter:
        """The lifting network.

        Raises:
            WeightsError: It cannot be had or used.
        """
        return Lifter.load(resolve(self._lifter))

    @cached_property
    def choice(self) -> Choice:
        """Which detector, and why."""
        return self._detect.choose()

    @property
    def detector(self) -> Detector:
        """The detector.

        Raises:
            DetectorError: It cannot be built, or its skeleton lacks keypoints that lifting needs.
            WeightsError: Its weights cannot be had.
        """
        if self._detector is None:
            detector = self.choice.backend.build(self._threads)
            missing = set(COCO_17.joints) - set(detector.skeleton.joints)
            if missing:
                detector.close()
                lacks = f"{detector.skeleton.name} has no {', '.join(sorted(missing))}"
                raise DetectorError(f"detector {self.choice.name} cannot be lifted from: {lacks}")
            self._detector = detector
        return self._detector

    def close(self) -> None:
        """Free the detector."""
        if self._detector is not None:
            self._detector.close()
            self._detector = None
