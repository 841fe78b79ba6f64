"""MakeHuman's data folder → bodies of many builds, dressed and rigged, to be posed and filmed.

`3dobjs/base.obj` is the base mesh, whose groups `joint-…` are little cubes around joints;
`rigs/default.mhskel` and its weights are the skeleton; `meshes` reads the rest. All that is read
here is CC0.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.types import Floats
from train.wild.people.body import DRIVERS, Body, Part
from train.wild.people.meshes import Garment, read_garment, read_obj, read_target, textured_part
from train.wild.people.textures import diffuse_texture_file, read_texture, recolour

_JOINT_BONES = {
    "neck_base": "head",
    "thorax": "neck01",
    **{
        f"{side}_{joint}": f"{bone}.{side.upper()}"
        for side in "lr"
        for joint, bone in {
            "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot", "shoulder": "upperarm01",
            "elbow": "lowerarm01", "wrist": "wrist", "clavicle_end": "shoulder01",
        }.items()
    },
}  # fmt: skip
"""The bones that begin at our joints."""
_HIPS_INWARD, _SHOULDERS_INWARD = 0.14, 0.35
"""The rig's legs and arms turn about points farther out than hip and shoulder joints lie: 0.12, not
0.10, of stature between the hips; upper arms of 0.15, not 0.17, of it. The joints lie these shares
of the way towards the middle, and towards the clavicle's end."""
_MEASURES = (
    "upperarm-length", "lowerarm-length", "upperleg-height", "lowerleg-height", "shoulder-dist",
    "napetowaist-dist", "neck-height", "hips-circ", "waist-circ", "thigh-circ", "bust-circ",
)  # fmt: skip
_UNIT_M = 0.1
_SOLE_M = 0.05  # below this a shoe is foot, not leg


