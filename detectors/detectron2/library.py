"""Whether Detectron2 and a GPU can be used here.

Detectron2 need not be installed to import this module; torch is imported when it is asked.
"""

import logging
from typing import Literal

from core.errors import DetectorError

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")

INSTALL = "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2'"


def require_library() -> None:
    """Import Detectron2.

    Raises:
        DetectorError: That fails; the message says what to do.
    """
    try:
        import detectron2.layers  # noqa: F401  (loads its and torchvision's compiled parts)
    except ModuleNotFoundError as error:
        raise DetectorError(f"Detectron2 is not installed; install it with: {INSTALL}") from error
    except (ImportError, RuntimeError, OSError) as error:
        raise DetectorError(
            f"Detectron2 cannot be loaded ({first_line(error)}): torchvision and Detectron2 must be"
            f" built for the torch that is installed; then reinstall with: {INSTALL}"
        ) from error
    # It warns of an outdated call in Detectron2.
    logging.getLogger("torch.fx._symbolic_trace").setLevel(logging.ERROR)


def has_gpu() -> bool:
    """Whether torch sees a GPU."""
    import torch

    return torch.cuda.is_available()


def pick_device(wanted: Device, half: bool) -> str:
    """Pick where the network runs.

    Args:
        wanted: The device asked for; "auto" is the GPU if there is one.
        half: Whether half precision is asked for, which needs a GPU.

    Returns:
        "cuda" or "cpu".

    Raises:
        DetectorError: A GPU is needed and there is none.
    """
    if wanted != "cpu" and has_gpu():
        return "cuda"
    if wanted == "cuda" or half:
        flag = "--half" if half else "--device cuda"
        raise DetectorError(f"{flag} needs a GPU, and torch sees none here")
    return "cpu"


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).splitlines() or [type(error).__name__])[0]
