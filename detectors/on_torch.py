"""What detectors that run on torch share: their options, their batches, the GPU, torchvision.

torch and torchvision are imported when something is asked of them; torchvision need not be
installed to import this module.
"""

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

from core.errors import DetectorError, UsageError
from core.options import option
from core.skeletons import COCO_17
from core.types import Detections, Frame, VideoInfo
from detectors.device import Device, DeviceBackend

INSTALL_TORCHVISION = "pip install -c constraints.txt torchvision"

GPU_BATCH = 4
"""Frames that go through a network together on a GPU."""


@dataclass(frozen=True)
class TorchBackend(DeviceBackend):
    """A backend whose network torch runs, on a GPU where there is one."""

    cpu_seconds: ClassVar[str]
    """What a frame takes without a GPU, as text for people."""

    half: bool = option(False, "let a network of torch's compute in half precision, on a GPU")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.half and self.device == "cpu":
            raise UsageError("`half` is for a GPU, `device` cpu has none: give one")

    def warning(self) -> str:
        """How slow it will be, where it has no GPU."""
        problem = "--device cpu" if self.device == "cpu" else gpu_problem()
        if problem is None:
            return ""
        return (
            f"--detector {self.name} runs without a GPU ({problem}), which takes"
            f" {self.cpu_seconds}; --detector blazepose is made for that"
        )

    def missing_gpu(self) -> str | None:
        """Why `auto` finds no GPU for it, as a clause; None where it does."""
        if self.device == "cpu":
            return f"--device cpu leaves no GPU for {self.name}"
        problem = gpu_problem()
        return None if problem is None else f"no GPU for {self.name}: {problem}"


class TorchDetector(ABC):
    """People in single frames, as COCO-17, by a network of torch's.

    Args:
        network: The network, where it runs.
        device: Where that is, as torch calls it.
    """

    skeleton = COCO_17
    library: ClassVar[str]
    """What a message calls it."""

    def __init__(self, network: Any, device: str) -> None:
        self._network, self._device = network, device
        self.batch_size = 1 if device == "cpu" else GPU_BATCH

    def begin(  # noqa: B027 (it is whole)
        self, video: VideoInfo, picture_numbers: Sequence[int] | None = None
    ) -> None:
        """Do nothing: no frame is remembered."""

    def close(self) -> None:
        """Free the network."""
        del self._network

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame."""
        return self.detect_batch([frame])[0]

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """Find the people in each of several frames, which go through the network together.

        Raises:
            DetectorError: The GPU's memory is too small.
        """
        import torch

        try:
            with torch.inference_mode():
                return self._find(frames)
        except torch.OutOfMemoryError as error:
            raise DetectorError(
                f"the GPU's memory is too small for {self.library}: try --half or --device cpu"
            ) from error

    @abstractmethod
    def _find(self, frames: Sequence[Frame]) -> list[Detections]:
        """Run the network, in torch's inference mode."""


def gpu_problem() -> str | None:
    """Why torch can use no GPU here, as a clause; None where it can."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of what is said below
        if torch.cuda.is_available():
            return None
        if torch.version.cuda is None and torch.version.hip is None:
            return f"torch {torch.__version__} is a build for CPUs alone"
        try:
            torch.cuda.init()  # type: ignore[no-untyped-call]
        except (RuntimeError, AssertionError) as error:
            return _driver_problem(first_line(error), str(torch.version.cuda))
    return "torch sees none"


def _driver_problem(text: str, cuda: str) -> str:
    """What torch says when it cannot start CUDA, as a clause that says what to do."""
    if (
        old := re.search(r"driver on your system is too old \(found version (\d+)\)", text)
    ) is not None:
        number = int(old[1])
        return (
            f"its driver is too old for this torch: it knows CUDA up to {number // 1000}."
            f"{number % 1000 // 10}, torch {cuda} is needed; update the driver, or install a torch"
            " for that CUDA"
        )
    if "no NVIDIA driver" in text:
        return "there is no NVIDIA driver"
    return text.partition(". ")[0].rstrip(".")


def pick_device(wanted: Device, half: bool) -> str:
    """Pick where the network runs.

    Args:
        wanted: The device asked for; "auto" is the GPU if there is one.
        half: Whether half precision is asked for, which needs a GPU.

    Returns:
        "cuda" or "cpu".

    Raises:
        DetectorError: A GPU is needed and there is none; the message says why.
    """
    if wanted == "cpu":
        return "cpu"
    problem = gpu_problem()
    if problem is None:
        return "cuda"
    if wanted == "cuda" or half:
        flag = "--half" if half else "--device cuda"
        raise DetectorError(f"{flag} needs a GPU, and torch can use none here: {problem}")
    return "cpu"


def require_torchvision(purpose: str) -> None:
    """Import torchvision with its compiled parts.

    Args:
        purpose: What needs it, for the message.

    Raises:
        DetectorError: That fails; the message says what to do.
    """
    if find_spec("torchvision") is None:
        raise DetectorError(
            f"torchvision is not installed, which {purpose} needs; install it with:"
            f" {INSTALL_TORCHVISION}"
        )
    import torch

    try:
        import torchvision.ops

        torchvision.ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5)
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise DetectorError(
            f"torchvision cannot be loaded ({first_line(error)}): it must be made for the torch"
            f" that is installed, {torch.__version__}, and come from the same index; reinstall it"
            f" with: {INSTALL_TORCHVISION}"
        ) from error


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).splitlines() or [type(error).__name__])[0]
