"""What a 2D detector is, and what its backend says of it.

A detector is one file (or folder) with a `Detector` and a `DetectorBackend`, and its module's name
in `BUILT_IN`. Nothing else names a backend: its options become flags of the command line, keys of
the configuration and entries of `report.json` by themselves.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, Self, runtime_checkable

from core.options import check_options, is_option
from core.registry import Registry
from core.skeletons import Skeleton
from core.types import Detections, Frame, VideoInfo

BUILT_IN = (
    "detectors.blazepose.backend",
    "detectors.movenet.backend",
    "detectors.detectron2.backend",
    "detectors.keypointrcnn",
    "detectors.rtmpose",
    "detectors.stored.backend",
)
"""The modules of the backends that come with the project; importing them imports no network."""

AUTO = "auto"
"""The `detector` that stands for the best backend at hand."""

BACKENDS: Registry[type["DetectorBackend"]] = Registry("a detector", BUILT_IN)


class Detector(Protocol):
    """Finds people in the frames of one video, in order; it may remember earlier frames.

    One object serves one video after another. `begin` comes before the first frame of each.
    """

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of its keypoints."""

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Forget earlier videos: the next frames are of this one.

        Args:
            video: The video, or the folder of pictures.
            picture_numbers: The numbers in pictures' names, frame by frame, if the clip is a
                folder of pictures.
        """

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame; there may be none."""

    def close(self) -> None:
        """Free models and threads."""


@runtime_checkable
class BatchDetector(Detector, Protocol):
    """A detector that is faster on several frames at once."""

    batch_size: int
    """The number of frames it is best given at once."""

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """Find the people in each of several frames."""


@runtime_checkable
class WarningDetector(Detector, Protocol):
    """A detector that can say what is odd about a video's keypoints."""

    def warnings(self, video: VideoInfo) -> tuple[str, ...]:
        """Say what is odd, a line each, after the last frame of a video.

        Args:
            video: The video as it turned out to be.
        """


@runtime_checkable
class SmoothedDetector(Detector, Protocol):
    """A detector whose keypoints may be smoothed in time already."""

    @property
    def is_smoothed(self) -> bool:
        """Whether those of the present video are."""


@runtime_checkable
class PromptDetector(Detector, Protocol):
    """A detector that sees known people sooner than it has searched for others.

    Live, frames go through `detect_known` instead of `detect`.
    """

    def prepare(self) -> None:
        """Load what a later frame would wait for."""

    def detect_known(self, frame: Frame) -> Detections:
        """Find the people in a frame who were known before."""

    def search(self) -> Callable[[], None] | None:
        """Begin to search the last frame for others.

        Returns:
            What does so; None where there is nothing to do. It may be called in another thread,
            while later frames are detected, but not while another such search runs. Who is found is
            known from the next frame on that is begun afterwards.
        """


Follower = Callable[[Frame], Detections | None]
"""Follows one person: given the next frame, it finds them there; None when they are lost."""


@runtime_checkable
class TwoWayDetector(Detector, Protocol):
    """A detector that can follow one person from frame to frame, backwards too."""

    def follow(self, detections: Detections, row: int) -> Follower:
        """Follow the person in a row of a frame's detections through the frames beside it.

        Args:
            detections: Those of the frame, with the joints of COCO-21.
            row: The person's.
        """


def detect_all(detector: Detector, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
    """Yield every frame with the people in it, detected in batches where the detector has them."""
    if not isinstance(detector, BatchDetector):
        for frame in frames:
            yield frame, detector.detect(frame)
        return
    frames = iter(frames)
    while batch := list(islice(frames, detector.batch_size)):
        yield from zip(batch, detector.detect_batch(batch), strict=True)


class Availability(NamedTuple):
    """Whether a backend can run here now, and the reason, as a clause for people."""

    is_ready: bool
    why: str


@dataclass(frozen=True)
class DetectorBackend(ABC):
    """A kind of detector and its options, from which detectors are built.

    A subclass with options is a frozen dataclass. Its fields are made by `core.options.option`: a
    field `d2_model` is the flag `--d2-model`. Two backends may share an option if they declare it
    equally. Checks of options against each other belong into `__post_init__`, after the base
    class's. A subclass with a `name` of its own is registered when it is defined. Its module must
    not import what is heavy at the top (torch, OpenCV, the detector's own library).
    """

    name: ClassVar[str]
    """What `--detector` calls it."""
    about: ClassVar[str]
    """One line for people."""
    selected_by: ClassVar[str | None] = None
    """The option that selects this backend when given; `__post_init__` refuses others without it.

    None for a backend that is selected by its name.
    """
    prefer: ClassVar[bool] = False
    """Whether `auto` takes it where it is available."""
    one_video_only: ClassVar[bool] = False
    """Whether its options are about one video, and do not suit several."""
    packages: ClassVar[tuple[str, ...]] = ()
    """The packages whose versions results depend on, as pip names them."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "name" in vars(cls):
            if cls.name == AUTO:
                raise ValueError(f"{cls.__module__}: there is a detector {AUTO!r} already")
            BACKENDS.add(cls.name, cls, cls.__module__)

    def __post_init__(self) -> None:
        check_options(self)

    @classmethod
    def option_fields(cls) -> list[Field[Any]]:
        """The fields that are options."""
        return [entry for entry in fields(cls) if is_option(entry)]

    @classmethod
    def option_names(cls) -> set[str]:
        """The names of its options."""
        return {entry.name for entry in cls.option_fields()}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Make the backend from those of the settings that are its options.

        Raises:
            UsageError: A value is not allowed, or contradicts another.
        """
        own = cls.option_names()
        return cls(**{name: value for name, value in settings.items() if name in own})

    def available(self) -> Availability:
        """Whether it can run here now, at speed and without a download."""
        return Availability(True, f"{self.name} needs nothing more")

    def fetch(self) -> None:  # noqa: B027 (many need nothing)
        """Fetch what it needs.

        Raises:
            DetectorError, WeightsError: It can serve no video here.
        """

    @abstractmethod
    def build(self, threads: int | None = None) -> Detector:
        """Build the detector; import what is heavy here.

        Args:
            threads: The processor's threads that it may use; None for its own choice.

        Raises:
            DetectorError, WeightsError: It cannot be built here.
        """

    def warning(self) -> str:
        """What a user should know before the first frame, in one line; empty if nothing."""
        return ""

    def weight_names(self) -> tuple[str, ...]:
        """The names in the weights manifest of what `fetch` gets."""
        return ()

    def weight_files(self) -> dict[str, Path]:
        """The files that the user gave as weights, by role, for reports."""
        return {}

    def of_view(self, video: Path) -> "DetectorBackend":
        """The backend for one of several views of the same people.

        Raises:
            InputError: It has nothing for this one.
        """
        return self

    def input_files(self) -> tuple[Path, ...]:
        """The files or folders, besides the video, that results are made of."""
        return ()


def backends() -> Mapping[str, type[DetectorBackend]]:
    """All backends by name: the built-in ones, then others in the order of their definition."""
    return BACKENDS.entries()
