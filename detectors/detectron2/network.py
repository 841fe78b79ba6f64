"""Detectron2's network: reads and checks its config, loads its weights whole or refuses them."""

import pickle
from pathlib import Path
from typing import Any

from core.errors import DetectorError, WeightsError
from core.skeletons import COCO_17
from detectors.on_torch import first_line


def read_config(path: Path) -> Any:
    """Read a YAML config of Detectron2.

    Returns:
        Detectron2's `CfgNode`.

    Raises:
        DetectorError: It is no config, or its network does not find COCO's 17 keypoints.
    """
    import yaml
    from detectron2.config import get_cfg
    from detectron2.data import MetadataCatalog

    settings = get_cfg()
    try:
        settings.merge_from_file(str(path), allow_unsafe=False)
    except (OSError, yaml.YAMLError, KeyError, ValueError, AssertionError, AttributeError) as error:
        raise DetectorError(
            f"{path}: not a YAML config of Detectron2 ({first_line(error)})"
        ) from error
    names = [
        tuple(MetadataCatalog.get(name).get("keypoint_names", ()))
        for name in settings.DATASETS.TEST
    ]
    if not settings.MODEL.KEYPOINT_ON or names != [COCO_17.joints]:
        raise DetectorError(
            f"{path}: its network does not find COCO's keypoints; it needs MODEL.KEYPOINT_ON, and"
            " DATASETS.TEST a data set with COCO's 17 keypoints, as keypoints_coco_2017_val"
        )
    return settings


def load_network(settings: Any, weights: Path) -> Any:
    """Build the network of a config and load its weights.

    Args:
        settings: What `read_config` returns, with MODEL.DEVICE set.
        weights: The file of weights.

    Returns:
        The network, in evaluation mode.

    Raises:
        WeightsError: The weights are not those of this network.
    """
    from detectron2.checkpoint import DetectionCheckpointer
    from detectron2.modeling import build_model

    if not weights.is_file():
        raise WeightsError(f"{weights}: no such file of weights")

    class Checkpointer(DetectionCheckpointer):  # type: ignore[misc]
        """Refuses what the library only warns of: a network that is in part random."""

        def _log_incompatible_keys(self, incompatible: Any) -> None:
            foreign = [key for key in incompatible.unexpected_keys if key.startswith("backbone.")]
            wrong = [
                *incompatible.missing_keys,
                *(one[0] for one in incompatible.incorrect_shapes),
                *foreign,
            ]
            if wrong:
                raise ValueError(
                    f"{len(wrong)} of its parts do not fit the model, {wrong[0]} for one"
                )

    network = build_model(settings)
    try:
        Checkpointer(network).load(str(weights))
    except (
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        LookupError,
        AssertionError,
        pickle.UnpicklingError,
    ) as error:
        raise WeightsError(f"{weights}: not weights of this model ({first_line(error)})") from error
    return network.eval()


def keep_keypoints_in_single_precision(network: Any, device: str) -> None:
    """Let the keypoint head compute in single precision while the rest does in half.

    It computes coordinates in the type of its heatmaps, and half precision has no values between
    whole pixels beyond 1024.
    """
    import torch

    head = network.roi_heads.keypoint_head
    head.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(), *inputs[1:]))
    head.forward = torch.autocast(device, enabled=False)(head.forward)
