"""Cameras as Qualisys Track Manager exports them (`….qca.txt`): XML, an element a camera.

Lengths are millimetres, focal lengths and centres 1/64 px; the axes of a camera are x right, y up
and z backward; a marker camera's own picture starts at `left`, `top` of its video's field of view.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

import numpy as np

from pipeline.multiview.calibration_files.parts import camera_of
from pipeline.multiview.scene import Camera

_SUBPIXELS = 64.0
_MM = 1000.0
_FLIP = np.diag([1.0, -1.0, -1.0])  # x right, y up, z backward → x right, y down, z forward


def read(text: str) -> list[Camera]:
    """The cameras of a file's text.

    Raises:
        ValueError, KeyError, TypeError, SyntaxError: It is no such file.
    """
    root = ElementTree.fromstring(text.encode())
    return [_camera(element) for element in root.findall("cameras/camera")]


def _camera(element: ElementTree.Element) -> Camera:
    name = element.get("serial", "camera")
    field, lens = _numbers(element, "fov_video"), _numbers(element, "intrinsic")
    pose = _numbers(element, "transform")
    width, height = field["right"] - field["left"] + 1, field["bottom"] - field["top"] + 1
    matrix = np.eye(3)
    for row, axis, start in ((0, "U", "left"), (1, "V", "top")):
        matrix[row, row] = lens[f"focalLength{axis}"] / _SUBPIXELS
        matrix[row, 2] = lens[f"centerPoint{axis}"] / _SUBPIXELS - field[start]
    radial = [lens[f"radialDistortion{k}"] / _SUBPIXELS for k in (1, 2)]
    tangential = [lens[f"tangentalDistortion{k}"] / _SUBPIXELS for k in (1, 2)]
    # the file's matrix has the camera's axes in its columns, written column by column
    to_camera = np.array([[pose[f"r{i}{j}"] for j in "123"] for i in "123"])
    rotation = _FLIP @ to_camera
    position = np.array([pose[axis] for axis in "xyz"]) / _MM
    return camera_of(
        name, (round(width), round(height)), matrix, [*radial, *tangential], rotation,
        -rotation @ position,
    )  # fmt: skip


def _numbers(element: ElementTree.Element, tag: str) -> Mapping[str, float]:
    found = element.find(tag)
    if found is None:
        raise KeyError(tag)
    return {name: float(value) for name, value in found.attrib.items() if value != "none"}
