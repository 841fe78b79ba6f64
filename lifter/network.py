"""Lifting networks in torch, and the architectures that checkpoints may name.

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
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from core.registry import Registry
from core.types import Floats
from lifter.config import NetworkConfig

_BUILT_IN = ("lifter.model",)
"""Modules that bring an architecture; a new one is a line here."""

_NETWORKS: Registry[type["LiftingNetwork"]] = Registry("an architecture", _BUILT_IN)


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

    @torch.inference_mode()
    def lift_sequences(self, x: Floats) -> Floats:
        """`forward` of numpy's arrays, for inference."""
        return np.asarray(self(torch.from_numpy(x)).numpy())

    @torch.inference_mode()
    def lift_windows(self, x: Floats) -> Floats:
        """`forward_windows` of numpy's arrays, for inference."""
        return np.asarray(self.forward_windows(torch.from_numpy(x)).numpy())

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
