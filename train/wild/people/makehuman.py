"""MakeHuman's data folder → bodies of many builds, dressed and rigged, to be posed and filmed.

Formats: `3dobjs/base.obj` is the base mesh, whose groups `joint-…` are little cubes around joints; a `.target` moves
some of its vertices; an `.mhclo` hangs the vertices of a garment on triples of them; `rigs/default.mhskel` and its
weights are the skeleton. Everything read here is CC0. Lengths in the files are decimetres, y up, facing z, the person's
left at +x.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.types import Floats

Ints = NDArray[np.int64]

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
"""The bones that are turned, and MakeHuman's that move with each; fingers, toes and faces move with theirs."""

_JOINT_BONES = {
    "neck_base": "head",
    "thorax": "neck01",
    **{
        f"{side}_{joint}": f"{bone}.{side.upper()}"
        for side in "lr"
        for joint, bone in {
            "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot",
            "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist", "clavicle_end": "shoulder01",
        }.items()
    },
}  # fmt: skip
_HIPS_INWARD, _SHOULDERS_INWARD = 0.14, 0.35
"""The rig turns legs and arms about places farther out than hip and shoulder joints lie: 0.12 and not 0.10 of stature
between the hips, upper arms of 0.15 and not 0.17 of it. So far towards the middle, and towards the clavicle's end, are
the joints."""
_MEASURES = (
    "upperarm-length", "lowerarm-length", "upperleg-height", "lowerleg-height", "shoulder-dist", "napetowaist-dist",
    "neck-height", "hips-circ", "waist-circ", "thigh-circ", "bust-circ",
)  # fmt: skip
_TEXTURE = 512
_METRES = 0.1


@dataclass(frozen=True)
class Mesh:
    """An .obj: places (V, 3), texture coordinates (U, 2), triangles as rows of both (F, 3), and groups (F,)."""

    places: Floats
    uv: Floats
    triangles: Ints
    uv_triangles: Ints
    groups: NDArray[np.str_]


@dataclass(frozen=True)
class Part:
    """A textured mesh at rest, ready to draw: V vertices, several at a place where textures meet."""

    places: Floats
    normals: Floats
    uv: Floats
    weights: Floats  # (V, len(DRIVERS)), rows add up to one
    triangles: NDArray[np.int32]
    texture: NDArray[np.uint8]  # (H, W, 4)


@dataclass(frozen=True)
class Body:
    """A dressed person at rest, metres, y up, facing z; `joints` by Human3.6M's names, and nose, eyes and ears."""

    parts: tuple[Part, ...]
    joints: dict[str, Floats]


