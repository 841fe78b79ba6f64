"""Motion capture → the joints a lifter learns: Human3.6M-17 plus the nose, which carries the facing of the head.

Reads BVH files with the joint names of the CMU database's BVH conversion or of the Bandai-Namco Research Motiondataset,
and CMU joint positions stored as millimetres. Both are brought to the same anatomy: pelvis between the hip joints,
spine half-way up the trunk, thorax at the root of the neck, neck_base at its top, head_top at the crown.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from core.errors import InputError
from core.skeletons import H36M_17
from core.types import Array, Floats, check_shape

MOCAP_JOINTS = (*H36M_17.joints, "nose")
NOSE = len(H36M_17)

_ABOVE_THORAX = [
    H36M_17.index(name)
    for name in H36M_17.joints
    if name in ("thorax", "neck_base") or name.endswith(("shoulder", "elbow", "wrist"))
]
_CMU_UNIT_M = 0.0254 / 0.45
_BANDAI_UNIT_M = 0.01
_HEAD_M = 0.17  # top of the neck to the crown of an adult
_NOSE_UP, _NOSE_FORWARD = 0.35, 0.65  # of that length


@dataclass(frozen=True)
class MotionClip:
    """One performance: joints_m (T, 18, 3) metres, z up, in the order of `MOCAP_JOINTS`."""

    name: str
    fps: float
    joints_m: Floats

    def __post_init__(self) -> None:
        check_shape("MotionClip.joints_m", self.joints_m, (None, len(MOCAP_JOINTS), 3))


@dataclass(frozen=True)
class BvhMotion:
    """A BVH file solved: names (J,), positions (T, J, 3) in the file's unit and axes, rotations of each joint."""

    names: list[str]
    fps: float
    positions: Floats
    rotations: dict[str, Rotation]


def read_bvh(text: str, name: str = "BVH") -> BvhMotion:
    """Parse and solve a BVH file; end sites are named `<parent>_end`. `InputError` says what is wrong with it."""
    head, separator, motion = text.partition("MOTION")
    if not separator:
        raise InputError(f"{name}: not a BVH file, it has no MOTION section")
    try:
        nodes = _parse_hierarchy(head)
        fields = motion.split()
        frames, frame_time = int(fields[1]), float(fields[4])
        width = sum(len(node.channels) for node in nodes)
        values = np.array(fields[5:], dtype=np.float64)[: frames * width].reshape(frames, width)
    except (ValueError, IndexError) as error:
        raise InputError(f"{name}: damaged BVH file ({error})") from error
    return _solve(nodes, values, 1.0 / frame_time)


@dataclass
class _Node:
    name: str
    parent: int
    offset: Floats
    channels: list[str]


def _parse_hierarchy(text: str) -> list[_Node]:
    nodes: list[_Node] = []
    stack: list[int] = []
    tokens = iter(text.split())
    for token in tokens:
        if token in ("ROOT", "JOINT", "End"):
            name, parent = next(tokens), stack[-1] if stack else -1
            nodes.append(
                _Node(
                    f"{nodes[parent].name}_end" if token == "End" else name, parent, np.zeros(3), []
                )
            )
        elif token == "{":
            stack.append(len(nodes) - 1)
        elif token == "}":
            stack.pop()
        elif token == "OFFSET":
            nodes[-1].offset = np.array([float(next(tokens)) for _ in range(3)])
        elif token == "CHANNELS":
            nodes[-1].channels = [next(tokens) for _ in range(int(next(tokens)))]
    return nodes


