"""Lifter files: our safetensors with a JSON header, and VideoPose3D's `.bin`.

Both are opened without running any code that they hold, and ours without torch.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from core.errors import WeightsError, one_line
from core.files import written_whole
from core.skeletons import BY_NAME, COCO_17, H36M_17, Skeleton
from core.types import Array
from lifter.config import ModelConfig, NetworkConfig, PoseNetwork, config_from_state
from lifter.convnet import ConvNet
from lifter.normalize import NORMALIZATIONS

if TYPE_CHECKING:
    from torch import nn

    from lifter.network import LiftingNetwork

_FORMAT = 1
_HEADER_KEY = "video3d"
_PUBLISHED_SKELETONS = {
    "pretrained_h36m_detectron_coco": COCO_17,
    "pretrained_h36m_cpn": H36M_17,
}
"""What the networks take that VideoPose3D's authors published, by the names of their files."""
_MAX_BYTES = 4 << 30  # of a lifter file: hundreds of times what ours take
_MAX_FRAMES = 10_000  # that a network looks at: minutes
_LARGEST_FACTOR = 100.0  # of σ of hidden joints
_FARTHEST_M = 1e6  # of a joint from the pelvis, however bad the network

_Network = TypeVar("_Network", bound=PoseNetwork)


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
    hidden_sigma: tuple[float, ...] = ()
    """By how much σ of each joint is larger where its keypoint is not seen; empty: not at all."""

    def __post_init__(self) -> None:
        if self.normalization not in NORMALIZATIONS:
            raise ValueError(
                f"normalization must be one of {NORMALIZATIONS}, got {self.normalization!r}"
            )
        if not 1 <= self.fps <= 1000:
            raise ValueError(f"fps must lie between 1 and 1000, got {self.fps}")
        if self.hidden_sigma and len(self.hidden_sigma) != len(self.skeleton_out):
            raise ValueError(
                f"hidden_sigma has {len(self.hidden_sigma)} numbers, one a joint is due"
            )
        if not all(0 < factor < _LARGEST_FACTOR for factor in self.hidden_sigma):
            raise ValueError(f"hidden_sigma must be positive numbers, got {self.hidden_sigma}")


def save_lifter(
    path: Path, model: "nn.Module", spec: LifterSpec, dtype: DTypeLike = np.float16
) -> None:
    """Write a safetensors file whose header is the spec; whole or not at all.

    Args:
        path: The file to write; one that is there is replaced.
        model: The network that `spec.model` describes.
        spec: What the header says.
        dtype: Type of floating point numbers in the file.

    Raises:
        OSError: The file cannot be written.
    """
    write_lifter(path, {k: v.cpu().numpy() for k, v in model.state_dict().items()}, spec, dtype)


def write_lifter(
    path: Path, state: Mapping[str, Array], spec: LifterSpec, dtype: DTypeLike = np.float16
) -> None:
    """`save_lifter` of a network's arrays by their names."""
    arrays = {
        # `array`, which keeps axes of no length, as a counter has
        name: np.array(array, dtype if array.dtype.kind == "f" else None, order="C")
        for name, array in state.items()
    }
    with written_whole(path) as partial:
        partial.write_bytes(save(arrays, {_HEADER_KEY: header_text(spec)}))


def header_text(spec: LifterSpec) -> str:
    """The header of a lifter file, JSON."""
    header = {
        "format": _FORMAT,
        "architecture": spec.model.architecture,
        "model": spec.model.as_dict(),
        "skeleton_in": _skeleton_header(spec.skeleton_in),
        "skeleton_out": _skeleton_header(spec.skeleton_out),
        "fps": spec.fps,
        "normalization": spec.normalization,
        "training": spec.training,
        "hidden_sigma": spec.hidden_sigma,
    }
    return json.dumps(header)


def read_lifter(path: Path) -> tuple[dict[str, Array], LifterSpec]:
    """Read what `write_lifter` wrote, a temporal ConvNet.

    Raises:
        WeightsError: The file is none; the text says what is wrong with it.
    """
    with _errors_of(path):
        state, header = _read(path)
        if _architecture(header) != ModelConfig.architecture:
            raise ValueError("is no temporal ConvNet")
        return state, _checked_spec(header, ModelConfig, state)


def open_lifter(path: Path) -> tuple[PoseNetwork, LifterSpec]:
    """Open a lifter of either kind for inference; torch is loaded only where a network needs it.

    Args:
        path: A `.safetensors` file of `save_lifter`, else a checkpoint of VideoPose3D.

    Returns:
        The network and what must be known to use it.

    Raises:
        WeightsError: The file is no lifter; the text says what is wrong with it.
    """
    with _errors_of(path):
        if path.suffix == ".safetensors":
            state, header = _read(path)
            if _architecture(header) == ModelConfig.architecture:
                spec = _checked_spec(header, ModelConfig, state)
                if isinstance(spec.model, ModelConfig) and not spec.model.dense:
                    return _tried_out(ConvNet(spec.model, state)), spec
    return load_lifter(path)


