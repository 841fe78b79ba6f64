"""Bodies at rest: textured meshes on a small skeleton of bones, ready to be posed and drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import Floats

DRIVERS = {
    "pelvis": ("root", "pelvis.L", "pelvis.R"),
    "spine": ("spine05", "spine04"),
    "thorax": ("spine03", "spine02", "spine01", "breast.L", "breast.R"),
    "neck": ("neck01", "neck02", "neck03"),
    "head": ("head",),
    **{
        f"{side}_{part}": tuple(f"{bone}.{side.upper()}" for bone in bones)
        for side in "lr"
        for part, bones in {
            "clavicle": ("clavicle", "shoulder01"),
            "upper_arm": ("upperarm01", "upperarm02"),
            "forearm": ("lowerarm01", "lowerarm02"),
            "hand": ("wrist",),
            "thigh": ("upperleg01", "upperleg02"),
            "shin": ("lowerleg01", "lowerleg02"),
            "foot": ("foot",),
        }.items()
    },
}
"""The bones that are turned, and MakeHuman's that move with each; others follow their parents."""


@dataclass(frozen=True)
class Part:
    """A textured mesh at rest, with V vertices, several at one point where textures meet.

    positions (V, 3) metres; normals (V, 3) unit; uv (V, 2) texture coordinates in 0…1, v up;
    weights (V, len(DRIVERS)) of linear blend skinning, rows add up to one; triangles (F, 3) vertex
    indices; texture (H, W, 4) RGBA.
    """

    positions: Floats
    normals: Floats
    uv: Floats
    weights: Floats
    triangles: NDArray[np.int32]
    texture: NDArray[np.uint8]


@dataclass(frozen=True)
class Body:
    """A dressed person at rest, metres, y up, facing z.

    `joints` (3,) by Human3.6M's names, heels, toes, the nose, eyes and ears.
    """

    parts: tuple[Part, ...]
    joints: dict[str, Floats]
