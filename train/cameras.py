"""The cameras of the data sets, from `cameras.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.types import Floats
from lifter.normalize import screen_from_pixels


@dataclass(frozen=True)
class Camera:
    """A camera, with as much of its calibration as its data set publishes."""

    name: str
    width: int
    """Of its pictures, px."""
    height: int
    """Of its pictures, px."""
    azimuth_deg: float
    """The direction from which a reconstruction is drawn, degrees around the vertical."""
    lens: Floats | None = None
    """(9,) parameters of `core.camera.project_distorted`, in screen coordinates; None: unknown."""
    orientation: Floats | None = None
    """(4,) unit quaternion w x y z of `core.camera.world_to_camera`; None: unknown."""
    translation: Floats | None = None
    """(3,) position in the world, metres; None: unknown."""
    fps: float | None = None
    """Frames per second, where each video of the data set has its own rate."""


def published_cameras(data_set: str) -> dict[str, list[Camera]]:
    """The cameras of a data set that comes with its calibration.

    Args:
        data_set: `h36m` or `humaneva`.

    Returns:
        Subject → that subject's cameras, in the order of the archives' views. Under "" are the
        same cameras without orientation and translation, for all other subjects.
    """
    with Path(__file__).with_name("cameras.toml").open("rb") as file:
        table = tomllib.load(file)[data_set]
    cameras = {"": [_camera(entry) for entry in table["cameras"]]}
    for subject, extrinsics in table["extrinsics"].items():
        cameras[subject] = [
            _camera(
                entry,
                np.asarray(orientation, np.float32),
                np.asarray(translation, np.float32) / 1000,
            )
            for entry, orientation, translation in zip(
                table["cameras"], extrinsics["orientation"], extrinsics["translation"], strict=True
            )
        ]
    return cameras


def _camera(
    entry: dict[str, Any], orientation: Floats | None = None, translation: Floats | None = None
) -> Camera:
    """A camera of the table, its lens converted from pixels to screen coordinates."""
    width, height = entry["size"]
    lens: Floats | None = None
    if "focal_length" in entry:
        centre = screen_from_pixels(np.array(entry["centre"]), width, height)
        # Screen coordinates span 2 over the picture's width (see `screen_from_pixels`).
        focal = np.array(entry["focal_length"]) / width * 2
        lens = np.asarray([*focal, *centre, *entry["radial"], *entry["tangential"]], np.float32)
    return Camera(entry["name"], width, height, entry["azimuth"], lens, orientation, translation)
