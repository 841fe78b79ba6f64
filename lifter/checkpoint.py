"""Lifter files: our safetensors with a JSON header, and VideoPose3D's `.bin`.

Both are opened without running any code that they hold.
"""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from core.errors import WeightsError, one_line
from core.files import written_whole
from core.skeletons import BY_NAME, COCO_17, H36M_17, Skeleton
from lifter.model import ModelConfig, TemporalConvNet, config_from_state
from lifter.network import LiftingNetwork, NetworkConfig, network_classes
from lifter.normalize import NORMALIZATIONS
from lifter.published import read_published
from lifter.trained_on import trained_on

_FORMAT = 1
_HEADER_KEY = "video3d"
_PUBLISHED_SKELETONS = {
    "pretrained_h36m_detectron_coco": COCO_17,
    "pretrained_h36m_cpn": H36M_17,
}
"""What the networks take that VideoPose3D's authors published, by the names of their files."""
_MAX_BYTES = 4 << 30  # of a lifter file: hundreds of times what ours take
_MAX_FRAMES = 10_000  # that a network looks at: minutes
_FARTHEST_M = 1e6  # of a joint from the pelvis, however bad the network


@dataclass(frozen=True)
class LifterSpec:
    """What must be known to use a network.

    Raises:
        ValueError: The normalization is unknown or the frame rate out of range.
    """

    model: NetworkConfig
    """The network's sizes; its class says the architecture."""
    skeleton_in: Skeleton
    """Skeleton of the keypoints it takes."""
    skeleton_out: Skeleton
    """Skeleton of the joints it gives."""
    fps: float
    """Frame rate of its input, Hz."""
    normalization: str
    """One of `lifter.normalize.NORMALIZATIONS`."""
    training: dict[str, Any] = field(default_factory=dict)
    """How it was trained, for people to read."""

    def __post_init__(self) -> None:
        if self.normalization not in NORMALIZATIONS:
            raise ValueError(
                f"normalization must be one of {NORMALIZATIONS}, got {self.normalization!r}"
            )
        if not 1 <= self.fps <= 1000:
            raise ValueError(f"fps must lie between 1 and 1000, got {self.fps}")


