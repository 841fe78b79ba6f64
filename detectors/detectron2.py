"""Keypoint R-CNN of Detectron2 as a detector: a model of its zoo by short name, or any config and weights of the kind.

He et al., "Mask R-CNN", ICCV 2017, section 5; https://github.com/facebookresearch/detectron2. A frame is treated as
`detectron2.engine.DefaultPredictor` treats a picture, but several frames go through the network at once on a GPU.
Detectron2 need not be installed to import this module.
"""

import logging
import pickle
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.errors import DetectorError, WeightsError
from core.skeletons import COCO_17
from core.types import Detections, Frame

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")

MODELS = {
    "R-50-FPN": ("keypoint_rcnn_R_50_FPN_3x", "137849621/model_final_a6e10b.pkl"),
    "R-101-FPN": ("keypoint_rcnn_R_101_FPN_3x", "138363331/model_final_997cc7.pkl"),
    "X-101-FPN": ("keypoint_rcnn_X_101_32x8d_FPN_3x", "139686956/model_final_5ad38f.pkl"),
}
"""Short name → config and weights in the zoo's folder. Read here and not from `detectron2.model_zoo`, which cannot be
imported beside setuptools 82 and later (it wants `pkg_resources`)."""
DEFAULT_MODEL = "R-50-FPN"
ZOO_FOLDER = "COCO-Keypoints"
ZOO_URL = "https://dl.fbaipublicfiles.com/detectron2"

INSTALL = "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2'"
GPU_BATCH = 4
"""Frames that go through the network together on a GPU."""