def _solve(nodes: list[_Node], values: Floats, fps: float) -> BvhMotion:
    frames = len(values)
    positions = np.zeros((frames, len(nodes), 3))
    rotations: list[Rotation] = []
    column = 0
    for i, node in enumerate(nodes):
        local = np.broadcast_to(node.offset, (frames, 3)).copy()
        turn = Rotation.identity(frames)
        axes = ""
        for offset, channel in enumerate(node.channels):
            if channel.endswith("position"):
                local[:, "XYZ".index(channel[0])] = values[:, column + offset]
            else:
                axes += channel[0]
        if axes:
            first = column + len(node.channels) - len(axes)  # rotations stand behind positions
            turn = Rotation.from_euler(axes, values[:, first : first + len(axes)], degrees=True)
        column += len(node.channels)
        if node.parent < 0:
            positions[:, i], turned = local, turn
        else:
            parent = rotations[node.parent]
            positions[:, i], turned = positions[:, node.parent] + parent.apply(local), parent * turn
        rotations.append(turned)
    names = [node.name for node in nodes]
    return BvhMotion(names, fps, positions, dict(zip(names, rotations, strict=True)))


_CMU = {
    "r_hip": "RightUpLeg", "r_knee": "RightLeg", "r_ankle": "RightFoot", "l_hip": "LeftUpLeg", "l_knee": "LeftLeg",
    "l_ankle": "LeftFoot", "spine": "Spine", "thorax": "Neck1", "neck_base": "Head", "l_shoulder": "LeftArm",
    "l_elbow": "LeftForeArm", "l_wrist": "LeftHand", "r_shoulder": "RightArm", "r_elbow": "RightForeArm",
    "r_wrist": "RightHand",
}  # fmt: skip
_BANDAI = {
    "r_hip": "UpperLeg_R", "r_knee": "LowerLeg_R", "r_ankle": "Foot_R", "l_hip": "UpperLeg_L", "l_knee": "LowerLeg_L",
    "l_ankle": "Foot_L", "spine": "Spine", "thorax": "Neck", "neck_base": "Head", "l_shoulder": "UpperArm_L",
    "l_elbow": "LowerArm_L", "l_wrist": "Hand_L", "r_shoulder": "UpperArm_R", "r_elbow": "LowerArm_R",
    "r_wrist": "Hand_R",
}  # fmt: skip


def clip_from_bvh(text: str, name: str) -> MotionClip:
    """A BVH file of either known skeleton → metres, z up. `InputError` if it is neither."""
    motion = read_bvh(text, name)
    if "LeftUpLeg" in motion.names:
        turns, positions = motion.rotations, motion.positions * _CMU_UNIT_M
        spine, spine1 = (positions[:, motion.names.index(name)] for name in ("Spine", "Spine1"))
        thorax = turns["Spine1"].apply(turns["Spine"].inv().apply(spine1 - spine))
        joints = _cmu_joints(motion.names, positions, thorax)
        up, forward = (
            motion.rotations["Head"].apply([0, 1, 0]),
            motion.rotations["Head"].apply([0, 0, 1]),
        )
        first = 1  # the first frame is a T-pose
    elif "UpperLeg_L" in motion.names:
        positions = motion.positions * _BANDAI_UNIT_M
        joints = _pick(motion.names, positions, _BANDAI)
        chest = positions[:, motion.names.index("Chest")]
        joints[:, H36M_17.index("spine")] += (chest - joints[:, H36M_17.index("spine")]) / 2
        up, forward = (
            motion.rotations["Head"].apply([1, 0, 0]),
            motion.rotations["Head"].apply([0, 1, 0]),
        )
        first = 0
    else:
        raise InputError(
            f"{name}: a skeleton with the joints {', '.join(motion.names[:4])}, … is not known here"
        )
    _add_head(joints, up, forward)
    return MotionClip(name, motion.fps, _z_up(joints[first:]))


def clip_from_cmu_positions(
    names: list[str], millimetres: Array, fps: float, name: str
) -> MotionClip:
    """(T, 28, 3) positions, y up, of the CMU skeleton; the head faces where the shoulders do."""
    positions = millimetres.astype(np.float64) / 1000
    thorax = positions[:, names.index("Spine1")] - positions[:, names.index("Spine")]
    joints = _cmu_joints(names, positions, thorax)
    up = positions[:, names.index("Head_end")] - positions[:, names.index("Head")]
    left = joints[:, H36M_17.index("l_shoulder")] - joints[:, H36M_17.index("r_shoulder")]
    _add_head(joints, up, np.cross(left, up))
    return MotionClip(name, fps, _z_up(joints))