class MakeHuman:
    """Draws people out of a MakeHuman data folder."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "3dobjs" / "base.obj").is_file():
            raise InputError(
                f"{folder}: no data folder of MakeHuman, there is no 3dobjs/base.obj in it"
            )
        self._folder = folder
        self._base = read_obj(folder / "3dobjs" / "base.obj")
        self._weights = self._read_weights()
        skeleton = json.loads((folder / "rigs" / "default.mhskel").read_text())
        self._joint_vertices = {
            joint: skeleton["joints"][skeleton["bones"][bone]["head"]]
            for joint, bone in _JOINT_BONES.items()
        }
        eyes = {side: f"joint-{side}-eye" for side in "lr"}
        for side, group in eyes.items():
            self._joint_vertices[f"{side}_eye"] = np.unique(
                self._base.triangles[self._base.groups == group]
            ).tolist()

    def draw(self, rng: np.random.Generator, suits: Sequence[str] | None = None) -> Body:
        """A person of any build in any clothes, or in one of `suits`."""
        sex = str(rng.choice(["male", "female"]))
        places = self._shape(sex, rng)
        choices = [path for path in self._assets("clothes") if path.stem.startswith(f"{sex}_")]
        if suits is not None:
            choices = [path for path in choices if path.stem in suits] or choices
        suit = _pick(choices, rng)
        shoes = _pick(
            [path for path in self._assets("clothes") if path.stem.startswith("shoes")], rng
        )
        hair = _pick(self._assets("hair"), rng)
        hidden: set[int] = set()
        parts = []
        for garment in (suit, shoes, hair):
            clothing = read_garment(garment)
            hidden |= clothing.hides
            hue = rng.uniform(0, 180) if garment is suit else rng.uniform(-8, 8)
            parts.append(self._dressed(clothing, places, _recoloured(_diffuse(garment), hue, rng)))
        skin = _pick(sorted((self._folder / "skins").glob(f"*_{sex}*/*.png")), rng)
        parts.append(self._skin(places, hidden, _recoloured(_texture(skin), 0.0, rng)))
        joints = {name: places[rows].mean(0) for name, rows in self._joint_vertices.items()}
        return Body(tuple(parts), self._with_middle(joints, places))

    def _assets(self, kind: str) -> list[Path]:
        """Garments or hair of which the texture is there."""
        return [
            path for path in sorted((self._folder / kind).glob("*/*.mhclo")) if _diffuse_file(path)
        ]

    def _shape(self, sex: str, rng: np.random.Generator) -> Floats:
        """(V, 3) metres: the base mesh made to somebody's measures."""
        places = self._base.places.copy()
        macro = self._folder / "targets" / "macrodetails"
        race = str(rng.choice(["caucasian", "african", "asian"]))
        old = float(rng.uniform(0, 0.8)) if rng.random() < 0.4 else 0.0
        muscle, weight, height = rng.uniform(-0.7, 0.9), rng.uniform(-0.6, 0.8), rng.normal(0, 0.15)
        ideal = rng.random()
        for age, share in (("young", 1 - old), ("old", old)):
            if not share:
                continue
            _apply(places, macro / f"{race}-{sex}-{age}.target", share)
            for m, m_share in _between("muscle", muscle):
                for w, w_share in _between("weight", weight):
                    build = f"{sex}-{age}-{m}-{w}"
                    amount = share * m_share * w_share
                    _apply(places, macro / f"universal-{build}.target", amount)
                    ends = "maxheight" if height > 0 else "minheight"
                    _apply(
                        places, macro / "height" / f"{build}-{ends}.target", amount * abs(height)
                    )
                    _apply(
                        places,
                        macro / "proportions" / f"{build}-idealproportions.target",
                        amount * ideal * 0.6,
                    )
        for name in _MEASURES:
            amount = float(rng.uniform(-0.5, 0.5))
            end = "incr" if amount > 0 else "decr"
            _apply(
                places,
                self._folder / "targets" / "measure" / f"measure-{name}-{end}.target",
                abs(amount),
            )
        return places * _METRES

    def _dressed(self, clothing: "Garment", places: Floats, texture: NDArray[np.uint8]) -> Part:
        on = clothing.on(places)
        weights = (self._weights[clothing.rows] * clothing.shares[..., None]).sum(1)
        weights = weights.clip(min=0) / weights.clip(min=0).sum(1, keepdims=True)
        return _part(
            clothing.mesh, on, weights, np.ones(len(clothing.mesh.triangles), bool), texture
        )

    def _skin(self, places: Floats, hidden: set[int], texture: NDArray[np.uint8]) -> Part:
        covered = np.zeros(len(places), bool)
        covered[list(hidden)] = True
        shown = (self._base.groups == "body") & ~covered[self._base.triangles].all(1)
        return _part(self._base, places, self._weights, shown, texture)

    def _with_middle(self, joints: dict[str, Floats], places: Floats) -> dict[str, Floats]:
        """Hips and shoulders where a body has them; pelvis, spine and the points of the head, from the mesh."""
        for side in "lr":
            shoulder, clavicle_end = joints[f"{side}_shoulder"], joints.pop(f"{side}_clavicle_end")
            joints[f"{side}_shoulder"] = shoulder + _SHOULDERS_INWARD * (clavicle_end - shoulder)
            joints[f"{side}_hip"] = joints[f"{side}_hip"] * (1 - _HIPS_INWARD, 1, 1)
        joints["pelvis"] = (joints["l_hip"] + joints["r_hip"]) / 2
        joints["spine"] = (joints["pelvis"] + joints["thorax"]) / 2
        body = places[np.unique(self._base.triangles[self._base.groups == "body"])]
        joints["head_top"] = np.array([0, body[:, 1].max(), joints["neck_base"][2]])
        eyes = (joints["l_eye"] + joints["r_eye"]) / 2
        face = body[
            (np.abs(body[:, 0]) < 0.01) & (body[:, 1] < eyes[1]) & (body[:, 1] > eyes[1] - 0.05)
        ]
        joints["nose"] = face[face[:, 2].argmax()]
        head = body[(body[:, 1] < eyes[1] + 0.02) & (body[:, 1] > eyes[1] - 0.05)]
        joints["l_ear"], joints["r_ear"] = head[head[:, 0].argmax()], head[head[:, 0].argmin()]
        return joints

    def _read_weights(self) -> Floats:
        """(V, drivers)."""
        bones = json.loads((self._folder / "rigs" / "default.mhskel").read_text())["bones"]
        driver_of = {bone: row for row, members in enumerate(DRIVERS.values()) for bone in members}
        weights = np.zeros((len(self._base.places), len(DRIVERS)))
        for bone, pairs in json.loads((self._folder / "rigs" / "default_weights.mhw").read_text())[
            "weights"
        ].items():
            above = bone
            while above not in driver_of:
                above = bones[above]["parent"]
            for vertex, weight in pairs:
                weights[vertex, driver_of[above]] += weight
        total = weights.sum(1, keepdims=True)
        weights[total[:, 0] == 0, 0] = 1.0
        return weights / np.where(total == 0, 1.0, total)


