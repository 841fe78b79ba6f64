"""Textures of MakeHuman's skins, hair and clothes."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

_SIZE_PX = 512


def diffuse_texture_file(garment: Path) -> Path | None:
    """The texture beside an .mhclo; None if there is none."""
    paths = sorted(garment.parent.glob("*diffuse*.png"))
    return paths[0] if paths else None


@lru_cache(maxsize=64)
def read_texture(path: Path) -> NDArray[np.uint8]:
    """Read a picture as (512, 512, 4) RGBA.

    Raises:
        InputError: It is not readable.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise InputError(f"{path}: not a readable picture")
    if picture.ndim == 2 or picture.shape[2] == 3:
        picture = cv2.cvtColor(
            picture, cv2.COLOR_BGR2BGRA if picture.ndim == 3 else cv2.COLOR_GRAY2BGRA
        )
    picture = cv2.resize(picture, (_SIZE_PX, _SIZE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA))


def recolour(texture: NDArray[np.uint8], hue: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn the hue of (H, W, 4) RGBA by `hue` half degrees, and make it lighter or darker."""
    hsv = cv2.cvtColor(texture[..., :3], cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + hue) % 180  # OpenCV's hue is in half degrees
    hsv[..., 2] *= rng.uniform(0.7, 1.15)
    rgb = cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.concatenate([rgb, texture[..., 3:]], -1)
