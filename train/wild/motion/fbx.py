"""ASCII FBX 6 files, as Blender wrote them until 2015: where joints are in each frame.

Only what motion capture needs is read: the tree of joints (`Connections`), where each is in its
parent's axes (`Objects`), and the keys of its translation and rotation (`Takes`).
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from core.errors import InputError
from core.types import Floats

_TICKS = 46_186_158_000  # of FBX in one second
_NUMBER = rb"[-+.\deE]+"
_LOCAL = re.compile(
    rb'"Lcl (Translation|Rotation)", "[^"]*", "[^"]*",(%b),(%b),(%b)' % (_NUMBER, _NUMBER, _NUMBER)
)
_PARENT = re.compile(rb'Connect: "OO", "Model::([^"]+)", "Model::([^"]+)"')
_MODEL = re.compile(rb'\n\t+Model: "Model::([^"]+)"')
_CHANNEL = re.compile(rb'\n\t+Channel: "(\w+)" \{')
_KEY = re.compile(rb"(\d+),(%b),[A-Z]" % _NUMBER)


@dataclass(frozen=True)
class FbxMotion:
    """An FBX file after forward kinematics.

    positions of each joint by its name, (T, 3) in the file's unit and axes; rotations likewise, T
    rotations from the joint's axes to the file's.
    """

    fps: float
    positions: dict[str, Floats]
    rotations: dict[str, Rotation]


def read_fbx(path: Path) -> FbxMotion:
    """Parse a file and compute where its joints are.

    Raises:
        InputError: The file is no ASCII FBX 6 file with motion, or a damaged one.
    """
    data = path.read_bytes()
    try:
        objects, rest = data.split(b"\nRelations:", 1)
        connections, takes = rest.split(b"\nTakes:", 1)
        local = {
            name: {kind: np.array(xyz, float) for kind, *xyz in _LOCAL.findall(text)}
            for name, text in _sections(_MODEL, objects)
        }
        parents = dict(_PARENT.findall(connections))
        curves = {name: _curves(text) for name, text in _sections(_MODEL, takes)}
        return _forward_kinematics(local, parents, curves)
    except (ValueError, KeyError, IndexError, RecursionError) as error:
        raise InputError(f"{path}: no ASCII FBX 6 file with motion, or a damaged one") from error


_Curves = dict[bytes, tuple[Floats, Floats]]
"""Times in seconds and values of what is animated: b"TX", …, b"RZ"."""


def _sections(heading: re.Pattern[bytes], text: bytes) -> list[tuple[bytes, bytes]]:
    """Names that a heading introduces, each with the text up to the next heading."""
    parts = heading.split(text)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _curves(text: bytes) -> _Curves:
    """The keys below one joint's `Model` in a take."""
    curves: _Curves = {}
    kind = b""
    for channel, keys in _sections(_CHANNEL, text):
        if channel in b"XYZ":
            found = _KEY.findall(keys)
            if found:
                ticks, values = np.array(found, float).T
                curves[kind + channel] = ticks / _TICKS, values
        else:
            kind = channel
    return curves


def _forward_kinematics(
    local: dict[bytes, dict[bytes, Floats]],
    parents: dict[bytes, bytes],
    curves: dict[bytes, _Curves],
) -> FbxMotion:
    """Where joints are in the frames of the channel that has most keys.

    With the local rotation L = Rz Ry Rx and translation o of joint j, and its parent p:
    R_j = R_p L_j and x_j = x_p + R_p o_j.
    """
    channels_of_all = (times for joint in curves.values() for times, _ in joint.values())
    times = max(channels_of_all, key=len)
    if times[-1] <= times[0]:
        raise ValueError("one frame is no motion")
    positions: dict[bytes, Floats] = {b"Scene": np.zeros((len(times), 3))}
    rotations = {b"Scene": Rotation.identity(len(times))}

    def channels(joint: bytes, kind: bytes, still: Floats) -> Floats:
        moving = curves[joint]
        columns = [
            np.interp(times, *moving[kind[:1] + axis])
            if kind[:1] + axis in moving
            else np.full(len(times), value)
            for axis, value in zip((b"X", b"Y", b"Z"), still, strict=True)
        ]
        return np.stack(columns, -1)

    def add(joint: bytes) -> None:
        if joint not in positions:
            parent = parents[joint]
            add(parent)
            offset, turn = (
                channels(joint, kind, local[joint][kind]) for kind in (b"Translation", b"Rotation")
            )
            positions[joint] = positions[parent] + rotations[parent].apply(offset)
            turned = Rotation.from_euler("xyz", turn, degrees=True)
            rotations[joint] = rotations[parent] * turned

    for joint in curves:
        if joint in parents:
            add(joint)
    fps = (len(times) - 1) / (times[-1] - times[0])
    return FbxMotion(
        float(fps),
        {joint.decode(): value for joint, value in positions.items()},
        {joint.decode(): value for joint, value in rotations.items()},
    )
