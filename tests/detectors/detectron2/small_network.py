"""A small Keypoint R-CNN for tests where Detectron2 is installed."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from detectors.detectron2.network import read_config
from detectors.detectron2.zoo import zoo_config

needs_library = pytest.mark.skipif(
    find_spec("detectron2") is None, reason="Detectron2 is not installed here"
)
library_warns = pytest.mark.filterwarnings(
    "default"
)  # the library's own warnings are not ours to mend


SMALL = """
_BASE_: {zoo}
MODEL:
  RESNETS: {{DEPTH: {depth}, RES2_OUT_CHANNELS: 64}}
  RPN: {{POST_NMS_TOPK_TEST: 300}}
  ROI_BOX_HEAD: {{FC_DIM: 64}}
  ROI_KEYPOINT_HEAD: {{CONV_DIMS: [64, 64]}}
INPUT: {{MIN_SIZE_TEST: 200, MAX_SIZE_TEST: 320}}
TEST: {{DETECTIONS_PER_IMAGE: 20}}
"""


def small_network(folder: Path, depth: int) -> dict[str, Path]:
    """Write a config of a small Keypoint R-CNN and random weights that find something."""
    from detectron2.modeling import build_model

    config, weights = folder / f"{depth}.yaml", folder / f"{depth}.pth"
    config.write_text(SMALL.format(zoo=zoo_config("R-50-FPN"), depth=depth))
    settings = read_config(config)
    settings.MODEL.DEVICE = "cpu"
    torch.manual_seed(1)
    network = build_model(settings)
    with torch.no_grad():
        for module in network.modules():
            if type(module).__name__ == "FrozenBatchNorm2d":
                module.weight.fill_(0.5)  # as made, the signal doubles with every block
        network.backbone.bottom_up.stem.conv1.weight.div_(60)  # the spread of pixels
        network.proposal_generator.rpn_head.objectness_logits.weight.normal_(std=0.1)
        network.roi_heads.box_predictor.cls_score.weight.normal_(std=3.0)
        network.roi_heads.box_predictor.bbox_pred.bias.copy_(
            torch.tensor([0.0, 0.0, 2.0, 5.0])
        )  # upright boxes
        network.roi_heads.keypoint_head.score_lowres.weight.normal_(std=0.6)
    torch.save({"model": network.state_dict()}, weights)
    return {"config": config, "weights": weights}
