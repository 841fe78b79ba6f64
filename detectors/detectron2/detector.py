"""Keypoint R-CNN of Detectron2 as a detector.

He et al., "Mask R-CNN", ICCV 2017, section 5; https://github.com/facebookresearch/detectron2. A
frame is treated as `detectron2.engine.DefaultPredictor` treats a picture, but several frames go
through the network at once on a GPU. Detectron2 need not be installed to import this module.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.skeletons import COCO_17
from core.types import Detections, Frame
from detectors.detectron2.library import require_library
from detectors.detectron2.network import (
    keep_keypoints_in_single_precision,
    load_network,
    read_config,
)
from detectors.detectron2.zoo import DEFAULT_MODEL, fetch_weights, zoo_config
from detectors.device import Device
from detectors.on_torch import TorchDetector, pick_device


class Detectron2(TorchDetector):
    """People in single frames, as COCO-17, by falling score.

    Box scores are the network's probability of a person. Keypoint scores are the peak of the
    keypoint's heatmap after a softmax over the box, which Detectron2 calls score and VideoPose3D's
    files `prob`; clipped to 0…1, because the peak is interpolated and may exceed 1.

    Args:
        model: A model of the zoo, a key of `MODELS`.
        config: The YAML config of another model.
        weights: Weights instead of those of the zoo; needed with `config`.
        device: Where the network runs; "auto" is the GPU if there is one.
        half: Whether it computes in half precision.

    Raises:
        DetectorError, WeightsError: It cannot be built here.
    """

    library = "Detectron2"

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        config: Path | None = None,
        weights: Path | None = None,
        device: Device = "auto",
        half: bool = False,
    ) -> None:
        require_library()
        from detectron2.data.transforms import ResizeShortestEdge

        picked = pick_device(device, half)
        settings = read_config(config or zoo_config(model))
        settings.MODEL.DEVICE = picked
        network = load_network(settings, weights or fetch_weights(model))
        self._half = half
        if half:
            keep_keypoints_in_single_precision(network, picked)
        sizes = settings.INPUT
        self._resize = ResizeShortestEdge(
            [sizes.MIN_SIZE_TEST, sizes.MIN_SIZE_TEST], sizes.MAX_SIZE_TEST
        )
        self._bgr = sizes.FORMAT == "BGR"
        super().__init__(network, picked)

    def _find(self, frames: Sequence[Frame]) -> list[Detections]:
        """Run the network, in half precision if asked for."""
        import torch

        inputs = [self._input(frame) for frame in frames]
        with (
            warnings.catch_warnings(),
            torch.autocast(self._device, torch.float16, enabled=self._half),
        ):
            # Of Detectron2's own use of it: a user can do nothing about it.
            warnings.filterwarnings("ignore", "torch.meshgrid")
            outputs = self._network(inputs)
        return [
            to_detections(frame, output["instances"])
            for frame, output in zip(frames, outputs, strict=True)
        ]

    def _input(self, frame: Frame) -> dict[str, Any]:
        """The frame as the network takes it: its colour order and size, (3, h, w) float32 0…255."""
        import torch

        height, width = frame.rgb.shape[:2]
        picture = frame.rgb[:, :, ::-1] if self._bgr else frame.rgb
        picture = self._resize.get_transform(picture).apply_image(picture)
        chw = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
        return {"image": torch.from_numpy(chw), "height": height, "width": width}


def to_detections(frame: Frame, instances: Any) -> Detections:
    """Convert Detectron2's `Instances`, in frame px."""
    keypoints = instances.pred_keypoints.float().cpu().numpy()  # (N, 17, 3): x, y, score
    return Detections(
        frame.index,
        instances.pred_boxes.tensor.float().cpu().numpy(),
        instances.scores.float().cpu().numpy(),
        keypoints[..., :2],
        keypoints[..., 2].clip(0, 1),
        np.full_like(keypoints, np.nan),
        COCO_17,
    )
