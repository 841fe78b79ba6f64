"""RTMPose as a detector, through rtmlib: boxes of people by YOLOX, keypoints in each box.

Jiang et al., "RTMPose: Real-Time Multi-Person Pose Estimation based on MMPose", 2023,
arXiv:2303.07399; https://github.com/Tau-J/rtmlib, which runs the networks with onnxruntime. Neither
library need be installed to import this module.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DetectorError, how_to_install, one_line
from core.options import option
from core.skeletons import COCO_17, HALPE_26, Skeleton
from core.types import Array, Detections, Floats, Frame, VideoInfo
from detectors.base import Detector
from detectors.device import Device, DeviceBackend
from weights.store import resolve

KINDS = {"body": ("Body", COCO_17), "body_with_feet": ("BodyWithFeet", HALPE_26)}
"""`rtm_kind` → rtmlib's class of the kind, and the skeleton of its keypoints."""
MODES = ("lightweight", "balanced", "performance")

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
"""onnxruntime's names."""
_REASONS = ("Failed to load", "EP Error ")
"""How lines begin in which onnxruntime prints why it cannot use CUDA."""
INSTALL_RTMLIB = "pip install --no-deps rtmlib"
"""Without its dependencies: they are two more OpenCVs, of different versions and in the same folder
as the one that is here."""


@dataclass(frozen=True)
class RTMPoseBackend(DeviceBackend):
    """RTMPose and its person finder in one of rtmlib's sizes."""

    name = "rtmpose"
    about = "RTMPose through rtmlib, each frame by itself, on a CPU or a GPU"
    packages = ("rtmlib", "onnxruntime", "onnxruntime-gpu")

    rtm_kind: str = option(
        "body", "which of RTMPose's networks (default: %(default)s)", choices=tuple(KINDS)
    )
    rtm_mode: str = option(
        "balanced", "how large RTMPose's networks are (default: %(default)s)", choices=MODES
    )

    def fetch(self) -> None:
        """Check libraries and device, and fetch both networks."""
        require_libraries()
        find_cuda(self.device)
        for name in self.weight_names():
            resolve(name)

    def weight_names(self) -> tuple[str, str]:
        """The person finder and the keypoint network."""
        kind = self.rtm_kind.replace("_", "-")
        return f"rtmpose-finder-{self.rtm_mode}", f"rtmpose-{kind}-{self.rtm_mode}"

    def build(self, threads: int | None = None) -> Detector:
        """Build the detector; `threads` are onnxruntime's, on a CPU."""
        require_libraries()
        import rtmlib

        finder, keypoints = map(resolve, self.weight_names())
        solution, skeleton = KINDS[self.rtm_kind]
        sizes = getattr(rtmlib, solution).MODE[self.rtm_mode]
        return RTMPose(
            load(rtmlib.YOLOX, finder, sizes["det_input_size"], self.device, threads),
            load(rtmlib.RTMPose, keypoints, sizes["pose_input_size"], self.device, threads),
            skeleton,
        )


class RTMPose:
    """People in single frames, with the keypoints of the network.

    rtmlib tells no box's score: a person's is the mean of COCO-17's scores. Those are the
    mean peak of a keypoint's two distributions (SimCC), clipped to 0…1; a keypoint without a peak
    above 0 is missing.

    Args:
        finder: rtmlib's `YOLOX`: a BGR picture → boxes.
        keypoints: rtmlib's `RTMPose`: a BGR picture and boxes → keypoints and their scores.
        skeleton: That of these keypoints.
    """

    def __init__(
        self,
        finder: Callable[[Array], Any],
        keypoints: Callable[[Array, Array], tuple[Floats, Floats]],
        skeleton: Skeleton,
    ) -> None:
        self._finder, self._keypoints = finder, keypoints
        self.skeleton = skeleton

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Do nothing: no frame is remembered."""

    def close(self) -> None:
        """Free the networks."""
        del self._finder, self._keypoints

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame.

        Raises:
            DetectorError: onnxruntime fails, as where the GPU's memory is too small.
        """
        picture = np.ascontiguousarray(frame.rgb[:, :, ::-1])
        with errors_of_onnxruntime("onnxruntime cannot run RTMPose"):
            boxes = np.asarray(self._finder(picture), np.float32).reshape(-1, 4)
            xy: Floats = np.zeros((0, len(self.skeleton), 2))
            scores: Floats = np.zeros((0, len(self.skeleton)))
            if len(boxes):  # without, rtmlib would take the whole picture for a person
                xy, scores = self._keypoints(picture, boxes)
        scores = scores.clip(0, 1)
        return Detections(
            frame.index,
            boxes,
            scores[:, self.skeleton.indices(COCO_17.joints)].mean(1),
            np.where(scores[..., None] > 0, xy, np.nan),
            scores,
            np.full((*scores.shape, 3), np.nan),
            self.skeleton,
        )


def require_libraries() -> None:
    """Check that rtmlib and onnxruntime are installed.

    Raises:
        DetectorError: One is not; the message says how to install it.
    """
    for library, how in (("onnxruntime", how_to_install("rtmpose")), ("rtmlib", INSTALL_RTMLIB)):
        if find_spec(library) is None:
            raise DetectorError(
                f"{library} is not installed, which rtmpose needs; install it with: {how}"
            )


def find_cuda(device: Device) -> bool:
    """Whether to try CUDA.

    Raises:
        DetectorError: It is asked for, and onnxruntime has none.
    """
    import onnxruntime

    has_cuda = CUDA in onnxruntime.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise DetectorError(
            f"--device cuda: this onnxruntime {onnxruntime.__version__} is a build for CPUs alone;"
            " pip uninstall onnxruntime, then pip install onnxruntime-gpu"
        )
    return has_cuda and device != "cpu"


def load(
    tool: Callable[..., Any],
    weights: Path,
    input_size: tuple[int, int],
    device: Device,
    threads: int | None,
) -> Any:
    """Build one of rtmlib's tools, which runs a network.

    Args:
        tool: Its class.
        weights: The ONNX file.
        input_size: Of the network, px, as rtmlib has it.
        device: Where it runs; "auto" is the GPU if onnxruntime can use one.
        threads: onnxruntime's on a CPU; None for its own choice.

    Raises:
        DetectorError: The file is no network, or the GPU asked for cannot be used.
    """
    import onnxruntime

    on_gpu = find_cuda(device)
    said = io.StringIO()  # rtmlib and onnxruntime print, and a live source's poses go to stdout
    with redirect_stdout(said), errors_of_onnxruntime(f"onnxruntime cannot load {weights}"):
        if on_gpu:
            onnxruntime.preload_dlls()  # those of torch's CUDA, or of NVIDIA's packages
        loaded = tool(
            str(weights), model_input_size=input_size, backend="onnxruntime",
            device="cuda" if on_gpu else "cpu",
        )  # fmt: skip
    if on_gpu and CUDA in loaded.session.get_providers():
        return loaded
    if device == "cuda":
        told = [line for line in said.getvalue().splitlines() if line.startswith(_REASONS)]
        reason = told[0] if told else "no GPU, or no driver for it"
        raise DetectorError(f"--device cuda: onnxruntime cannot use CUDA here ({reason})")
    if threads is not None:  # rtmlib has no such option
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        loaded.session = onnxruntime.InferenceSession(str(weights), options, providers=[CPU])
    return loaded


@contextmanager
def errors_of_onnxruntime(what: str) -> Iterator[None]:
    """Turn errors of onnxruntime's, which have no base class of their own, into `DetectorError`.

    Args:
        what: What failed, for the message.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise DetectorError(f"{what} ({one_line(error)})") from error