class MakeHuman:
    """Draws people out of a MakeHuman data folder."""

    def __init__(self, folder: Path) -> None:
        """Read the base mesh and the skeleton.

        Raises:
            InputError: The folder holds no base mesh.
        """
        if not (folder / "3dobjs" / "base.obj").is_file():
            raise InputError(
                f"{folder}: no data folder of MakeHuman, there is no 3dobjs/base.obj in it"
            )
        self._folder = folder
        self._base = read_obj(folder / "3dobjs" / "base.obj")
        skeleton = json.loads((folder / "rigs" / "default.mhskel").read_text())
        self._weights = self._read_weights(skeleton["bones"])
        self._joint_vertices = {
            joint: skeleton["joints"][skeleton["bones"][bone]["head"]]
            for joint, bone in _JOINT_BONES.items()
        }
        for side in "lr":
            eye = self._base.triangles[self._base.groups == f"joint-{side}-eye"]
            self._joint_vertices[f"{side}_eye"] = np.unique(eye).tolist()

    def draw(self, rng: np.random.Generator, suits: Sequence[str] | None = None) -> Body:
        """Draw a person of any build in any clothes.

        Args:
            rng: Decides all that is random.
            suits: The names of the suits to choose from, where the folder has one of them.

        Raises:
            InputError: The folder lacks textures of clothes, hair or skins.
        """
        sex = str(rng.choice(["male", "female"]))
        positions = self._draw_shape(sex, rng)
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
        for path, hues in ((suit, (0, 180)), (shoes, (-8, 8)), (hair, (-8, 8))):
            garment = read_garment(path)
            hidden |= garment.hides
            file = diffuse_texture_file(path)
            assert file is not None  # `_assets` has seen it
            texture = recolour(read_texture(file), rng.uniform(*hues), rng)
            parts.append(self._worn(garment, positions, texture))
        skin = _pick(sorted((self._folder / "skins").glob(f"*_{sex}*/*.png")), rng)
        parts.append(self._skin(positions, hidden, recolour(read_texture(skin), 0.0, rng)))
        return Body(tuple(parts), self._joints(positions) | _foot_points(parts[1].positions))

    def _assets(self, kind: str) -> list[Path]:
        """Garments or hair whose texture is there."""
        paths = sorted((self._folder / kind).glob("*/*.mhclo"))
        return [path for path in paths if diffuse_texture_file(path)]

    def _draw_shape(self, sex: str, rng: np.random.Generator) -> Floats:
        """(V, 3) metres: the base mesh with a random build.

        x = x_base + Σ_k a_k d_k over targets d with amounts a. Age, muscle and weight are blended
        linearly between the targets on either side, trilinearly in all.
        """
        positions = self._base.positions.copy()
        macro = self._folder / "targets" / "macrodetails"
        race = str(rng.choice(["caucasian", "african", "asian"]))
        old = float(rng.uniform(0, 0.8)) if rng.random() < 0.4 else 0.0
        muscle, weight, height = rng.uniform(-0.7, 0.9), rng.uniform(-0.6, 0.8), rng.normal(0, 0.15)
        ideal = rng.random()
        for age, age_share in (("young", 1 - old), ("old", old)):
            if not age_share:
                continue
            _apply_target(positions, macro / f"{race}-{sex}-{age}.target", age_share)
            for m, m_share in _blend("muscle", muscle):
                for w, w_share in _blend("weight", weight):
                    build = f"{sex}-{age}-{m}-{w}"
                    share = age_share * m_share * w_share
                    tall = "maxheight" if height > 0 else "minheight"
                    for target, amount in (
                        (f"universal-{build}", share),
                        (f"height/{build}-{tall}", share * abs(height)),
                        (f"proportions/{build}-idealproportions", share * ideal * 0.6),
                    ):
                        _apply_target(positions, macro / f"{target}.target", amount)
        measure = self._folder / "targets" / "measure"
        for name in _MEASURES:
            amount = float(rng.uniform(-0.5, 0.5))
            end = "incr" if amount > 0 else "decr"
            _apply_target(positions, measure / f"measure-{name}-{end}.target", abs(amount))
        return positions * _UNIT_M

    def _worn(self, garment: Garment, positions: Floats, texture: NDArray[np.uint8]) -> Part:
        """A garment on a body, moved by the bones that move the body below it."""
        weights = (self._weights[garment.rows] * garment.shares[..., None]).sum(1)
        weights = weights.clip(min=0) / weights.clip(min=0).sum(1, keepdims=True)
        shown = np.ones(len(garment.mesh.triangles), bool)
        return textured_part(garment.mesh, garment.fit(positions), weights, shown, texture)

    def _skin(self, positions: Floats, hidden: set[int], texture: NDArray[np.uint8]) -> Part:
        """What clothes leave of the body."""
        covered = np.zeros(len(positions), bool)
        covered[list(hidden)] = True
        shown = (self._base.groups == "body") & ~covered[self._base.triangles].all(1)
        return textured_part(self._base, positions, self._weights, shown, texture)

    def _joints(self, positions: Floats) -> dict[str, Floats]:
        """`Body.joints`: the rig's, hips and shoulders moved inward; the head's from the mesh."""
        joints = {name: positions[rows].mean(0) for name, rows in self._joint_vertices.items()}
        for side in "lr":
            shoulder, clavicle_end = joints[f"{side}_shoulder"], joints.pop(f"{side}_clavicle_end")
            joints[f"{side}_shoulder"] = shoulder + _SHOULDERS_INWARD * (clavicle_end - shoulder)
            joints[f"{side}_hip"] = joints[f"{side}_hip"] * (1 - _HIPS_INWARD, 1, 1)
        joints["pelvis"] = (joints["l_hip"] + joints["r_hip"]) / 2
        joints["spine"] = (joints["pelvis"] + joints["thorax"]) / 2
        body = positions[np.unique(self._base.triangles[self._base.groups == "body"])]
        joints["head_top"] = np.array([0, body[:, 1].max(), joints["neck_base"][2]])
        eyes = (joints["l_eye"] + joints["r_eye"]) / 2
        # The nose is the foremost point in the middle of the face, ears are the outermost ones.
        face = body[
            (np.abs(body[:, 0]) < 0.01) & (body[:, 1] < eyes[1]) & (body[:, 1] > eyes[1] - 0.05)
        ]
        joints["nose"] = face[face[:, 2].argmax()]
        head = body[(body[:, 1] < eyes[1] + 0.02) & (body[:, 1] > eyes[1] - 0.05)]
        joints["l_ear"], joints["r_ear"] = head[head[:, 0].argmax()], head[head[:, 0].argmin()]
        return joints

    def _read_weights(self, bones: dict[str, dict[str, str]]) -> Floats:
        """(V, drivers) skinning weights: those of MakeHuman's bones, summed by their drivers."""
        driver_of = {bone: row for row, members in enumerate(DRIVERS.values()) for bone in members}
        weights = np.zeros((len(self._base.positions), len(DRIVERS)))
        table = json.loads((self._folder / "rigs" / "default_weights.mhw").read_text())
        for bone, pairs in table["weights"].items():
            ancestor = bone
            while ancestor not in driver_of:
                ancestor = bones[ancestor]["parent"]
            for vertex, weight in pairs:
                weights[vertex, driver_of[ancestor]] += weight
        total = weights.sum(1, keepdims=True)
        weights[total[:, 0] == 0, 0] = 1.0
        return weights / np.where(total == 0, 1.0, total)


def _foot_points(shoes: Floats) -> dict[str, Floats]:
    """Heels and toes at rest: the rearmost and foremost points (V, 3) of each shoe's sole."""
    points = {}
    for side, sign in (("l", 1.0), ("r", -1.0)):
        own = shoes[shoes[:, 0] * sign > 0]
        sole = own[:, 1].min()
        low = own[own[:, 1] < sole + _SOLE_M]
        for name, row in (("heel", low[:, 2].argmin()), ("toe", low[:, 2].argmax())):
            points[f"{side}_{name}"] = np.array([low[row, 0], sole, low[row, 2]])
    return points


def _apply_target(positions: Floats, path: Path, amount: float) -> None:
    """Add `amount` times a target to (V, 3) in place; a target that is not there moves nothing."""
    if amount and path.is_file():
        rows, moves = read_target(path)
        positions[rows] += amount * moves


def _blend(what: str, amount: float) -> Iterator[tuple[str, float]]:
    """The two targets between which an `amount` in -1…1 lies, with their shares."""
    end = "max" if amount > 0 else "min"
    yield f"average{what}", 1 - abs(amount)
    yield f"{end}{what}", abs(amount)


def _pick(choices: Sequence[Path], rng: np.random.Generator) -> Path:
    """One of some files."""
    if not choices:
        raise InputError("MakeHuman's data folder lacks textures of clothes, hair or skins")
    return choices[int(rng.integers(len(choices)))]
