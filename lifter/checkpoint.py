"""Lifter files: our safetensors with a JSON header, and VideoPose3D's `.bin`, both opened without running any code."""

import json
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from core.errors import WeightsError
from core.skeletons import BY_NAME, COCO_17, H36M_17, Skeleton
from lifter.model import ModelConfig, TemporalConvNet
from lifter.normalize import NORMALIZATIONS

_FORMAT = 1
_HEADER_KEY = "video3d"
MAX_BYTES = 4 << 30
"""Of a lifter file: hundreds of times what ours take."""


@dataclass(frozen=True)
class LifterSpec:
    """What must be known to use a network: its shape, its words, its clock, its coordinates."""

    model: ModelConfig
    skeleton_in: Skeleton
    skeleton_out: Skeleton
    fps: float
    """Frame rate of its input."""
    normalization: str
    """One of `lifter.normalize.NORMALIZATIONS`."""
    training: dict[str, Any] = field(default_factory=dict)
    """How it was made, for people to read."""

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
    """Write a safetensors file whose header is the spec; whole or not at all."""
    header = {
        "format": _FORMAT,
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
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(tensors, {_HEADER_KEY: json.dumps(header)}))
    partial.replace(path)


def load_lifter(path: Path) -> tuple[TemporalConvNet, LifterSpec]:
    """Open a lifter of either kind, in evaluation mode, float32. `WeightsError` says what is wrong with the file."""
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path}: is too large for a lifter")
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    state = read_published(path)["model_pos"]
    # H36M_17 out and COCO_17 in are what the published detectron_coco model has; shapes that differ are refused.
    spec = LifterSpec(config_from_state(state), COCO_17, H36M_17, fps=50.0, normalization="screen")
    return _build(path, spec, state), spec


def _load_safetensors(path: Path) -> tuple[TemporalConvNet, LifterSpec]:
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER_KEY, "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error})") from error
    written = header.get("format") if isinstance(header, dict) else None
    if written != _FORMAT:
        raise WeightsError(
            f"{path}: no lifter of this program (format {written}, expected {_FORMAT})"
        )
    try:
        spec = LifterSpec(
            ModelConfig(**header["model"]),
            _skeleton_from_header(header["skeleton_in"]),
            _skeleton_from_header(header["skeleton_out"]),
            float(header["fps"]),
            header["normalization"],
            header.get("training", {}),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: its header is damaged ({error})") from error
    return _build(path, spec, state), spec


def _build(path: Path, spec: LifterSpec, state: dict[str, Tensor]) -> TemporalConvNet:
    found = config_from_state(state, spec.model.causal, spec.model.dense)
    if _sizes(found) != _sizes(
        spec.model
    ):  # before a network of any size that a header may name is made
        raise WeightsError(f"{path}: its tensors do not fit the network it describes")
    try:
        model = TemporalConvNet(spec.model)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path}: its header is damaged ({error})") from error
    joints = (spec.model.joints_in - (spec.normalization == "person"), spec.model.joints_out)
    if joints != (len(spec.skeleton_in), len(spec.skeleton_out)):
        raise WeightsError(
            f"{path}: takes {joints[0]} keypoints to {joints[1]} joints, but {spec.skeleton_in.name} has "
            f"{len(spec.skeleton_in)} and {spec.skeleton_out.name} {len(spec.skeleton_out)}"
        )
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{path}: its tensors do not fit the network it describes") from error
    return model.float().eval()


def _sizes(config: ModelConfig) -> tuple[Any, ...]:
    return (
        config.joints_in * config.features_in,
        config.joints_out,
        config.filter_widths,
        config.channels,
    )


def _skeleton_header(skeleton: Skeleton) -> dict[str, Any]:
    return {"name": skeleton.name, "joints": skeleton.joints, "parents": skeleton.parents}


def _skeleton_from_header(header: dict[str, Any]) -> Skeleton:
    skeleton = Skeleton(header["name"], tuple(header["joints"]), tuple(header["parents"]))
    known = BY_NAME.get(skeleton.name, skeleton)
    if skeleton != known:
        raise ValueError(f"skeleton {skeleton.name} has other joints than ours of that name")
    return skeleton


def read_published(path: Path) -> dict[str, Any]:
    """Everything in a checkpoint that VideoPose3D wrote: `epoch`, `lr`, `optimizer`, `random_state`, `model_pos`, ….

    Only tensors, plain containers and the state of numpy's random generator are admitted; a pickle that names anything
    else is refused before any of it runs.
    """
    try:
        with torch.serialization.safe_globals(_published_globals()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused unopened, its pickle asks for more than tensors and numbers"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path}: not a readable checkpoint ({str(error).splitlines()[0]})"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("model_pos"), dict):
        raise WeightsError(f"{path}: not a VideoPose3D checkpoint, it has no model_pos")
    return content


def _published_globals() -> list[Any]:
    """The numpy types of a pickled `RandomState`, under the names that old and new numpy give them."""
    from numpy._core.multiarray import _reconstruct
    from numpy.random import MT19937
    from numpy.random._pickle import __bit_generator_ctor, __randomstate_ctor

    return [
        np.ndarray,
        np.dtype,
        np.dtypes.UInt32DType,
        MT19937,
        np.random.RandomState,
        __bit_generator_ctor,
        __randomstate_ctor,
        _reconstruct,
        (_reconstruct, "numpy.core.multiarray._reconstruct"),
        (__randomstate_ctor, "numpy.random.__RandomState_ctor"),
    ]


def config_from_state(
    state: dict[str, Tensor], causal: bool = False, dense: bool = False
) -> ModelConfig:
    """Read a network's shape off its tensors. Whether it is causal or dense does not show in them."""
    try:
        channels, inputs, first = state["expand_conv.weight"].shape
        kernels = [state[f"layers_conv.{2 * i}.weight"].shape[2] for i in range(_blocks(state))]
        outputs = state["shrink.weight"].shape[0]
    except (KeyError, ValueError, AttributeError, IndexError) as error:
        raise WeightsError(f"not the weights of a temporal ConvNet: {error}") from error
    widths = [int(first)]
    for kernel in kernels:
        widths.append((kernel - 1) // int(np.prod(widths)) + 1 if dense else kernel)
    return ModelConfig(inputs // 2, 2, outputs // 3, tuple(widths), channels, causal, dense)


def _blocks(state: dict[str, Tensor]) -> int:
    return sum(name.startswith("layers_conv.") for name in state) // 2