def _cmu_joints(names: list[str], positions: Floats, thorax: Floats) -> Floats:
    """(T, 18, 3) of the CMU skeleton's positions (T, K, 3) m. `thorax` (T, 3) is its uppermost bone of the trunk.

    The common BVH conversion of the database gives that bone no length, which makes everybody's trunk 12 cm too short;
    in the database's own skeletons it is as long as the bone below.
    """
    joints = _pick(names, positions, _CMU)
    spine, spine1, neck = (positions[:, names.index(name)] for name in ("Spine", "Spine1", "Neck"))
    joints[:, H36M_17.index("spine")] = (spine + spine1) / 2
    if np.allclose(neck, spine1, atol=1e-3):
        joints[:, _ABOVE_THORAX] += thorax[:, None]
    return joints


def _pick(names: list[str], positions: Floats, mapping: dict[str, str]) -> Floats:
    joints = np.zeros((len(positions), len(MOCAP_JOINTS), 3))
    for ours, theirs in mapping.items():
        joints[:, H36M_17.index(ours)] = positions[:, names.index(theirs)]
    joints[:, 0] = joints[:, H36M_17.indices(("l_hip", "r_hip"))].mean(1)
    return joints


def _add_head(joints: Floats, up: Floats, forward: Floats) -> None:
    """Fill in head_top and nose from the head's axes (T, 3), scaled by the length of the thighs and shins."""
    hip, knee, ankle = (joints[:, H36M_17.index(name)] for name in ("l_hip", "l_knee", "l_ankle"))
    leg = np.linalg.norm(hip - knee, axis=-1).mean() + np.linalg.norm(knee - ankle, axis=-1).mean()
    head = _HEAD_M * leg / 0.84  # 0.84 m: an adult of 1.75 m
    up = up / np.linalg.norm(up, axis=-1, keepdims=True)
    forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    base = joints[:, H36M_17.index("neck_base")]
    joints[:, H36M_17.index("head_top")] = base + head * up
    joints[:, NOSE] = base + head * (_NOSE_UP * up + _NOSE_FORWARD * forward)


def _z_up(joints: Floats) -> Floats:
    """(…, 3) y up → z up."""
    return np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], -1).astype(np.float32)


def load_mocap(sources: Iterable[Path]) -> list[MotionClip]:
    """All clips of folders of BVH files, `.tar.*` archives of them, `.bvh` files and `.npz` files of CMU positions."""
    clips = [clip for source in sources for clip in _clips(source)]
    if not clips:
        raise InputError("no motion capture found: name folders, archives or files with BVH motion")
    return clips


def _clips(source: Path) -> Iterator[MotionClip]:
    if not source.exists():
        raise InputError(f"{source}: no such file or folder of motion capture")
    if source.is_dir():
        for path in sorted(source.rglob("*.bvh")):
            yield clip_from_bvh(path.read_text(), path.stem)
    elif source.suffix == ".npz":
        with np.load(source, allow_pickle=False) as archive:
            names = [str(name) for name in archive["joint_names"]]
            for key in archive.files:
                if key != "joint_names":
                    yield clip_from_cmu_positions(names, archive[key], 60.0, key)
    elif source.suffix == ".bvh":
        yield clip_from_bvh(source.read_text(), source.stem)
    elif ".tar" in source.suffixes:
        with tarfile.open(source) as archive:
            for member in sorted(archive.getmembers(), key=lambda member: member.name):
                file = archive.extractfile(member) if member.name.endswith(".bvh") else None
                if file is not None:
                    yield clip_from_bvh(io.TextIOWrapper(file).read(), Path(member.name).stem)
    else:
        raise InputError(
            f"{source}: expected a folder, a .bvh, a .tar archive of them, or an .npz of positions"
        )
