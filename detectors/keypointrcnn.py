"""Keypoint R-CNN of torchvision as a detector: a network for GPUs that needs no build.

He et al., "Mask R-CNN", ICCV 2017, section 5; `torchvision.models.detection.keypoint_rcnn`. A
frame is treated as torchvision's network treats a picture (shorter side to 800 px). torchvision
need not be installed to import this module.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DetectorError, WeightsError
from core.options import option
from core.skeletons import COCO_17
from core.types import Detections, Frame
from detectors.base import Availability, Detector
from detectors.device import Device
from detectors.on_torch import (
    TorchBackend,
    TorchDetector,
    first_line,
    pick_device,
    require_torchvision,
)
from weights.store import Store, resolve

if TYPE_CHECKING:
    import torch

WEIGHTS = "keypointrcnn-resnet50"
"""torchvision's COCO_V1 weights, a name in `weights/manifest.toml`."""


@dataclass(frozen=True)
class KeypointRCNNBackend(TorchBackend):
    """Keypoint R-CNN with a ResNet-50 as torchvision has it."""

    name = "keypointrcnn"
    about = "Keypoint R-CNN of torchvision, each frame by itself, on a GPU"
    prefer = True
    cpu_seconds = "about 4 s a frame on two cores"

    keypointrcnn_weights: Path | None = option(
        None, "weights for torchvision's keypointrcnn_resnet50_fpn, instead of COCO_V1",
        metavar="FILE",
    )  # fmt: skip

    def available(self) -> Availability:
        """Whether torchvision, GPU and weights are here."""
        if find_spec("torchvision") is None:
            return Availability(False, "torchvision is not installed")
        if (missing := self.missing_gpu()) is not None:
            return Availability(False, missing)
        try:
            require_torchvision(self.name)
        except DetectorError as error:
            return Availability(False, str(error))
        store = Store()
        path = self.keypointrcnn_weights or store.path(store.entries[WEIGHTS])
        if not path.is_file():
            fetch = f"python -m weights fetch {WEIGHTS}"
            return Availability(False, f"torchvision's weights are not at {path} ({fetch})")
        return Availability(
            True, "torchvision is installed, its weights are here, and there is a GPU"
        )

    def fetch(self) -> None:
        """Check library and device, and fetch the weights."""
        require_torchvision(self.name)
        pick_device(self.device, self.half)
        resolve(self.keypointrcnn_weights or WEIGHTS)

    def weight_names(self) -> tuple[str, ...]:
        """COCO_V1, unless the user gave others."""
        return (WEIGHTS,) if self.keypointrcnn_weights is None else ()

    def build(self, threads: int | None = None) -> Detector:
        """Build the detector; on a CPU, torch's own number of threads holds."""
        return KeypointRCNN(self.keypointrcnn_weights, self.device, self.half)

    def weight_files(self) -> dict[str, Path]:
        """The file of `keypointrcnn_weights`, where given."""
        given = self.keypointrcnn_weights
        return {} if given is None else {"detector": given}


class KeypointRCNN(TorchDetector):
    """People in single frames, as COCO-17, by falling score.

    Box scores are the network's probability of a person. Keypoint scores are the peak of the
    keypoint's heatmap after a softmax over the box, as Detectron2 gives them, clipped to 0…1;
    torchvision's own are the peak's logit.

    Args:
        weights: A file of weights; None for torchvision's COCO_V1.
        device: Where the network runs; "auto" is the GPU if there is one.
        half: Whether the backbone, which takes most of the time, computes in half precision. The
            heads do not: half precision knows no coordinates between whole pixels beyond 1024.

    Raises:
        DetectorError, WeightsError: It cannot be built here.
    """

    library = KeypointRCNNBackend.name

    def __init__(
        self, weights: Path | None = None, device: Device = "auto", half: bool = False
    ) -> None:
        require_torchvision(KeypointRCNNBackend.name)
        picked = pick_device(device, half)
        network = load_network(resolve(weights or WEIGHTS)).to(picked)
        if half:
            _compute_features_in_half(network, picked)
        self._heatmaps: torch.Tensor
        network.roi_heads.keypoint_predictor.register_forward_hook(self._keep_heatmaps)
        super().__init__(network, picked)

    def _find(self, frames: Sequence[Frame]) -> list[Detections]:
        """Run the network; of its heatmaps, keypoints' scores are made."""
        import torch

        found = self._network([self._input(frame) for frame in frames])
        heatmaps = torch.split(self._heatmaps, [len(one["boxes"]) for one in found])
        return [
            _to_detections(frame, one, _peaks(one["keypoints_scores"], maps))
            for frame, one, maps in zip(frames, found, heatmaps, strict=True)
        ]

    def _input(self, frame: Frame) -> "torch.Tensor":
        """The frame as the network takes it: RGB (3, H, W), 0…1."""
        import torch

        picture = torch.from_numpy(np.ascontiguousarray(frame.rgb)).to(self._device)
        return picture.permute(2, 0, 1).float() / 255

    def _keep_heatmaps(self, module: Any, inputs: Any, heatmaps: "torch.Tensor") -> None:
        """Keep the logits (people of all frames, 17, h, w), which the network does not return."""
        self._heatmaps = heatmaps


def load_network(weights: Path) -> Any:
    """Build torchvision's `keypointrcnn_resnet50_fpn` with the weights of a file.

    Args:
        weights: A state dict that `torch.save` wrote.

    Returns:
        The network, in evaluation mode.

    Raises:
        WeightsError: The weights are not those of this network.
    """
    import torch
    from torchvision.models.detection import KeypointRCNN as Network
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d

    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d, trainable_layers=0
    )
    network = Network(backbone, num_classes=2, num_keypoints=len(COCO_17.joints))
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = 0.0  # COCO_V1 was trained so
    try:
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except (
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        pickle.UnpicklingError,
    ) as error:
        raise WeightsError(
            f"{weights}: not weights of torchvision's keypointrcnn_resnet50_fpn"
            f" ({first_line(error)})"
        ) from error
    return network.eval()


def _compute_features_in_half(network: Any, device: str) -> None:
    """Let the backbone compute in half precision; its features come out in single precision."""
    import torch

    forward = torch.autocast(device, torch.float16)(network.backbone.forward)
    network.backbone.forward = lambda pictures: {
        level: features.float() for level, features in forward(pictures).items()
    }


def _peaks(logits: "torch.Tensor", heatmaps: "torch.Tensor") -> "torch.Tensor":
    """The heatmaps' peaks as probabilities: exp(peak) / Σ exp(heatmap).

    Args:
        logits: (N, 17), the peak of each heatmap enlarged to its box.
        heatmaps: (N, 17, h, w), the logits.

    Returns:
        (N, 17), 0…1; clipped, because the peak is interpolated and may exceed 1.
    """
    return (logits - heatmaps.float().flatten(2).logsumexp(2)).exp().clamp(0, 1)


def _to_detections(frame: Frame, found: Any, scores: "torch.Tensor") -> Detections:
    """Convert torchvision's output for a frame, in frame px."""
    keypoints = found["keypoints"].cpu().numpy()  # (N, 17, 3): x, y, 1
    return Detections(
        frame.index,
        found["boxes"].cpu().numpy(),
        found["scores"].cpu().numpy(),
        keypoints[..., :2],
        scores.cpu().numpy(),
        np.full_like(keypoints, np.nan),
        COCO_17,
    )
