"""Known cameras from a file: which format it is, and which camera is which view's."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.files import read_input
from core.types import Intrinsics
from pipeline.multiview.calibration_files import opencv_yaml, pose2sim_toml, qualisys
from pipeline.multiview.scene import Camera

MAX_BYTES = 4 << 20
_MILLIMETRES = 100.0  # cameras so far apart, in a file's unit, are in millimetres
_SAME_SHAPE = 0.02  # by which widths over heights may differ
_YAML = (".yml", ".yaml")


def read_cameras(
    path: Path, names: Sequence[str], sizes: Sequence[tuple[int, int]]
) -> list[Camera]:
    """The cameras of some views.

    Args:
        path: A file of Pose2Sim, Anipose, OpenCV or Qualisys, or a folder of OpenCV's.
        names: Of the views' files, without endings.
        sizes: (width, height) px of their upright frames.

    Returns:
        A camera a view, in the views' order, with lengths in metres: by name where the file names
        each view, else in the file's order.

    Raises:
        InputError: The file cannot be read, or its cameras are not those of these views.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused
            cameras = _read(path)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        RecursionError,
        SyntaxError,
    ) as error:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise InputError(f"{path}: its cameras cannot be read ({reason})") from error
    if len(cameras) < len(names):
        raise InputError(
            f"{path}: has {len(cameras)} cameras for {len(names)} views; it must have one for each"
        )
    by_name = {camera.name: camera for camera in cameras}
    if len(set(names)) == len(names) and set(names) <= by_name.keys():
        cameras = [by_name[name] for name in names]
    elif len(cameras) > len(names):
        raise InputError(
            f"{path}: its cameras are {', '.join(by_name)}, and which of them filmed {names[0]} is"
            " not said: name the videos like the cameras"
        )
    fitted = [_of_size(path, camera, size) for camera, size in zip(cameras, sizes, strict=True)]
    return _in_metres(fitted)


def _read(path: Path) -> list[Camera]:
    if path.is_dir():
        texts = [_text(file) for file in sorted(path.iterdir()) if file.suffix.lower() in _YAML]
        return opencv_yaml.read("\n".join(texts))
    text = _text(path)
    if path.suffix.lower() == ".toml":
        return pose2sim_toml.read(text)
    if "opencv-matrix" in text:
        return opencv_yaml.read(text)
    if text.lstrip("\ufeff \r\n\t").startswith("<"):
        return qualisys.read(text)
    return pose2sim_toml.read(text)


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("it is too large for cameras")
    return read_input(path).decode()


def _of_size(path: Path, camera: Camera, size: tuple[int, int]) -> Camera:
    """A camera for pictures of another size but the same shape."""
    width, height = camera.size
    if not width or not height:
        return replace(camera, size=size)
    if abs(width / height * size[1] / size[0] - 1) > _SAME_SHAPE:
        raise InputError(
            f"{path}: {camera.name} has pictures of {width} × {height} px, its view of"
            f" {size[0]} × {size[1]}: it is another camera, or one turned otherwise"
        )
    x, y, lens = size[0] / width, size[1] / height, camera.intrinsics
    scaled = Intrinsics(lens.fx * x, lens.fy * y, lens.cx * x, lens.cy * y, "given")
    return replace(camera, size=size, intrinsics=scaled)


def _in_metres(cameras: Sequence[Camera]) -> list[Camera]:
    positions = np.stack([camera.position for camera in cameras])
    apart = np.linalg.norm(positions - positions[0], axis=1).max()
    unit = 1000.0 if apart > _MILLIMETRES else 1.0
    return [replace(camera, translation=camera.translation / unit) for camera in cameras]
