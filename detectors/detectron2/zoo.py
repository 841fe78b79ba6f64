"""The Keypoint R-CNN models of Detectron2's model zoo: their names, configs and weights."""

import logging
from pathlib import Path

from core.errors import WeightsError
from detectors.on_torch import first_line

MODELS = {
    "R-50-FPN": ("keypoint_rcnn_R_50_FPN_3x", "137849621/model_final_a6e10b.pkl"),
    "R-101-FPN": ("keypoint_rcnn_R_101_FPN_3x", "138363331/model_final_997cc7.pkl"),
    "X-101-FPN": ("keypoint_rcnn_X_101_32x8d_FPN_3x", "139686956/model_final_5ad38f.pkl"),
}
"""Short name → config and weights in the zoo's folder. They are not read from
`detectron2.model_zoo`, which cannot be imported beside setuptools 82 and later (it wants
`pkg_resources`)."""
DEFAULT_MODEL = "R-50-FPN"
ZOO_FOLDER = "COCO-Keypoints"
ZOO_URL = "https://dl.fbaipublicfiles.com/detectron2"


def zoo_config(model: str) -> Path:
    """The config of a model of the zoo, which comes with the library."""
    import detectron2

    configs = Path(detectron2.__file__).parent / "model_zoo" / "configs"
    return configs / ZOO_FOLDER / f"{MODELS[model][0]}.yaml"


def zoo_file(model: str) -> Path:
    """Where Detectron2's path handler keeps, or would keep, the weights of a model of the zoo."""
    from iopath.common.file_io import get_cache_dir

    return Path(get_cache_dir()).joinpath("detectron2", ZOO_FOLDER, *MODELS[model])


def fetch_weights(model: str) -> Path:
    """Fetch the weights of a model of the zoo with Detectron2's path handler, unless it has them.

    Raises:
        WeightsError: They cannot be fetched; the message says how to do it by hand.
    """
    from detectron2.utils.file_io import PathManager

    url = "/".join((ZOO_URL, ZOO_FOLDER, *MODELS[model]))
    # The error below says in one line what it would log.
    logging.getLogger("iopath").setLevel(logging.CRITICAL)
    try:
        return Path(PathManager.get_local_path(url))
    except OSError as error:
        by_hand = (
            f"fetch {url} elsewhere, and name it with --d2-weights or put it at {zoo_file(model)}"
        )
        raise WeightsError(
            f"cannot fetch Detectron2's {model} ({first_line(error)}); {by_hand}"
        ) from error
