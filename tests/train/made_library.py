"""Files like those of the Huge FBX Mocap Library: a Daz figure's joints, keys for every frame."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from core.types import Floats

# Joint, parent, where it is (centimetres) and how it is turned (degrees, about x, y, z of the
# parent) in the T-pose.
_REST = """
take Scene 0 0 0 -90 0 0
hip take 0 0 85.2 180 -86.7 -90
abdomen hip 20.6 0 -1.9 0 5.7 0
chest abdomen 11.7 0 0 0 8.8 0
neck chest 22.2 0 2.1 0 -20.9 0
head neck 7.2 0 0 0 -35.2 0
rCollar chest 19.8 2.7 -1.1 -22.4 -6.7 104
rShldr rCollar 9.1 0 0 9 9.8 -7.3
rForeArm rShldr 28.2 0 0 -15.8 -16.3 -5.7
lCollar chest 19.8 -2.7 -1.1 22.4 -6.7 -104
lShldr lCollar 9.1 0 0 -9 9.8 7.3
lForeArm lShldr 28.2 0 0 15.8 -16.3 5.7
rThigh hip 4.4 8.8 0 -180 -8.7 180
rShin rThigh 36.8 0 0 16.4 -9.8 -0.9
rFoot rShin 45.4 0 0 -37.1 73.6 -40.2
lThigh hip 4.4 -8.8 0 -180 -8.7 180
lShin lThigh 36.8 0 0 -16.4 -6.6 0.9
lFoot lShin 45.4 0 0 34.2 72.6 37
"""
_TICKS = 46_186_158_000

Pose = dict[str, Sequence[float]]
"""Joint → by how many degrees it is turned about its own axes, as a rotation vector."""


def fbx(poses: list[Pose], fps: float = 24.0) -> str:
    """An ASCII FBX 6 file of a T-pose, then of some poses."""
    rows = [line.split() for line in _REST.strip().splitlines()]
    objects, relations, connections, takes = [], [], [], []
    for name, parent, *numbers in rows:
        rest = np.array(numbers, float)
        turned = Rotation.from_euler("xyz", rest[3:], degrees=True)
        turns = np.array([
            (turned * Rotation.from_rotvec(pose.get(name, (0, 0, 0)), degrees=True)).as_euler(
                "xyz", degrees=True
            )
            for pose in [{}, *poses]
        ])  # fmt: skip
        objects.append(f'\tModel: "Model::{name}", "Limb" {{')
        for kind, values in (("Translation", rest[:3]), ("Rotation", rest[3:])):
            text = ",".join(f"{value:.9f}" for value in values)
            objects.append(f'\t\tProperty: "Lcl {kind}", "Lcl {kind}", "A+",{text}')
        objects.append("\t}")
        relations.append(f'\tModel: "Model::{name}", "Limb" {{\n\t}}')
        connections.append(f'\tConnect: "OO", "Model::{name}", "Model::{parent}"')
        takes.append(f'\t\tModel: "Model::{name}" {{\n\t\t\tChannel: "Transform" {{')
        still = np.tile(rest[:3], (len(turns), 1))
        takes += [
            _channel("T", still[[0, -1]], (len(turns) - 1) / fps),
            _channel("R", turns, 1 / fps),
        ]
        takes.append("\t\t\t}\n\t\t}")
    return "\n".join([
        "; FBX 6.1.0 project file", "Objects:  {", *objects, "}", "Relations:  {", *relations, "}",
        "Connections:  {", *connections, "}", "Takes:  {", *takes, "}", "",
    ])  # fmt: skip


def _channel(kind: str, values: Floats, step_s: float) -> str:
    """Keys of a channel, `step_s` seconds apart."""
    lines = [f'\t\t\t\tChannel: "{kind}" {{']
    for axis, column in zip("XYZ", values.T, strict=True):
        keys = ",\n".join(
            f"\t\t\t\t\t\t\t{round(i * step_s * _TICKS)},{value:.9f},L"
            for i, value in enumerate(column)
        )
        lines.append(f'\t\t\t\t\tChannel: "{axis}" {{\n\t\t\t\t\t\tKey: \n{keys}')
        lines.append("\t\t\t\t\t\tColor: 1,0,0\n\t\t\t\t\t}")
    return "\n".join([*lines, "\t\t\t\t}"])
