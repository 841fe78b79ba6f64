"""BVH files: a tree of joints with offsets; for each frame, rotations and the root's position.

Format: https://research.cs.wisc.edu/graphics/Courses/cs-838-1999/Jeff/BVH.html
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from core.errors import InputError
from core.types import Floats


@dataclass(frozen=True)
class BvhMotion:
    """A BVH file after forward kinematics.

    names (J,) the joints, end sites as `<parent>_end`; positions (T, J, 3) in the file's unit and
    axes; rotations of each joint by its name, T rotations from the joint's axes to the file's.
    """

    names: list[str]
    fps: float
    positions: Floats
    rotations: dict[str, Rotation]


def read_bvh(text: str, name: str = "BVH") -> BvhMotion:
    """Parse a BVH file and compute where its joints are.

    Args:
        text: The whole file.
        name: What error messages call the file.

    Raises:
        InputError: The text is no BVH file, or a damaged one.
    """
    head, separator, motion = text.partition("MOTION")
    if not separator:
        raise InputError(f"{name}: not a BVH file, it has no MOTION section")
    try:
        nodes = _parse_hierarchy(head)
        fields = motion.split()  # Frames: N Frame Time: S, then the numbers
        frames, frame_time = int(fields[1]), float(fields[4])
        if frames * len(nodes) > len(text):
            raise ValueError(f"{frames} frames of {len(nodes)} joints are more than it holds")
        width = sum(len(node.channels) for node in nodes)
        values = np.array(fields[5:], dtype=np.float64)[: frames * width].reshape(frames, width)
        if not (np.isfinite(values).all() and 0 < frame_time < np.inf):
            raise ValueError("numbers that are not finite")
    except (ValueError, IndexError) as error:
        raise InputError(f"{name}: damaged BVH file ({error})") from error
    return _forward_kinematics(nodes, values, 1.0 / frame_time)


@dataclass
class _Node:
    """A joint of the hierarchy; `parent` is its parent's index, -1 at the root."""

    name: str
    parent: int
    offset: Floats
    channels: list[str]


def _parse_hierarchy(text: str) -> list[_Node]:
    """The joints in the order of the file, parents before their children."""
    nodes: list[_Node] = []
    stack: list[int] = []
    tokens = iter(text.split())
    for token in tokens:
        if token in ("ROOT", "JOINT", "End"):
            name, parent = next(tokens), stack[-1] if stack else -1
            if token == "End":
                name = f"{nodes[parent].name}_end"
            nodes.append(_Node(name, parent, np.zeros(3), []))
        elif token == "{":
            stack.append(len(nodes) - 1)
        elif token == "}":
            stack.pop()
        elif token == "OFFSET":
            nodes[-1].offset = np.array([float(next(tokens)) for _ in range(3)])
        elif token == "CHANNELS":
            nodes[-1].channels = [next(tokens) for _ in range(int(next(tokens)))]
    return nodes


def _forward_kinematics(nodes: list[_Node], values: Floats, fps: float) -> BvhMotion:
    """Positions and rotations of all joints from the channels' values (T, channels).

    With the local rotation L and offset o of joint j, and its parent p:
    R_j = R_p L_j and x_j = x_p + R_p o_j.
    """
    frames = len(values)
    positions = np.zeros((frames, len(nodes), 3))
    rotations: list[Rotation] = []
    column = 0
    for i, node in enumerate(nodes):
        offset = np.broadcast_to(node.offset, (frames, 3)).copy()
        local = Rotation.identity(frames)
        axes = ""
        for number, channel in enumerate(node.channels):
            if channel.endswith("position"):
                offset[:, "XYZ".index(channel[0])] = values[:, column + number]
            else:
                axes += channel[0]
        if axes:
            # Rotation channels follow the position channels. The channels Z Y X mean
            # L = Rz Ry Rx, which scipy writes in capitals (intrinsic rotations).
            first = column + len(node.channels) - len(axes)
            local = Rotation.from_euler(axes, values[:, first : first + len(axes)], degrees=True)
        column += len(node.channels)
        if node.parent < 0:
            positions[:, i] = offset
            rotations.append(local)
        else:
            parent = rotations[node.parent]
            positions[:, i] = positions[:, node.parent] + parent.apply(offset)
            rotations.append(parent * local)
    names = [node.name for node in nodes]
    return BvhMotion(names, fps, positions, dict(zip(names, rotations, strict=True)))
