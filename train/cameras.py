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
    """A camera as far as its data set tells.

    `lens` (9,) are the parameters of `core.camera.project_distorted`, in screen coordinates; `orientation` (4,) is a
    quaternion and `translation` (3,) metres, as for `core.camera.world_to_camera`. None where unknown.
    """

    name: str
    width: int
    height: int
    azimuth_deg: float
    """A pleasant direction to draw a reconstruction from."""
    lens: Floats | None = None
    orientation: Floats | None = None
    translation: Floats | None = None
    fps: float | None = None
    """Where each video has its own."""


def published_cameras(data_set: str) -> dict[str, list[Camera]]:
    """The cameras of `h36m` or `humaneva` by subject; under "" those whose place is unknown."""
    with Path(__file__).with_name("cameras.toml").open("rb") as file:
        table = tomllib.load(file)[data_set]
    cameras = {"": [_camera(entry) for entry in table["cameras"]]}
    for subject, places in table["places"].items():
        cameras[subject] = [
            _camera(
                entry,
                np.asarray(orientation, np.float32),
                np.asarray(translation, np.float32) / 1000,
            )
            for entry, orientation, translation in zip(
                table["cameras"], places["orientation"], places["translation"], strict=True
            )
        ]
    return cameras


def _camera(
    entry: dict[str, Any], orientation: Floats | None = None, translation: Floats | None = None
) -> Camera:
    width, height = entry["size"]
    lens: Floats | None = None
    if "focal_length" in entry:
        centre = screen_from_pixels(np.array(entry["centre"]), width, height)
        focal = np.array(entry["focal_length"]) / width * 2
        lens = np.asarray([*focal, *centre, *entry["radial"], *entry["tangential"]], np.float32)
    return Camera(entry["name"], width, height, entry["azimuth"], lens, orientation, translation)
