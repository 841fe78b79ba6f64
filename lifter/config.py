"""Lifting networks seen from outside: their sizes, and what inference asks of them. No torch."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

from core.types import Floats


class Shaped(Protocol):
    """A numpy array or a torch tensor, seen from its sizes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""


@dataclass(frozen=True)
class NetworkConfig(ABC):
    """The sizes of a network: all that is needed to build it, as values that JSON can hold."""

    architecture: ClassVar[str]
    """The architecture's name in a checkpoint's header."""

    joints_in: int
    """Keypoints per frame."""
    features_in: int
    """Numbers per keypoint: 2 for x and y, 3 with a confidence."""
    joints_out: int
    """Joints per frame; 1 for a trajectory network."""
    features_out: int = field(default=3, kw_only=True)
    """Numbers per joint: 3 for x, y, z, 4 with the logarithm of σ, metres."""

    @property
    @abstractmethod
    def receptive_field(self) -> int:
        """Input frames that one output frame depends on."""

    @property
    @abstractmethod
    def padding(self) -> tuple[int, int]:
        """Frames to add before and after a sequence so that it gets one output a frame."""

    @abstractmethod
    def check_tensors(self, state: Mapping[str, Shaped]) -> None:
        """Check that tensors have the sizes of this config, without building the network.

        A checkpoint's header may name any size, so this runs before memory is taken for it.

        Args:
            state: The checkpoint's tensors by name, of unknown origin.

        Raises:
            ValueError: The tensors belong to another network.
        """

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint's header."""
        return asdict(self)


class PoseNetwork(Protocol):
    """What inference asks of a network, whatever computes it: numpy in, numpy out."""

    @property
    def config(self) -> NetworkConfig:
        """What it was built from."""

    def lift_sequences(self, x: Floats) -> Floats:
        """Lift whole sequences.

        Args:
            x: (B, T, K, features) float32 normalised keypoints, T at least the receptive field.

        Returns:
            (B, T - receptive field + 1, J, features out) joints, in the units of training.
        """

    def lift_windows(self, x: Floats) -> Floats:
        """Lift one frame of each window.

        Args:
            x: (B, receptive field, K, features) float32 normalised keypoints.

        Returns:
            (B, J, features out) joints: `lift_sequences` of each window.
        """


@dataclass(frozen=True)
class ModelConfig(NetworkConfig):
    """The sizes of a temporal ConvNet."""

    architecture: ClassVar[str] = "temporal_convnet"

    filter_widths: tuple[int, ...] = (3, 3, 3)
    """Odd widths; the receptive field is their product."""
    channels: int = 1024
    """Hidden channels."""
    causal: bool = False
    """Whether only past frames are used."""
    dense: bool = False
    """Whether dilations are replaced by full-width filters (an ablation of the paper)."""
    dropout: float = 0.25
    """Share of activations dropped in training."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "filter_widths", tuple(self.filter_widths))
        if not self.filter_widths or any(
            width < 1 or width % 2 == 0 for width in self.filter_widths
        ):
            raise ValueError(f"filter widths must be odd and positive, got {self.filter_widths}")

    @property
    def receptive_field(self) -> int:
        """Input frames that one output frame depends on."""
        return math.prod(self.filter_widths)

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to add before and after a sequence so that it gets one output a frame."""
        missing = self.receptive_field - 1
        return (missing, 0) if self.causal else (missing // 2, missing // 2)

    def check_tensors(self, state: Mapping[str, Shaped]) -> None:
        """Check that tensors have the sizes of this config, without building the network.

        Raises:
            ValueError: The tensors belong to another network.
        """
        expected = _Sizes(
            self.joints_in * self.features_in,
            self.joints_out * self.features_out,
            self.channels,
            self.filter_widths,
        )
        if _sizes(state, self.dense) != expected:
            raise ValueError("its tensors do not fit the network it describes")


def config_from_state(
    state: Mapping[str, Shaped], causal: bool = False, dense: bool = False
) -> ModelConfig:
    """Read a network's sizes off its tensors, for files without a header.

    Args:
        state: The tensors by name. Two numbers per keypoint are assumed.
        causal, dense: These do not show in the tensors.

    Returns:
        The config of the network that the tensors belong to.

    Raises:
        ValueError: They are not the tensors of a temporal ConvNet.
    """
    inputs, outputs, channels, widths = _sizes(state, dense)
    return ModelConfig(inputs // 2, 2, outputs // 3, widths, channels, causal, dense)


class _Sizes(NamedTuple):
    """What decides the shape of every tensor."""

    inputs: int
    outputs: int
    channels: int
    filter_widths: tuple[int, ...]


def _sizes(state: Mapping[str, Shaped], dense: bool) -> _Sizes:
    """The sizes that tensors of unknown origin have; `ValueError` if they are no ConvNet's."""
    blocks = sum(name.startswith("layers_conv.") for name in state) // 2
    try:
        channels, inputs, first = state["expand_conv.weight"].shape
        kernels = [state[f"layers_conv.{2 * i}.weight"].shape[2] for i in range(blocks)]
        outputs = state["shrink.weight"].shape[0]
        widths = [int(first)]
        for kernel in kernels:
            # a dense kernel covers (width - 1) · dilation + 1 frames, see TemporalConvNet.__init__
            widths.append((kernel - 1) // math.prod(widths) + 1 if dense else kernel)
    except (KeyError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"not the weights of a temporal ConvNet: {error}") from error
    return _Sizes(inputs, outputs, channels, tuple(widths))
