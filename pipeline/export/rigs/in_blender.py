"""Runs inside Blender, in a process of its own: reads a glb and writes it as fbx.

    blender --background --factory-startup --python in_blender.py -- IN.glb OUT.fbx RATE FRAMES
    python in_blender.py -- IN.glb OUT.fbx RATE FRAMES    # a Python that has `bpy`

RATE is in frames a second, a fraction; FRAMES is how many there are. The fbx has a whole number of
frames a second, in the same time: Blender's import of glTF knows no other rates.
"""

import math
import sys
from fractions import Fraction

import bpy


def main(source: str, target: str, rate: Fraction, frames: int) -> None:
    """Convert a file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(rate), 1.0
    bpy.ops.import_scene.gltf(filepath=source)
    last = math.ceil((frames - 1) * round(rate) / rate)
    scene.frame_start, scene.frame_end = 0, max(last, 1)
    bpy.ops.export_scene.fbx(
        filepath=target,
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        bake_anim_simplify_factor=0.0,
    )


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1 :]
    main(words[0], words[1], Fraction(words[2]), int(words[3]))