class Detectron2:
    """People in single frames, as COCO-17, surest first; nothing is remembered from frame to frame.

    Box scores are the network's probability of a person. Keypoint scores are the peak of the keypoint's heatmap after a
    softmax over the box, which Detectron2 calls score and VideoPose3D's files `prob`; clipped to 0…1, because the
    peak is interpolated and may exceed 1. Raises `DetectorError` or `WeightsError` where it cannot be built.
    """

    skeleton = COCO_17

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

        self._device = pick_device(device, half)
        settings = read_config(config or zoo_config(model))
        settings.MODEL.DEVICE = self._device
        self._network = load_network(settings, weights or fetch_weights(model))
        self._half = half
        if half:
            keep_keypoints_whole(self._network, self._device)
        sizes = settings.INPUT
        self._resize = ResizeShortestEdge(
            [sizes.MIN_SIZE_TEST, sizes.MIN_SIZE_TEST], sizes.MAX_SIZE_TEST
        )
        self._bgr = sizes.FORMAT == "BGR"
        self.batch_size = 1 if self._device == "cpu" else GPU_BATCH

    def reset(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Free the network."""
        del self._network

    def detect(self, frame: Frame) -> Detections:
        """The people in `frame`."""
        return self.detect_batch([frame])[0]

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """The people in each of `frames`, which go through the network together."""
        import torch

        inputs = [self._input(frame) for frame in frames]
        try:
            with (
                warnings.catch_warnings(),
                torch.inference_mode(),
                torch.autocast(self._device, torch.float16, enabled=self._half),
            ):
                warnings.filterwarnings(
                    "ignore", "torch.meshgrid"
                )  # Detectron2's use of it; no user can mend it
                found = self._network(inputs)
        except torch.OutOfMemoryError as error:
            raise DetectorError(
                "the GPU's memory is too small for Detectron2: try --half or --device cpu"
            ) from error
        return [
            to_detections(frame, one["instances"]) for frame, one in zip(frames, found, strict=True)
        ]

    def _input(self, frame: Frame) -> dict[str, Any]:
        """The frame as the network wants it: its colour order and size, (3, h, w) float32 of 0…255."""
        import torch

        height, width = frame.rgb.shape[:2]
        picture = frame.rgb[:, :, ::-1] if self._bgr else frame.rgb
        picture = self._resize.get_transform(picture).apply_image(picture)
        chw = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
        return {"image": torch.from_numpy(chw), "height": height, "width": width}


def to_detections(frame: Frame, instances: Any) -> Detections:
    """Detectron2's `Instances`, in frame px, as ours."""
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


def shortfall(
    model: str = DEFAULT_MODEL,
    config: Path | None = None,
    weights: Path | None = None,
    device: Device = "auto",
    half: bool = False,
) -> str | None:
    """What is missing here for `Detectron2(…)` to run, at a GPU's speed and without a download; None if nothing is."""
    if find_spec("detectron2") is None:
        return "Detectron2 is not installed"
    if device == "cpu":
        return "--device cpu leaves no GPU for Detectron2"
    if not has_gpu():
        return "torch sees no GPU for Detectron2"
    try:
        require_library()
    except DetectorError as error:
        return str(error)
    path = weights or zoo_file(model)
    return None if path.is_file() else f"Detectron2's weights are not at {path}"


def require_all(
    model: str, config: Path | None, weights: Path | None, device: Device, half: bool
) -> None:
    """What `Detectron2(…)` asks for before it builds its network: library, device, config, and weights fetched."""
    require_library()
    pick_device(device, half)
    read_config(config or zoo_config(model))
    if weights is None:
        fetch_weights(model)


def require_library() -> None:
    """Import Detectron2; `DetectorError` says what to do where that fails."""
    try:
        import detectron2.layers  # noqa: F401  (loads its and torchvision's compiled parts)
    except ModuleNotFoundError as error:
        raise DetectorError(f"Detectron2 is not installed; install it with: {INSTALL}") from error
    except (ImportError, RuntimeError, OSError) as error:
        mend = "torchvision and Detectron2 must be built for the torch that is installed; then reinstall with"
        raise DetectorError(
            f"Detectron2 cannot be loaded ({first_line(error)}): {mend}: {INSTALL}"
        ) from error
    logging.getLogger("torch.fx._symbolic_trace").setLevel(
        logging.ERROR
    )  # of a call in Detectron2 that is outdated


def has_gpu() -> bool:
    """Whether torch sees a GPU."""
    import torch

    return torch.cuda.is_available()


def pick_device(wanted: Device, half: bool) -> str:
    """`cuda` or `cpu`; `DetectorError` where a GPU is asked for and there is none."""
    if wanted != "cpu" and has_gpu():
        return "cuda"
    if wanted == "cuda" or half:
        flag = "--half" if half else "--device cuda"
        raise DetectorError(f"{flag} needs a GPU, and torch sees none here")
    return "cpu"


def zoo_config(model: str) -> Path:
    """The config of a model of the zoo, which comes with the library."""
    import detectron2

    return (
        Path(detectron2.__file__).parent
        / "model_zoo"
        / "configs"
        / ZOO_FOLDER
        / f"{MODELS[model][0]}.yaml"
    )


def zoo_file(model: str) -> Path:
    """Where Detectron2's path handler keeps, or would keep, the weights of a model of the zoo."""
    from iopath.common.file_io import get_cache_dir

    return Path(get_cache_dir()).joinpath("detectron2", ZOO_FOLDER, *MODELS[model])


def fetch_weights(model: str) -> Path:
    """The weights of a model of the zoo, fetched by Detectron2's path handler unless they are there already."""
    from detectron2.utils.file_io import PathManager

    url = "/".join((ZOO_URL, ZOO_FOLDER, *MODELS[model]))
    logging.getLogger("iopath").setLevel(
        logging.CRITICAL
    )  # what it complains of is said below, in one line
    try:
        return Path(PathManager.get_local_path(url))
    except OSError as error:
        by_hand = (
            f"fetch {url} elsewhere, and name it with --d2-weights or put it at {zoo_file(model)}"
        )
        raise WeightsError(
            f"cannot fetch Detectron2's {model} ({first_line(error)}); {by_hand}"
        ) from error


def read_config(path: Path) -> Any:
    """A YAML config of Detectron2; `DetectorError` unless its network finds COCO's 17 keypoints."""
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
        want = "MODEL.KEYPOINT_ON, and DATASETS.TEST a data set with COCO's 17 keypoints, as keypoints_coco_2017_val"
        raise DetectorError(f"{path}: its network does not find COCO's keypoints; it needs {want}")
    return settings


def load_network(settings: Any, weights: Path) -> Any:
    """The network of a config with its weights, ready to run; `WeightsError` where they do not belong together."""
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


def keep_keypoints_whole(network: Any, device: str) -> None:
    """Let the keypoint head compute in single precision when the rest does in half.

    It makes coordinates in the type of its heatmaps, and half precision counts pixels beyond 1024 one by one.
    """
    import torch

    head = network.roi_heads.keypoint_head
    head.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(), *inputs[1:]))
    head.forward = torch.autocast(device, enabled=False)(head.forward)


def first_line(error: BaseException) -> str:
    """The part of an error's text that fits a line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
