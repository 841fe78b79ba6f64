"""Cameras as Pose2Sim and Anipose keep them: a TOML table a camera.

    [cam_01]
    name = "cam_01"
    size = [1088.0, 1920.0]
    matrix = [[1681.2, 0.0, 533.0], [0.0, 1681.1, 948.1], [0.0, 0.0, 1.0]]
    distortions = [-0.0007, 0.0022, 0.0, 0.0]
    rotation = [1.69, 1.05, -0.42]
    translation = [0.32, 0.96, 2.89]
    fisheye = false

Rotation (Rodrigues' vector) and translation take the world to the camera. Pose2Sim's are in metres.
"""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from core.types import Intrinsics
from pipeline.multiview.calibration_files.parts import camera_of, rotation_matrix, rotation_vector
from pipeline.multiview.scene import Camera

_MAX_DOTS = 1000  # in a line: tomllib takes memory by the square of a key's parts


def read(text: str) -> list[Camera]:
    """The cameras of a file's text.

    Raises:
        ValueError, KeyError, TypeError: It is no such file.
    """
    if max(line.count(".") for line in text.split("\n")) > _MAX_DOTS:
        raise ValueError("a line of it has more dots than any camera needs")
    tables = tomllib.loads(text)
    inner = tables.get("cameras")
    if isinstance(inner, dict):  # Caliscope's
        tables = inner
    return [
        _camera(str(table.get("name", key)), table)
        for key, table in tables.items()
        if isinstance(table, dict) and "matrix" in table
    ]


def _camera(name: str, table: dict[str, Any]) -> Camera:
    if table.get("fisheye"):
        raise ValueError(f"{name} has a fisheye lens, whose model is not known here")
    width, height = table.get("size", (0, 0))
    return camera_of(
        name,
        (round(width), round(height)),
        table["matrix"],
        table.get("distortions", ()),
        rotation_matrix(table["rotation"]),
        table["translation"],
    )


def write(path: Path, cameras: Iterable[Camera]) -> None:
    """Write cameras whose shared axes are the world, in metres.

    Raises:
        OSError: The disk refuses.
    """
    tables = [_table(number, camera) for number, camera in enumerate(cameras, 1)]
    path.write_text("\n".join([*tables, "[metadata]\nadjusted = false\nerror = 0.0\n"]))


def _table(number: int, camera: Camera) -> str:
    rows = {
        "name": json.dumps(camera.name),
        "size": _list(camera.size),
        "matrix": f"[{', '.join(_list(row) for row in matrix_of(camera.intrinsics))}]",
        "distortions": _list(camera.distortion),
        "rotation": _list(rotation_vector(camera.rotation)),
        "translation": _list(camera.translation),
        "fisheye": "false",
    }
    lines = [f"{name} = {value}" for name, value in rows.items()]
    return "\n".join([f"[cam_{number:02d}]", *lines, ""])


def matrix_of(intrinsics: Intrinsics) -> list[list[float]]:
    """The camera matrix (3, 3) px, as OpenCV has it."""
    return [
        [intrinsics.fx, 0.0, intrinsics.cx],
        [0.0, intrinsics.fy, intrinsics.cy],
        [0.0, 0.0, 1.0],
    ]


def _list(values: Iterable[float]) -> str:
    return f"[{', '.join(repr(float(value)) for value in np.asarray(list(values)).ravel())}]"
