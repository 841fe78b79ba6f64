"""Where a detector's network runs: the option that all backends share which can use a GPU."""

from dataclasses import dataclass
from typing import Literal

from core.options import option
from detectors.base import DetectorBackend

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class DeviceBackend(DetectorBackend):
    """A backend whose network runs on a GPU where there is one."""

    device: Device = option(
        "auto", "where a network that can use a GPU runs (default: %(default)s)", choices=DEVICES
    )
