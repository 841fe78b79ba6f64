"""A figure of sticks on a rig: each bone an octahedron that moves with it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.kinematics import BONES, RestPose
from core.types import Floats
from pipeline.export.rigs.names import Rig

_WIDEST_AT = 0.2  # of a stick's length
_RADIUS, _RADII_M = 0.12, (0.02, 0.04)  # of its length, and the least and the most
_HEAD_WIDEST_AT, _HEAD_RADIUS = 0.5, 0.45


@dataclass(frozen=True)
class Sticks:
    """Triangles of V vertices, three each.

    positions_m, normals (V, 3); bones (V,) the index of the rig's bone that moves a vertex.
    """

    positions_m: NDArray[np.float32]
    normals: NDArray[np.float32]
    bones: NDArray[np.uint8]


def rest_heads(rig: Rig) -> Floats:
    """Where bones begin in the rest pose, (N, 3) metres, soles on the ground."""
    heads = np.zeros((len(rig.names), 3))
    for bone, parent in enumerate(rig.parents):
        if parent >= 0:
            heads[bone] = heads[parent] + rig.offsets_m[bone]
    lowest = min(heads[bone, 1] + tip[1] for bone, tip in rig.tips_m.items())
    return np.asarray(heads - [0.0, lowest, 0.0])


def stick_figure(rig: Rig, rest: RestPose) -> Sticks:
    """The figure of a person in the rest pose."""
    triangles, bones = [], []
    for bone, start, end in _segments(rig, rest):
        octahedron = _octahedron(start, end, is_head=BONES[rig.indices[bone]] == "head")
        triangles.append(octahedron)
        bones.append(np.full(octahedron.shape[0] * 3, bone, np.uint8))
    corners = np.concatenate(triangles)  # (N, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Sticks(
        corners.reshape(-1, 3).astype(np.float32),
        np.repeat(normals, 3, 0).astype(np.float32),
        np.concatenate(bones),
    )


def _segments(rig: Rig, rest: RestPose) -> Iterator[tuple[int, Floats, Floats]]:
    """Each stick: the bone that moves it, and its ends."""
    heads = rest_heads(rig)
    for bone, parent in enumerate(rig.parents):
        is_collarbone = BONES[rig.indices[bone]].endswith("clavicle")  # begins with the neck
        if parent >= 0 and not is_collarbone:
            yield parent, heads[parent], heads[bone]
    for bone, tip in rig.tips_m.items():
        yield bone, heads[bone], heads[bone] + tip
    for side, heel in rest.heels_m.items():
        foot = rig.indices.index(BONES.index(f"{side}_foot"))
        yield foot, heads[foot], heads[foot] + heel


def _octahedron(start: Floats, end: Floats, is_head: bool) -> Floats:
    """(8, 3, 3) the corners of triangles, seen from outside against the clock."""
    along = end - start
    length = float(np.linalg.norm(along))
    share, radius = _WIDEST_AT, float(np.clip(_RADIUS * length, *_RADII_M))
    if is_head:
        share, radius = _HEAD_WIDEST_AT, _HEAD_RADIUS * length
    across = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    across *= radius / np.linalg.norm(across)
    other = np.cross(along, across) / length
    middle = start + share * along
    ring = [middle + across, middle + other, middle - across, middle - other]
    pairs = list(zip(ring, ring[1:] + ring[:1], strict=True))
    return np.array([(start, b, a) for a, b in pairs] + [(end, a, b) for a, b in pairs])
