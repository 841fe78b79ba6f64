"""`glb`: one scene with everyone as a skinned figure of sticks, animated, for engines and Blender.

Metres, y up, in the video's time. A person out of view has the scale 0.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from core.kinematics import BONES
from core.rotations import quaternions
from core.types import Array, Floats
from pipeline.export.base import Exporter
from pipeline.export.rigs.gltf import GlbWriter
from pipeline.export.rigs.motion import Poses, RigidPerson, rigid_people
from pipeline.export.rigs.names import BONE_NAMES, TIP_NAMES, Rig, rig
from pipeline.export.rigs.sticks import rest_heads, stick_figure
from pipeline.motion.even import Grid
from pipeline.render.palette import track_colour
from pipeline.results.result import Result

_VERTICES = 34962  # glTF's words for what arrays are used for
_GENERATOR = "video3d"


class GlbExporter(Exporter):
    """A binary glTF file."""

    name = "glb"
    about = "everyone as an animated figure, for Blender, engines and web pages"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        grid, people = rigid_people(result)
        self.note(grid.note)
        write_glb(folder / f"{result.stem}.glb", result.stem, grid, people)


def write_glb(
    path: Path, title: str, grid: Grid, people: list[RigidPerson], hide: bool = True
) -> None:
    """Write people as one binary glTF file.

    Args:
        path: The file.
        title: What the animation is called.
        grid: The times at which poses are.
        people: Everyone.
        hide: Whether people out of view have the scale 0; else they stand still.
    """
    with TemporaryFile(dir=path.parent) as arrays:
        writer = GlbWriter(arrays, _GENERATOR)
        roots, animation = [], _Animation(writer, grid, hide)
        for person in people:
            skeleton = rig(BONE_NAMES["mixamo"], person.rest)
            figure, root, joints = _add_figure(writer, person, skeleton)
            animation.add(person, skeleton, root, joints)
            roots += [root, figure]
        scene = writer.add("scenes", **({"nodes": roots} if roots else {}))
        writer.content |= {"scene": scene}
        if roots:
            writer.add("animations", name=title, **animation.content)
        writer.write(path)


def _add_figure(
    writer: GlbWriter, person: RigidPerson, skeleton: Rig
) -> tuple[int, int, list[int]]:
    """Add a person's nodes, skin and mesh.

    Returns:
        The nodes' indices: of the figure, of what the bones hang on, and of the bones.
    """
    name = f"person{person.track_id}"
    heads = rest_heads(skeleton)
    joints = [
        writer.add("nodes", name=bone, translation=offset.tolist())
        for bone, offset in zip(skeleton.names, skeleton.offsets_m, strict=True)
    ]
    nodes = writer.content["nodes"]
    nodes[joints[0]]["translation"] = heads[0].tolist()
    for bone, parent in enumerate(skeleton.parents):
        if parent >= 0:
            nodes[joints[parent]].setdefault("children", []).append(joints[bone])
    ends = []
    for bone, tip in skeleton.tips_m.items():
        tip_name = TIP_NAMES[BONES[skeleton.indices[bone]]]
        ends.append(writer.add("nodes", name=tip_name, translation=tip.tolist()))
        nodes[joints[bone]]["children"] = [ends[-1]]
    tips = np.array([heads[bone] + tip for bone, tip in skeleton.tips_m.items()])
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(joints) + len(ends), 1, 1))
    inverse[:, 3, :3] = -np.concatenate([heads, tips])  # columns one after another
    skin = writer.add(
        "skins",
        inverseBindMatrices=writer.add_array(inverse),
        joints=[*joints, *ends],
        skeleton=joints[0],
    )
    mesh = _add_mesh(writer, person, skeleton)
    figure = writer.add("nodes", name=f"{name}_figure", mesh=mesh, skin=skin)
    return figure, writer.add("nodes", name=name, children=[joints[0]]), joints


def _add_mesh(writer: GlbWriter, person: RigidPerson, skeleton: Rig) -> int:
    sticks = stick_figure(skeleton, person.rest)
    bones = np.zeros((len(sticks.bones), 4), np.uint8)
    bones[:, 0] = sticks.bones
    weights = np.zeros((len(bones), 4), np.float32)
    weights[:, 0] = 1.0
    colour = (np.array(track_colour(person.track_id)) / 255) ** 2.2  # glTF's are linear
    surface = {"baseColorFactor": [*colour.tolist(), 1.0], "metallicFactor": 0.0}
    material = writer.add("materials", pbrMetallicRoughness=surface)
    attributes = {
        "POSITION": writer.add_array(sticks.positions_m, _VERTICES, bounds=True),
        "NORMAL": writer.add_array(sticks.normals, _VERTICES),
        "JOINTS_0": writer.add_array(bones, _VERTICES),
        "WEIGHTS_0": writer.add_array(weights, _VERTICES),
    }
    primitive = {"attributes": attributes, "material": material}
    return writer.add("meshes", name=f"person{person.track_id}", primitives=[primitive])


class _Animation:
    """One animation of everyone: samplers and channels."""

    def __init__(self, writer: GlbWriter, grid: Grid, hide: bool) -> None:
        self._writer, self._grid, self._hide = writer, grid, hide
        self.content: dict[str, list[dict[str, object]]] = {"samplers": [], "channels": []}

    def add(self, person: RigidPerson, skeleton: Rig, root: int, joints: list[int]) -> None:
        """Add a person's motion.

        Args:
            person: Who moves.
            skeleton: Their bones.
            root: The index of their topmost node.
            joints: Those of their bones' nodes.
        """
        poses = list(_light(person.poses(), skeleton))
        start, rotations = poses[0].start, np.concatenate([part.rotations for part in poses])
        times = self._add_times(np.arange(start, start + len(rotations)))
        roots = np.concatenate([part.root_m for part in poses])
        self._add_channel(joints[0], "translation", times, roots)
        for bone, node in enumerate(joints):
            self._add_channel(node, "rotation", times, _continuous(rotations[:, bone]))
        frames, scales = self._presence(poses)
        if self._hide and len(frames) > 1:
            self._add_channel(root, "scale", self._add_times(frames), scales, "STEP")

    def _presence(self, poses: list[Poses]) -> tuple[Array, Array]:
        """The frames (N,) at which a person comes or goes, and the scale (N, 3) from each on."""
        changes = {0: 0.0}
        for part in poses:
            changes[part.start] = 1.0 if part.in_view else 0.0
        end = poses[-1].start + len(poses[-1].root_m)
        if end < self._grid.count:
            changes[end] = 0.0
        kept: dict[int, float] = {}
        for frame, scale in sorted(changes.items()):
            if not kept or scale != next(reversed(kept.values())):
                kept[frame] = scale
        scales = np.repeat(np.array(list(kept.values()), np.float32)[:, None], 3, 1)
        return np.array(list(kept)), scales

    def _add_times(self, frames: Array) -> int:
        times = self._grid.start_s + frames / float(self._grid.rate)
        return self._writer.add_array(times.astype(np.float32), bounds=True)

    def _add_channel(
        self, node: int, path: str, times: int, values: Array, interpolation: str = "LINEAR"
    ) -> None:
        output = self._writer.add_array(values.astype(np.float32))
        sampler = {"input": times, "output": output, "interpolation": interpolation}
        target = {"node": node, "path": path}
        samplers = self.content["samplers"]
        self.content["channels"].append({"sampler": len(samplers), "target": target})
        samplers.append(sampler)


def _light(poses: Iterator[Poses], skeleton: Rig) -> Iterator[Poses]:
    """Poses with quaternions (T, N, 4), x y z w, relative to parents: 40 MB an hour."""
    for part in poses:
        turned = quaternions(skeleton.relative(part.rotations))[..., [1, 2, 3, 0]]
        root = part.root_m.astype(np.float32)
        yield Poses(part.start, turned.astype(np.float32), root, part.in_view)


def _continuous(quaternions_xyzw: Floats) -> Floats:
    """The same rotations (T, 4), with signs by which each goes on from the one before."""
    dots = (quaternions_xyzw[1:] * quaternions_xyzw[:-1]).sum(-1)
    signs = np.cumprod(np.concatenate([[1.0], np.where(dots < 0, -1.0, 1.0)]))
    return np.asarray(quaternions_xyzw * signs[:, None])
