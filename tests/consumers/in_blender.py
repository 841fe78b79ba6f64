"""Runs inside Blender: imports a file, and says where bones are.

    python in_blender.py FILE FPS FRAMES [PICTURE]

FRAMES are comma-separated, counted from 0. Prints one JSON object: armature → `rest`, the names of
bones → head and tail in the rest pose, and `frames`, frame → bone → head, metres, Blender's axes.
"""

import json
import sys
from fractions import Fraction
from pathlib import Path

import bpy
from mathutils import Matrix, Vector

BVH_SCALE = 0.01


def main(file: Path, fps: Fraction, frames: list[int], picture: str | None) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = round(fps)
    first = 0 if file.suffix == ".glb" else 1  # where the importer puts frame 0
    stretch = (
        1.0 if file.suffix == ".bvh" else round(fps) / float(fps)
    )  # times are kept, not frames
    {"bvh": _bvh, "glb": _glb, "fbx": _fbx}[file.suffix[1:]](str(file))
    armatures = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
    said = {armature.name: {"frames": {}} for armature in armatures}
    for frame in frames:
        whole, part = divmod(frame * stretch, 1)
        scene.frame_set(first + int(whole), subframe=part)
        for armature in armatures:
            world, own = armature.matrix_world, said[armature.name]
            own["frames"][frame] = {b.name: list(world @ b.head) for b in armature.pose.bones}
            if abs(world.determinant()) > 1e-12:  # not out of view, when the scale is 0
                own["rest"] = {
                    bone.name: [list(world @ bone.head_local), list(world @ bone.tail_local)]
                    for bone in armature.data.bones
                }
    if picture:
        _render(armatures, picture)
    print(json.dumps(said))


def _bvh(path: str) -> None:
    bpy.ops.import_anim.bvh(filepath=path, global_scale=BVH_SCALE, update_scene_duration=True)


def _glb(path: str) -> None:
    bpy.ops.import_scene.gltf(filepath=path)


def _fbx(path: str) -> None:
    bpy.ops.import_scene.fbx(filepath=path)


def _render(armatures: list, picture: str) -> None:
    scene = bpy.context.scene
    if not any(thing.type == "MESH" for thing in bpy.data.objects):
        for armature in armatures:
            _add_sticks(armature)
    points = [a.matrix_world @ b.head for a in armatures for b in a.pose.bones]
    low, high = (Vector(f(p[i] for p in points) for i in range(3)) for f in (min, max))
    middle, size = (low + high) / 2, max(high - low)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location = middle + Vector((0.6, -2.0, 0.5)) * size * 1.3
    camera.rotation_euler = (middle - camera.location).to_track_quat("-Z", "Y").to_euler()
    light = bpy.data.objects.new("light", bpy.data.lights.new("light", "SUN"))
    light.data.energy, light.rotation_euler = 4.0, (0.6, 0.3, 0.5)
    bpy.ops.mesh.primitive_plane_add(size=size * 6, location=(middle.x, middle.y, 0.0))
    for thing in (camera, light):
        scene.collection.objects.link(thing)
    scene.camera = camera
    scene.world = bpy.data.worlds.new("world")
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.device = 16, "CPU"
    scene.render.resolution_x, scene.render.resolution_y = 640, 480
    scene.render.filepath = picture
    bpy.ops.render.render(write_still=True)


def _add_sticks(armature: "bpy.types.Object") -> None:
    for bone in armature.pose.bones:
        head, tail = (armature.matrix_world @ end for end in (bone.head, bone.tail))
        length = (tail - head).length
        bpy.ops.mesh.primitive_cylinder_add(radius=0.02, depth=length, location=(head + tail) / 2)
        turned = (tail - head).to_track_quat("Z", "Y").to_matrix().to_4x4()
        bpy.context.object.matrix_world = Matrix.Translation((head + tail) / 2) @ turned


if __name__ == "__main__":
    main(
        Path(sys.argv[1]), Fraction(sys.argv[2]), [int(frame) for frame in sys.argv[3].split(",")],
        sys.argv[4] if len(sys.argv) > 4 else None,
    )  # fmt: skip
