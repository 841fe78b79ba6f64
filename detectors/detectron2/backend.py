"""Detectron2's backend: its options, and whether it can run here.

Detectron2 and torch are imported only when something is asked of it.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.errors import DetectorError, UsageError
from core.options import option
from detectors.base import Availability, Detector
from detectors.detectron2.library import require_library
from detectors.detectron2.zoo import DEFAULT_MODEL, MODELS, fetch_weights, zoo_config, zoo_file
from detectors.on_torch import TorchBackend, pick_device


@dataclass(frozen=True)
class Detectron2Backend(TorchBackend):
    """Keypoint R-CNN: a model of the zoo, or any config and weights of the kind."""

    name = "detectron2"
    about = "Keypoint R-CNN of Detectron2, each frame by itself, on a GPU"
    packages = ("torchvision", "detectron2")
    prefer = True
    cpu_seconds = "about 4 s a frame on two cores"

    d2_model: str | None = option(
        None, f"network of Detectron2's model zoo (default: {DEFAULT_MODEL})", choices=tuple(MODELS)
    )
    d2_config: Path | None = option(
        None, "any other keypoint network of Detectron2, as YAML", metavar="FILE"
    )
    d2_weights: Path | None = option(
        None, "weights for Detectron2, instead of the zoo's", metavar="FILE"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.d2_config is not None and self.d2_model is not None:
            raise UsageError("`d2_config` and `d2_model` both say what the network is: give one")
        if self.d2_config is not None and self.d2_weights is None:
            raise UsageError(
                "`d2_config` needs `d2_weights`: there are no weights for it elsewhere"
            )

    def available(self) -> Availability:
        """Whether library, GPU and weights are here."""
        if find_spec("detectron2") is None:
            return Availability(False, "Detectron2 is not installed")
        if (missing := self.missing_gpu()) is not None:
            return Availability(False, missing)
        try:
            require_library()
        except DetectorError as error:
            return Availability(False, str(error))
        path = self.d2_weights or zoo_file(self._model)
        if not path.is_file():
            return Availability(False, f"Detectron2's weights are not at {path}")
        return Availability(
            True, "Detectron2 is installed, its weights are here, and there is a GPU"
        )

    def fetch(self) -> None:
        """Check library, device and config, and fetch the weights of a model of the zoo."""
        from detectors.detectron2.network import read_config

        require_library()
        pick_device(self.device, self.half)
        read_config(self.d2_config or zoo_config(self._model))
        if self.d2_weights is None:
            fetch_weights(self._model)

    def build(self, threads: int | None = None) -> Detector:
        """Build the detector; on a CPU, torch's own number of threads holds."""
        from detectors.detectron2.detector import Detectron2

        return Detectron2(self._model, self.d2_config, self.d2_weights, self.device, self.half)

    def weight_files(self) -> dict[str, Path]:
        """The file of `d2_weights`, where given."""
        return {} if self.d2_weights is None else {"detector": self.d2_weights}

    @property
    def _model(self) -> str:
        """The model of the zoo."""
        return self.d2_model or DEFAULT_MODEL