def save_lifter(
    path: Path, model: nn.Module, spec: LifterSpec, dtype: torch.dtype = torch.float16
) -> None:
    """Write a safetensors file whose header is the spec; whole or not at all.

    Args:
        path: The file to write; one that is there is replaced.
        model: The network that `spec.model` describes.
        spec: What the header says.
        dtype: Type of floating point tensors in the file.

    Raises:
        OSError: The file cannot be written.
    """
    header = {
        "format": _FORMAT,
        "architecture": spec.model.architecture,
        "model": spec.model.as_dict(),
        "skeleton_in": _skeleton_header(spec.skeleton_in),
        "skeleton_out": _skeleton_header(spec.skeleton_out),
        "fps": spec.fps,
        "normalization": spec.normalization,
        "training": spec.training,
    }
    tensors = {
        name: (tensor.to(dtype) if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in model.state_dict().items()
    }
    with written_whole(path) as partial:
        partial.write_bytes(save(tensors, {_HEADER_KEY: json.dumps(header)}))


def load_lifter(path: Path) -> tuple[LiftingNetwork, LifterSpec]:
    """Open a lifter of either kind.

    Args:
        path: A `.safetensors` file of `save_lifter`, else a checkpoint of VideoPose3D.

    Returns:
        The network, in evaluation mode and float32, and what must be known to use it.

    Raises:
        WeightsError: The file is no lifter; the text says what is wrong with it.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise ValueError("is no file")
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("is too large for a lifter")
        is_ours = path.suffix == ".safetensors"
        return _load_safetensors(path) if is_ours else _load_published(path)
    except WeightsError:
        raise
    except Exception as error:  # torch, and networks of a header of unknown origin, raise anything
        raise WeightsError(f"{path}: {one_line(error)}") from error


def _load_published(path: Path) -> tuple[LiftingNetwork, LifterSpec]:
    """The pose network of a checkpoint of VideoPose3D, which says nothing of its keypoints.

    Its networks give H36M_17 at 50 Hz; `_build` refuses others.
    """
    state = read_published(path)["model_pos"]
    config = config_from_state(state)
    spec = LifterSpec(config, COCO_17, H36M_17, fps=50.0, normalization="screen")
    network = _build(TemporalConvNet, spec, state)
    skeleton = _PUBLISHED_SKELETONS.get(path.stem) or trained_on(state)
    if skeleton is None:
        raise ValueError(
            "neither says nor shows whether it takes COCO's or Human3.6M's keypoints;"
            " give the .safetensors that `python -m train` writes beside its .bin"
        )
    return network, replace(spec, skeleton_in=skeleton)


def _load_safetensors(path: Path) -> tuple[LiftingNetwork, LifterSpec]:
    """A file of `save_lifter`."""
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER_KEY, "{}"))
            names = file.keys()  # the file is no dict: it cannot be iterated over
            state = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(f"not a readable safetensors file ({error})") from error
    written = header.get("format") if isinstance(header, dict) else None
    if written != _FORMAT:
        raise ValueError(f"no lifter of this program (format {written}, expected {_FORMAT})")
    network_class = _network_class(header)
    try:
        spec = LifterSpec(
            network_class.config_class(**header["model"]),
            _skeleton_from_header(header["skeleton_in"]),
            _skeleton_from_header(header["skeleton_out"]),
            float(header["fps"]),
            header["normalization"],
            header.get("training", {}),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its header is damaged ({error})") from error
    return _build(network_class, spec, state), spec


def _network_class(header: dict[str, Any]) -> type[LiftingNetwork]:
    """The network that a header names; files without a name are older than the field."""
    name = str(header.get("architecture", ModelConfig.architecture))
    known = network_classes()
    if name not in known:
        raise ValueError(f"its architecture {name} is unknown; there is {', '.join(sorted(known))}")
    return known[name]


def _build(
    network_class: type[LiftingNetwork], spec: LifterSpec, state: dict[str, Tensor]
) -> LiftingNetwork:
    """The network of a spec with a file's tensors; an exception where it could not be used."""
    spec.model.check_tensors(state)  # first: a header may name a network of any size
    if spec.model.receptive_field > _MAX_FRAMES:
        raise ValueError(
            f"looks at {spec.model.receptive_field} frames at once, at most {_MAX_FRAMES} are taken"
        )
    # `person` windows carry the torso's path as one keypoint more
    joints = (spec.model.joints_in - (spec.normalization == "person"), spec.model.joints_out)
    if joints != (len(spec.skeleton_in), len(spec.skeleton_out)):
        raise ValueError(
            f"takes {joints[0]} keypoints to {joints[1]} joints, but "
            f"{spec.skeleton_in.name} has {len(spec.skeleton_in)} and "
            f"{spec.skeleton_out.name} {len(spec.skeleton_out)}"
        )
    if spec.model.features_out not in (3, 4):
        raise ValueError(f"gives {spec.model.features_out} numbers per joint, expected 3 or 4")
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise ValueError("its tensors hold numbers that are not finite")
    try:
        model = network_class(spec.model)
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError("its tensors do not fit the network it describes") from error
    model = model.float().eval()
    _try_out(model)
    return model


def _try_out(model: LiftingNetwork) -> None:
    """`ValueError` where a network's joints for a window of numbers from -1 to 1 are no joints."""
    sizes = model.config
    shape = (1, sizes.receptive_field, sizes.joints_in, sizes.features_in)
    with torch.inference_mode():
        joints = model(torch.linspace(-1, 1, math.prod(shape)).view(shape))
    if joints.shape != (1, 1, sizes.joints_out, sizes.features_out):
        raise ValueError(f"gives numbers of shape {tuple(joints.shape)}, which are no joints")
    if not (joints.abs() < _FARTHEST_M).all():  # nor NaN
        raise ValueError("gives joints that are farther away than any, its numbers are damaged")


def _skeleton_header(skeleton: Skeleton) -> dict[str, Any]:
    """A skeleton's part of the header."""
    return {"name": skeleton.name, "joints": skeleton.joints, "parents": skeleton.parents}


def _skeleton_from_header(header: dict[str, Any]) -> Skeleton:
    """The inverse of `_skeleton_header`; `ValueError` for other joints under one of our names."""
    skeleton = Skeleton(header["name"], tuple(header["joints"]), tuple(header["parents"]))
    known = BY_NAME.get(skeleton.name, skeleton)
    if skeleton != known:
        raise ValueError(f"skeleton {skeleton.name} has other joints than ours of that name")
    return skeleton
