"""What every 2D detector looks like from outside, and how one is made by name."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol, runtime_checkable

from core.errors import DetectorError
from core.skeletons import Skeleton
from core.types import Detections, Frame


class Detector(Protocol):
    """Finds people in the frames of one video, which come in order; it may remember earlier frames.

    One object serves one video after another, `reset` between them; `close` frees what it holds.
    """

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of its keypoints."""

    def detect(self, frame: Frame) -> Detections:
        """The people in `frame`; none is a valid answer."""

    def reset(self) -> None:
        """Forget the video so far: the next frame is of another."""

    def close(self) -> None:
        """Free models and threads."""


@runtime_checkable
class BatchDetector(Detector, Protocol):
    """A detector that is quicker on several frames at once."""

    batch_size: int
    """How many frames it likes to get."""

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """The people in each of `frames`."""


def detect_all(detector: Detector, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
    """Every frame and the people in it, as many frames at once as the detector likes."""
    if not isinstance(detector, BatchDetector):
        for frame in frames:
            yield frame, detector.detect(frame)
        return
    frames = iter(frames)
    while batch := list(islice(frames, detector.batch_size)):
        yield from zip(batch, detector.detect_batch(batch), strict=True)


class Choice(NamedTuple):
    """A detector's name, and why it is that one."""

    name: str
    why: str


def choose(name: str, **options: Any) -> Choice:
    """The detector to use: what `auto` stands for here, or the one named; `options` are Detectron2's."""
    if name != AUTO:
        return Choice(name, "asked for")
    from detectors.detectron2 import shortfall

    missing = shortfall(**options)
    if missing:
        return Choice("blazepose", missing)
    return Choice("detectron2", "Detectron2 is installed, its weights are here, and there is a GPU")


def require(name: str, **options: Any) -> None:
    """Fetch what that detector needs; `DetectorError` or `WeightsError` where it could serve no video here.

    `options` are Detectron2's.
    """
    if name in BLAZEPOSE_MODELS:
        from detectors.blazepose import model_files

        model_files(BLAZEPOSE_MODELS[name])
    if name == "detectron2":
        from detectors.detectron2 import require_all

        require_all(**options)


def create(name: str, threads: int | None = None, **options: Any) -> Detector:
    """The detector called `name`, with its own options; `DetectorError` where there is none of that name.

    `threads` is how many of the processor's it may use, None for as many as it likes.
    A backend is imported here, when it is asked for: none costs the others an import, or has to be installed.
    """
    if name in BLAZEPOSE_MODELS:
        from detectors.blazepose import NUM_THREADS, BlazePose

        if threads is not None:
            options.setdefault("num_threads", min(threads, NUM_THREADS))
        return BlazePose(BLAZEPOSE_MODELS[name], **options)
    if name == "detectron2":
        from detectors.detectron2 import Detectron2

        return Detectron2(**options)
    raise DetectorError(f"no detector {name!r}; there is {', '.join(NAMES)}")


BLAZEPOSE_MODELS = {"blazepose": "full", "blazepose-heavy": "heavy"}
"""The landmark model of each BlazePose."""
NAMES = (*BLAZEPOSE_MODELS, "detectron2")
"""The detectors that `create` makes."""
AUTO = "auto"
"""What `choose` turns into one of `NAMES`."""