@dataclass(frozen=True)
class Garment:
    """An .mhclo: its mesh, and for each vertex three of the base's (V, 3), their shares (V, 3) and an offset (V, 3)."""

    mesh: Mesh
    rows: Ints
    shares: Floats
    offsets: Floats
    scales: tuple[
        tuple[int, int, float], ...
    ]  # for x, y and z: two vertices and their distance on the base mesh
    hides: set[int]

    def on(self, places: Floats) -> Floats:
        """(V, 3) where it lies on a body (N, 3) metres."""
        scale = [
            abs(places[a, axis] - places[b, axis]) / size
            for axis, (a, b, size) in enumerate(self.scales)
        ]
        return np.asarray(
            (places[self.rows] * self.shares[..., None]).sum(1) + self.offsets * scale
        )


@lru_cache(maxsize=64)
def read_garment(path: Path) -> Garment:
    """Open an .mhclo and its mesh."""
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
            if len(words) == 1:
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
    numbers = " ".join(words).replace(" - ", "-").split()
    for word in numbers:
        first, _, last = word.partition("-")
        yield from range(int(first), int(last or first) + 1)


@lru_cache(maxsize=64)
def read_obj(path: Path) -> Mesh:
    """Open an .obj, its faces cut into triangles."""
    places, uv, triangles, uv_triangles, groups = [], [], [], [], []
    group = "body"
    for line in path.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            places.append([float(word) for word in words[1:4]])
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
    return Mesh(
        np.array(places),
        np.array(uv),
        np.array(triangles),
        np.array(uv_triangles),
        np.array(groups),
    )


def _part(
    mesh: Mesh,
    places: Floats,
    weights: Floats,
    shown: NDArray[np.bool_],
    texture: NDArray[np.uint8],
) -> Part:
    triangles, uv_triangles = mesh.triangles[shown], mesh.uv_triangles[shown]
    corners = places[triangles]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(places)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face_normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    pairs, index = np.unique(
        np.stack([triangles.ravel(), uv_triangles.ravel()], 1), axis=0, return_inverse=True
    )
    of_place, of_uv = pairs.T
    drawn = index.reshape(-1, 3).astype(np.int32)
    return Part(
        places[of_place], normals[of_place], mesh.uv[of_uv], weights[of_place], drawn, texture
    )


@lru_cache(maxsize=256)
def _target(path: Path) -> tuple[Ints, Floats]:
    rows = [
        line.split()
        for line in path.read_text().splitlines()
        if line and not line.startswith(("#", '"'))
    ]
    table = np.array([[float(word) for word in row[:4]] for row in rows if len(row) >= 4]).reshape(
        -1, 4
    )
    return table[:, 0].astype(np.int64), table[:, 1:]


def _apply(places: Floats, path: Path, amount: float) -> None:
    if amount and path.is_file():
        rows, moves = _target(path)
        places[rows] += amount * moves


def _between(what: str, amount: float) -> Iterator[tuple[str, float]]:
    """The two targets between which an `amount` in -1…1 lies, with their shares."""
    end = "max" if amount > 0 else "min"
    yield f"average{what}", 1 - abs(amount)
    yield f"{end}{what}", abs(amount)


def _pick(choices: Sequence[Path], rng: np.random.Generator) -> Path:
    if not choices:
        raise InputError("MakeHuman's data folder lacks textures of clothes, hair or skins")
    return choices[int(rng.integers(len(choices)))]


def _diffuse_file(garment: Path) -> Path | None:
    found = sorted(garment.parent.glob("*diffuse*.png"))
    return found[0] if found else None


def _diffuse(garment: Path) -> NDArray[np.uint8]:
    file = _diffuse_file(garment)
    assert file is not None
    return _texture(file)


@lru_cache(maxsize=64)
def _texture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 4) RGBA."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise InputError(f"{path}: not a readable picture")
    if picture.ndim == 2 or picture.shape[2] == 3:
        picture = cv2.cvtColor(
            picture, cv2.COLOR_BGR2BGRA if picture.ndim == 3 else cv2.COLOR_GRAY2BGRA
        )
    picture = cv2.resize(picture, (_TEXTURE, _TEXTURE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA))


def _recoloured(
    texture: NDArray[np.uint8], hue: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Another hue (degrees / 2), and lighter or darker."""
    hsv = cv2.cvtColor(texture[..., :3], cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + hue) % 180
    hsv[..., 2] *= rng.uniform(0.7, 1.15)
    rgb = cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.concatenate([rgb, texture[..., 3:]], -1)
