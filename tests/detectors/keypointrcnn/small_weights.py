"""Random weights for torchvision's Keypoint R-CNN, for tests where torchvision is installed."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

needs_torchvision = pytest.mark.skipif(
    find_spec("torchvision") is None, reason="torchvision is not installed here"
)
library_warns = pytest.mark.filterwarnings(
    "default"
)  # the library's own warnings are not ours to mend


def random_weights(path: Path) -> Path:
    """Write random weights that find something."""
    from torchvision.models.detection import KeypointRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    torch.manual_seed(1)
    backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, trainable_layers=0)
    network = KeypointRCNN(backbone, num_classes=2)
    with torch.no_grad():
        for module in network.modules():
            if type(module).__name__ == "FrozenBatchNorm2d":
                module.weight.fill_(0.5)  # as made, the signal doubles with every block
        network.rpn.head.cls_logits.weight.normal_(std=0.1)
        network.roi_heads.box_predictor.cls_score.weight.normal_(std=3.0)
        network.roi_heads.box_predictor.bbox_pred.bias.copy_(
            torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 5.0])
        )  # upright boxes
        network.roi_heads.keypoint_predictor.kps_score_lowres.weight.normal_(std=3.0)
    torch.save(network.state_dict(), path)
    return path
