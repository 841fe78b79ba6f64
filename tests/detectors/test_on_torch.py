"""What is told of GPUs that torch cannot use, or whose memory is too small."""

import warnings
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from core.errors import DetectorError
from core.types import Detections, Frame
from detectors.on_torch import GPU_BATCH, TorchDetector, gpu_problem, pick_device

OLD_DRIVER = (
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU"
    " driver by downloading and installing a new version."
)
NO_DRIVER = "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (OLD_DRIVER, "too old for this torch: it knows CUDA up to 11.4, torch 13.0 is needed"),
        (NO_DRIVER, "there is no NVIDIA driver"),
        ("No CUDA GPUs are available", "No CUDA GPUs are available"),
    ],
)
def test_an_old_driver_and_a_missing_gpu_are_told_from_each_other(
    said: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_available() -> bool:
        warnings.warn("CUDA initialization: …", stacklevel=1)
        return False

    def init() -> None:
        raise RuntimeError(said)

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", init)
    assert problem in (gpu_problem() or "")
    with pytest.raises(DetectorError, match="--device cuda needs a GPU") as caught:
        pick_device("cuda", half=False)
    assert problem in str(caught.value)
    with pytest.raises(DetectorError, match="--half needs a GPU"):
        pick_device("auto", half=True)
    assert pick_device("auto", half=False) == "cpu"


def test_a_torch_for_cpus_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert gpu_problem() == f"torch {torch.__version__} is a build for CPUs alone"


def test_a_gpu_is_taken_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert gpu_problem() is None
    assert pick_device("auto", half=True) == "cuda"
    assert pick_device("cpu", half=False) == "cpu"


class Large(TorchDetector):
    library = "large"

    def _find(self, frames: Sequence[Frame]) -> list[Detections]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_a_gpu_without_memory_is_told_what_to_do() -> None:
    detector = Large(network=None, device="cuda")
    assert detector.batch_size == GPU_BATCH
    frame = Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DetectorError, match="too small for large: try --half or --device cpu"):
        detector.detect(frame)
    assert Large(network=None, device="cpu").batch_size == 1
