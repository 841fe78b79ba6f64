"""MakeHuman's file formats: meshes (.obj), targets (.target) and garments (.mhclo).

A target moves some vertices of the base mesh. A garment hangs each of its vertices on a triangle of
the base mesh, so that it fits any body. Lengths in the files are decimetres, y up, facing z, the
person's left at +x.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from train.wild.people.body import Part

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Mesh:
    """An .obj, cut into F triangles.

    positions (V, 3); uv (U, 2) texture coordinates; triangles (F, 3) rows of `positions`;
    uv_triangles (F, 3) rows of `uv`; groups (F,) the name of each triangle's group.
    """

    positions: Floats
    uv: Floats
    triangles: Ints
    uv_triangles: Ints
    groups: NDArray[np.str_]


@dataclass(frozen=True)
class Garment:
    """An .mhclo, whose V vertices hang on vertices of the base mesh.

    rows (V, 3) three vertices of the base mesh for each; shares (V, 3) their weights; offsets
    (V, 3) from the weighted mean; scales for x, y and z two vertices of the base mesh and how far
    apart they are where offsets hold; hides the vertices of the base mesh that it covers.
    """

    mesh: Mesh
    rows: Ints
    shares: Floats
    offsets: Floats
    scales: tuple[tuple[int, int, float], ...]
    hides: set[int]

    def fit(self, positions: Floats) -> Floats:
        """Where the garment lies on a body.

        x_i = Σ_k w_ik p_{r_ik} + s ∘ o_i with the rows r, shares w and offsets o, and s the body's
        size over the scales' along each axis.

        Args:
            positions: (N, 3) the vertices of the body.

        Returns:
            (V, 3) in the unit of `positions`.
        """
        scale = [
            abs(positions[a, axis] - positions[b, axis]) / size
            for axis, (a, b, size) in enumerate(self.scales)
        ]
        hung = (positions[self.rows] * self.shares[..., None]).sum(1)
        return np.asarray(hung + self.offsets * scale)


@lru_cache(maxsize=64)
def read_obj(path: Path) -> Mesh:
    """Read an .obj; its faces are cut into triangles around their first corners."""
    positions, uv, triangles, uv_triangles, groups = [], [], [], [], []
    group = "body"
    for line in path.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            positions.append([float(word) for word in words[1:4]])
        elif words[0] == "vt":
            uv.append([float(word) for word in words[1:3]])
        elif words[0] == "g":
            group = words[1]
        elif words[0] == "f":
            corners = [[int(number) - 1 for number in word.split("/")[:2]] for word in words[1:]]
            for second, third in pairwise(corners[1:]):
                triangles.append([corners[0][0], second[0], third[0]])
                uv_triangles.append([corners[0][1], second[1], third[1]])
                groups.append(group)
    return Mesh(*map(np.array, (positions, uv, triangles, uv_triangles, groups)))


@lru_cache(maxsize=256)
def read_target(path: Path) -> tuple[Ints, Floats]:
    """The vertices that a target moves (M,), and by how much (M, 3)."""
    rows = [
        line.split()
        for line in path.read_text().splitlines()
        if line and not line.startswith(("#", '"'))
    ]
    table = np.array([[float(word) for word in row[:4]] for row in rows if len(row) >= 4])
    table = table.reshape(-1, 4)
    return table[:, 0].astype(np.int64), table[:, 1:]


@lru_cache(maxsize=64)
def read_garment(path: Path) -> Garment:
    """Read an .mhclo and its mesh."""
    scales: dict[str, tuple[int, int, float]] = {}
    rows, shares, offsets, hides = [], [], [], set[int]()
    mesh, section = path, ""
    for line in path.read_text().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("verts", "delete_verts"):
            section = words[0]
        elif words[0] == "obj_file":
            mesh = path.with_name(words[1])
        elif words[0].endswith("_scale") and len(words) == 4:
            scales[words[0][0]] = int(words[1]), int(words[2]), float(words[3])
        elif section == "verts" and words[0].isdigit():
            if len(words) == 1:  # on one vertex
                rows.append([int(words[0])] * 3)
                shares.append([1.0, 0.0, 0.0])
                offsets.append([0.0] * 3)
            else:
                rows.append([int(word) for word in words[:3]])
                shares.append([float(word) for word in words[3:6]])
                offsets.append([float(word) for word in words[6:9]])
        elif section == "delete_verts" and words[0].isdigit():
            hides |= set(_ranges(words))
    ordered = tuple(scales[axis] for axis in "xyz")
    return Garment(
        read_obj(mesh), np.array(rows), np.array(shares), np.array(offsets), ordered, hides
    )


def _ranges(words: list[str]) -> Iterator[int]:
    """3, 4, 5, 8 of the words of `3 - 5 8`."""
    numbers = " ".join(words).replace(" - ", "-").split()
    for word in numbers:
        first, _, last = word.partition("-")
        yield from range(int(first), int(last or first) + 1)


def textured_part(
    mesh: Mesh,
    positions: Floats,
    weights: Floats,
    shown: NDArray[np.bool_],
    texture: NDArray[np.uint8],
) -> Part:
    """The shown triangles of a mesh, ready to draw.

    A vertex' normal is the sum of its triangles' normals, weighted by their areas. A vertex with
    several texture coordinates becomes several.

    Args:
        mesh: Where triangles and texture coordinates come from.
        positions: (V, 3) where its vertices are.
        weights: (V, drivers) skinning weights.
        shown: (F,) the triangles to keep.
        texture: (H, W, 4) RGBA.
    """
    triangles, uv_triangles = mesh.triangles[shown], mesh.uv_triangles[shown]
    corners = positions[triangles]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(positions)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face_normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    pairs, index = np.unique(
        np.stack([triangles.ravel(), uv_triangles.ravel()], 1), axis=0, return_inverse=True
    )
    vertex, coordinate = pairs.T
    drawn = index.reshape(-1, 3).astype(np.int32)
    return Part(
        positions[vertex], normals[vertex], mesh.uv[coordinate], weights[vertex], drawn, texture
    )
