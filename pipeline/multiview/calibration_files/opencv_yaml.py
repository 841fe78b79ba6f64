"""Cameras as OpenCV's `FileStorage` keeps them: matrices with names, in YAML.

Read are the names that programs use: of a stereo pair `M1 D1 M2 D2 R T` (OpenCV's samples), of any
number `K_x D_x|dist_x R_x|Rot_x T_x` for each camera x (EasyMocap's intri.yml and extri.yml), of
one camera `camera_matrix distortion_coefficients R T`. Of a folder all its YAML files are read.
Only matrices, numbers and sizes are looked for, by patterns: no YAML is interpreted.
"""

import re

import numpy as np

from core.types import Floats
from pipeline.multiview.calibration_files.parts import camera_of, rotation_matrix
from pipeline.multiview.scene import Camera

_MATRIX = re.compile(
    r"^ *(?P<name>[A-Za-z_][\w.-]*) *: *!!opencv-(?:matrix\s+rows: *(?P<rows>\d{1,3})\s+"
    r"cols: *(?P<cols>\d{1,3})|nd-matrix\s+sizes: *\[ *(?P<size>\d{1,3}) *\])\s+dt: *\w+\s+"
    r"data: *\[(?P<data>[^\]]*)\]",
    re.M,
)
_SIZE = re.compile(r"^ *(?:image_?)?(?P<side>width|height) *: *(?P<px>\d{1,6})\b", re.M | re.I)
_ROLES = {
    "matrix": ("K", "M", "camera_matrix", "cameraMatrix"),
    "distortion": ("D", "dist", "distortion_coefficients", "distCoeffs", "distortion"),
    "rotation": ("Rot", "R", "rotation"),
    "translation": ("T", "translation"),
}


def read(text: str) -> list[Camera]:
    """The cameras of one or several files' text.

    Raises:
        ValueError, KeyError, TypeError: It is no such file.
    """
    matrices: dict[str, Floats] = {}
    for found in _MATRIX.finditer(text):
        values = np.array([float(word) for word in found["data"].replace(",", " ").split()])
        rows, columns = found["rows"] or found["size"], found["cols"] or 1
        matrices[found["name"]] = values.reshape(int(rows), int(columns))
    sides = {found["side"].lower(): int(found["px"]) for found in _SIZE.finditer(text)}
    size = sides.get("width", 0), sides.get("height", 0)
    if {"M1", "M2", "R", "T"} <= matrices.keys():
        return _stereo(matrices, size)
    cameras = []
    for name, matrix in matrices.items():
        key = next((key for key in _ROLES["matrix"] if re.fullmatch(rf"{key}(_.+)?", name)), None)
        if key is None:
            continue
        end = name[len(key) :]
        rotation, translation = _own(matrices, "rotation", end), _own(matrices, "translation", end)
        if rotation is None or translation is None:
            raise ValueError(f"{name} has no R and T beside it, which say where the camera stands")
        distortion = _own(matrices, "distortion", end)
        cameras.append(
            camera_of(
                end.lstrip("_") or name, size, matrix,
                () if distortion is None else distortion, rotation_matrix(rotation), translation,
            )
        )  # fmt: skip
    return cameras


def _stereo(matrices: dict[str, Floats], size: tuple[int, int]) -> list[Camera]:
    """A pair: R and T take the first camera's axes to the second one's."""
    rotations = np.eye(3), rotation_matrix(matrices["R"])
    translations = np.zeros(3), matrices["T"]
    return [
        camera_of(
            str(number), size, matrices[f"M{number}"], matrices.get(f"D{number}", ()),
            rotations[number - 1], translations[number - 1],
        )
        for number in (1, 2)
    ]  # fmt: skip


def _own(matrices: dict[str, Floats], role: str, end: str) -> Floats | None:
    """A camera's matrix of a role, by the names that it may have."""
    names = (f"{name}{end}" for name in _ROLES[role])
    return next((matrices[name] for name in names if name in matrices), None)
