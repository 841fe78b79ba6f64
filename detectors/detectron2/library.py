"""Whether Detectron2 can be used here; it need not be installed to import this module."""

import logging
from importlib.util import find_spec

from core.errors import DetectorError
from detectors.on_torch import first_line, require_torchvision

INSTALL = (
    "CUDA_VISIBLE_DEVICES= pip install --no-build-isolation"
    " 'git+https://github.com/facebookresearch/detectron2'"
)


def require_library() -> None:
    """Import Detectron2.

    Raises:
        DetectorError: That fails; the message says what is missing and what to do.
    """
    if find_spec("detectron2") is None:
        raise DetectorError(f"Detectron2 is not installed; install it with: {INSTALL}")
    require_torchvision("Detectron2")
    try:
        import detectron2.layers
        import detectron2.modeling  # noqa: F401  (loads compiled parts and what networks need)
    except ModuleNotFoundError as error:
        raise DetectorError(
            f"Detectron2 lacks the module {error.name}; install that, or all anew with: {INSTALL}"
        ) from error
    except (ImportError, RuntimeError, OSError) as error:
        raise DetectorError(
            f"Detectron2 cannot be loaded ({first_line(error)}): it must be built for the torch"
            f" that is installed; reinstall it with: {INSTALL}"
        ) from error
    # It warns of an outdated call in Detectron2.
    logging.getLogger("torch.fx._symbolic_trace").setLevel(logging.ERROR)
