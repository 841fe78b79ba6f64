"""BlazePose's two backends: the same detector with the landmark model "full" or "heavy"."""

from typing import ClassVar

from detectors.base import Availability, Detector, DetectorBackend
from weights.store import Store, resolve

NUM_THREADS = 2
"""The processor's threads that its networks use, unless they are to use fewer."""


class BlazePoseBackend(DetectorBackend):
    """BlazePose with the landmark model that the lifter was trained with."""

    name = "blazepose"
    about = "BlazePose (MediaPipe's models) for several people, on a CPU"
    packages = ("ai-edge-litert",)
    weights: ClassVar[tuple[str, str]] = ("blazepose-detector", "blazepose-landmark-full")
    """The person finder and the landmark model, by their names in the weights manifest."""

    def available(self) -> Availability:
        """Whether both models are on this machine."""
        store = Store()
        for name in self.weights:
            path = store.path(store.entries[name])
            if not path.is_file():
                return Availability(False, f"BlazePose's weights are not at {path}")
        return Availability(True, "BlazePose's weights are here")

    def fetch(self) -> None:
        """Fetch both models."""
        for name in self.weights:
            resolve(name)

    def weight_names(self) -> tuple[str, ...]:
        """Both models."""
        return self.weights

    def build(self, threads: int | None = None) -> Detector:
        """Build the detector."""
        from detectors.blazepose.detector import BlazePose

        finder, landmarks = map(resolve, self.weights)
        num_threads = NUM_THREADS if threads is None else min(threads, NUM_THREADS)
        return BlazePose(finder, landmarks, num_threads=num_threads)


class HeavyBlazePoseBackend(BlazePoseBackend):
    """BlazePose with the largest landmark model."""

    name = "blazepose-heavy"
    about = "BlazePose with its largest landmark model, fetched on first use"
    weights = ("blazepose-detector", "blazepose-landmark-heavy")