def load_lifter(path: Path) -> "tuple[LiftingNetwork, LifterSpec]":
    """Open a lifter of either kind as a network in torch, for training.

    Args:
        path: As for `open_lifter`.

    Returns:
        The network, in evaluation mode and float32, and what must be known to use it.

    Raises:
        WeightsError: The file is no lifter; the text says what is wrong with it.
    """
    from lifter.network import network_classes

    with _errors_of(path):
        if path.suffix != ".safetensors":
            return _load_published(path)
        state, header = _read(path)
        name, known = _architecture(header), network_classes()
        if name not in known:
            raise ValueError(
                f"its architecture {name} is unknown; there is {', '.join(sorted(known))}"
            )
        spec = _checked_spec(header, known[name].config_class, state)
        return _on_torch(known[name], spec, state), spec


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Check that a file may be opened as a lifter; what goes wrong inside names it."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise ValueError("is no file")
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("is too large for a lifter")
        yield
    except WeightsError:
        raise
    except Exception as error:  # torch, and networks of a header of unknown origin, raise anything
        raise WeightsError(f"{path}: {one_line(error)}") from error


def _load_published(path: Path) -> "tuple[LiftingNetwork, LifterSpec]":
    """The pose network of a checkpoint of VideoPose3D, which says nothing of its keypoints.

    Its networks give H36M_17 at 50 Hz; `_check` refuses others.
    """
    from lifter.model import TemporalConvNet
    from lifter.published.pickles import read_published
    from lifter.published.trained_on import trained_on

    tensors = read_published(path)["model_pos"]
    state = {name: tensor.detach().float().numpy() for name, tensor in tensors.items()}
    config = config_from_state(tensors)
    spec = LifterSpec(config, COCO_17, H36M_17, fps=50.0, normalization="screen")
    _check(spec, state)
    network = _on_torch(TemporalConvNet, spec, state)
    skeleton = _PUBLISHED_SKELETONS.get(path.stem) or trained_on(tensors)
    if skeleton is None:
        raise ValueError(
            "neither says nor shows whether it takes COCO's or Human3.6M's keypoints;"
            " give the .safetensors that `python -m train` writes beside its .bin"
        )
    return network, replace(spec, skeleton_in=skeleton)


def _read(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and the header of a file of `write_lifter`."""
    try:
        with safe_open(path, "np") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER_KEY, "{}"))
            names = file.keys()  # the file is no dict: it cannot be iterated over
            state = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a readable safetensors file ({error})") from error
    written = header.get("format") if isinstance(header, dict) else None
    if written != _FORMAT:
        raise ValueError(f"no lifter of this program (format {written}, expected {_FORMAT})")
    return state, header


def _architecture(header: dict[str, Any]) -> str:
    """The architecture that a header names; files without a name are older than the field."""
    return str(header.get("architecture", ModelConfig.architecture))


def _checked_spec(
    header: dict[str, Any], config_class: type[NetworkConfig], state: Mapping[str, Array]
) -> LifterSpec:
    """The spec that a header holds; an exception where it or its arrays could not be used."""
    try:
        spec = LifterSpec(
            config_class(**header["model"]),
            _skeleton_from_header(header["skeleton_in"]),
            _skeleton_from_header(header["skeleton_out"]),
            float(header["fps"]),
            header["normalization"],
            header.get("training", {}),
            tuple(map(float, header.get("hidden_sigma", ()))),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its header is damaged ({error})") from error
    _check(spec, state)
    return spec


def _check(spec: LifterSpec, state: Mapping[str, Array]) -> None:
    """`ValueError` where a network of a spec with a file's arrays could not be used."""
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
    if not all(bool(np.isfinite(array).all()) for array in state.values()):
        raise ValueError("its tensors hold numbers that are not finite")


def _on_torch(
    network_class: "type[LiftingNetwork]", spec: LifterSpec, state: Mapping[str, Array]
) -> "LiftingNetwork":
    """The network of a spec with a file's arrays; an exception where it could not be used."""
    import torch

    try:
        model = network_class(spec.model)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    except RuntimeError as error:
        raise ValueError("its tensors do not fit the network it describes") from error
    return _tried_out(model.float().eval())


def _tried_out(network: _Network) -> _Network:
    """`ValueError` where a network's joints for a window of numbers from -1 to 1 are no joints."""
    sizes = network.config
    shape = (1, sizes.receptive_field, sizes.joints_in, sizes.features_in)
    numbers = np.linspace(-1, 1, math.prod(shape), dtype=np.float32).reshape(shape)
    with np.errstate(all="ignore"):
        joints = network.lift_sequences(numbers)
    if joints.shape != (1, 1, sizes.joints_out, sizes.features_out):
        raise ValueError(f"gives numbers of shape {joints.shape}, which are no joints")
    if not (np.abs(joints) < _FARTHEST_M).all():  # nor NaN
        raise ValueError("gives joints that are farther away than any, its numbers are damaged")
    return network


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
