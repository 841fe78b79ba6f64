"""What a lifting network is, seen from outside, and the architectures that checkpoints may name.

An architecture is one file with two classes: a frozen dataclass derived from `NetworkConfig`, which
carries the architecture's name and sizes, and the network, derived from `LiftingNetwork`:

    @dataclass(frozen=True)
    class MixerConfig(NetworkConfig):
        architecture: ClassVar[str] = "mixer"
        ...

    class Mixer(LiftingNetwork, config=MixerConfig):
        ...

Naming the config class registers the network. A checkpoint's header holds the architecture's name
and the config's fields; `lifter.checkpoint` builds the network from them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from core.registry import Registry

_BUILT_IN = ("lifter.model",)
"""Modules that bring an architecture; a new one is a line here."""

_NETWORKS: Registry[type["LiftingNetwork"]] = Registry("an architecture", _BUILT_IN)


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
    def check_tensors(self, state: Mapping[str, Tensor]) -> None:
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


class LiftingNetwork(nn.Module, ABC):
    """A network that takes keypoints of consecutive frames and gives 3D joints.

    A subclass is built from its config alone. It is registered under `config.architecture` when it
    names its config class (`class Mixer(LiftingNetwork, config=MixerConfig)`).
    """

    config_class: ClassVar[type[NetworkConfig]]
    """What it is built from."""
    config: NetworkConfig
    """What it was built from."""

    def __init_subclass__(cls, config: type[NetworkConfig] | None = None) -> None:
        super().__init_subclass__()
        if config is not None:
            cls.config_class = config
            _NETWORKS.add(config.architecture, cls, cls.__module__)

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Lift whole sequences.

        Args:
            x: (B, T, K, features) normalised keypoints, T at least the receptive field.

        Returns:
            (B, T - receptive field + 1, J, features out) joints, in the units of training.
        """

    @abstractmethod
    def forward_windows(self, x: Tensor) -> Tensor:
        """Lift one frame of each window.

        Args:
            x: (B, receptive field, K, features) normalised keypoints.

        Returns:
            (B, J, features out) joints: `forward` of each window.
        """


def network_classes() -> Mapping[str, type[LiftingNetwork]]:
    """All networks by architecture: the built-in ones and others defined so far."""
    return _NETWORKS.entries()
