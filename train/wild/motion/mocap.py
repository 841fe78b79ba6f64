"""Motion capture → the joints a lifter learns: Human3.6M-21, and the nose, where the head faces.

Reads BVH files with the joint names of the CMU database's BVH conversion or of the Bandai-Namco
Research Motiondataset, and CMU joint positions stored as millimetres. Both are brought to the same
anatomy: pelvis between the hip joints, spine half-way up the trunk, thorax at the root of the neck,
neck_base at its top, head_top at the crown, heels and toes on the soles.
"""

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from scipy.spatial.transform import Rotation

from core.errors import InputError, one_line
from core.files import open_input
from core.rotations import unit_vectors
from core.skeletons import H36M_21
from core.types import Array, Floats, check_shape
from train.wild.motion.bvh import BvhMotion, read_bvh

MOCAP_JOINTS = (*H36M_21.joints, "nose")
"""The names of the 22 joints."""
NOSE = len(H36M_21)
"""The nose's index."""
MAX_BVH_BYTES = 128 << 20
"""Of one file of motion, hours of it; the largest of the CMU database has 15 MB."""

_ABOVE_THORAX = [
    H36M_21.index(name)
    for name in H36M_21.joints
    if name in ("thorax", "neck_base") or name.endswith(("shoulder", "elbow", "wrist"))
]
_SIDES = (("l", "Left"), ("r", "Right"))
_CMU_UNIT_M = 0.0254 / 0.45
CMU_POSITIONS_FPS = 60.0
"""Of joint positions in .npz files."""
_BANDAI_UNIT_M = 0.01
_HEAD_M = 0.17  # top of the neck to the crown of an adult
_LEG_M = 0.84  # thigh and shin of that adult, who is 1.75 m tall
_NOSE_UP, _NOSE_FORWARD = 0.35, 0.65  # from the top of the neck, in lengths of the head
# Of a foot, in distances from the ankle to the ball of the foot along the sole: an adult's foot is
# 24 cm long, the ankle 5 cm before the heel and 12 cm behind the ball.
_HEEL_BACK, _TOE_FORWARD = 0.45, 0.55
_BALL_HEIGHT = {"cmu": 0.37, "bandai": 0.46}  # above the sole, in the same distances
_POINTED = np.arctan2(0.029, 0.12)  # how far below the sole's direction CMU's foot bone points


@dataclass(frozen=True)
class MotionClip:
    """One captured performance.

    joints_m (T, 22, 3) metres, z up, in the order of `MOCAP_JOINTS`; fps its frame rate.
    """

    name: str
    fps: float
    joints_m: Floats

    def __post_init__(self) -> None:
        check_shape("MotionClip.joints_m", self.joints_m, (None, len(MOCAP_JOINTS), 3))


_CMU = {
    "r_hip": "RightUpLeg", "r_knee": "RightLeg", "r_ankle": "RightFoot",
    "l_hip": "LeftUpLeg", "l_knee": "LeftLeg", "l_ankle": "LeftFoot",
    "spine": "Spine", "thorax": "Neck1", "neck_base": "Head",
    "l_shoulder": "LeftArm", "l_elbow": "LeftForeArm", "l_wrist": "LeftHand",
    "r_shoulder": "RightArm", "r_elbow": "RightForeArm", "r_wrist": "RightHand",
}  # fmt: skip
_BANDAI = {
    "r_hip": "UpperLeg_R", "r_knee": "LowerLeg_R", "r_ankle": "Foot_R",
    "l_hip": "UpperLeg_L", "l_knee": "LowerLeg_L", "l_ankle": "Foot_L",
    "spine": "Spine", "thorax": "Neck", "neck_base": "Head",
    "l_shoulder": "UpperArm_L", "l_elbow": "LowerArm_L", "l_wrist": "Hand_L",
    "r_shoulder": "UpperArm_R", "r_elbow": "LowerArm_R", "r_wrist": "Hand_R",
}  # fmt: skip


def clip_from_bvh(text: str, name: str) -> MotionClip:
    """Read a BVH file of either known skeleton.

    Args:
        text: The whole file.
        name: The clip's name, which error messages use too.

    Raises:
        InputError: It is no BVH file, a damaged one, or has a skeleton of its own.
    """
    motion = read_bvh(text, name)
    if "LeftUpLeg" in motion.names:
        return MotionClip(name, motion.fps, _z_up(_cmu_clip(motion)[1:]))  # frame 0 is a T-pose
    if "UpperLeg_L" in motion.names:
        return MotionClip(name, motion.fps, _z_up(_bandai_clip(motion)))
    raise InputError(
        f"{name}: a skeleton with the joints {', '.join(motion.names[:4])}, … is not known here"
    )


def clip_from_cmu_positions(
    names: list[str], millimetres: Array, fps: float, name: str
) -> MotionClip:
    """Make a clip of joint positions of the CMU skeleton.

    Args:
        names: The 28 joints, or those and "LeftFootUp", "RightFootUp", above an ankle across the
            sole, and "HeadFront", before "Head". Without these, the head faces where the shoulders
            do and feet turn about the leg's hinge alone.
        millimetres: (T, K, 3) positions, y up.
        fps: Their frame rate.
        name: The clip's name.
    """
    positions = millimetres.astype(np.float64) / 1000
    thorax = positions[:, names.index("Spine1")] - positions[:, names.index("Spine")]
    joints = _cmu_joints(names, positions, thorax)
    for side, word in _SIDES:
        ankle, ball, tip = (
            positions[:, names.index(f"{word}{joint}")]
            for joint in ("Foot", "ToeBase", "ToeBase_end")
        )
        if f"{word}FootUp" in names:
            up = positions[:, names.index(f"{word}FootUp")] - ankle
            hinge = unit_vectors(np.cross(up, ball - ankle))
        else:
            # Without rotations: the sole is where the foot bone is, turned about the leg's hinge.
            shin = positions[:, names.index(f"{word}Leg")] - ankle
            hinge = unit_vectors(np.cross(shin, ball - ankle))
            up = Rotation.from_rotvec(-_POINTED * hinge).apply(np.cross(ball - ankle, hinge))
        toes_up = np.cross(tip - ball, hinge)
        _add_foot(joints, side, ball, unit_vectors(up), unit_vectors(toes_up), _BALL_HEIGHT["cmu"])
    head = positions[:, names.index("Head")]
    crown = positions[:, names.index("Head_end")] - head
    if "HeadFront" in names:
        forward = positions[:, names.index("HeadFront")] - head
    else:
        left = joints[:, H36M_21.index("l_shoulder")] - joints[:, H36M_21.index("r_shoulder")]
        forward = np.cross(left, crown)
    _add_head(joints, crown, forward)
    return MotionClip(name, fps, _z_up(joints))


def _cmu_clip(motion: BvhMotion) -> Floats:
    """(T, 22, 3) metres, y up, of a file with the CMU conversion's skeleton."""
    positions = motion.positions * _CMU_UNIT_M
    spine, spine1 = (positions[:, motion.names.index(name)] for name in ("Spine", "Spine1"))
    # The bone below the thorax, carried from Spine's axes into Spine1's.
    lower_bone = motion.rotations["Spine"].inv().apply(spine1 - spine)
    joints = _cmu_joints(motion.names, positions, motion.rotations["Spine1"].apply(lower_bone))
    for side, word in _SIDES:
        ball = positions[:, motion.names.index(f"{word}ToeBase")]
        # The feet of the T-pose in frame 0 are flat.
        up, toes_up = (
            (turn * turn[0].inv()).apply([0, 1, 0])
            for turn in (motion.rotations[f"{word}Foot"], motion.rotations[f"{word}ToeBase"])
        )
        _add_foot(joints, side, ball, up, toes_up, _BALL_HEIGHT["cmu"])
    head = motion.rotations["Head"]
    _add_head(joints, up=head.apply([0, 1, 0]), forward=head.apply([0, 0, 1]))
    return joints


def _bandai_clip(motion: BvhMotion) -> Floats:
    """(T, 22, 3) metres, y up, of a file with Bandai-Namco's skeleton."""
    positions = motion.positions * _BANDAI_UNIT_M
    joints = _pick(motion.names, positions, _BANDAI)
    chest = positions[:, motion.names.index("Chest")]
    joints[:, H36M_21.index("spine")] += (chest - joints[:, H36M_21.index("spine")]) / 2
    for side, sign in (("l", 1.0), ("r", -1.0)):
        ball = positions[:, motion.names.index(f"Toes_{side.upper()}")]
        # Up in the bones' axes, where the feet of the standing actors are flat.
        up = motion.rotations[f"Foot_{side.upper()}"].apply([-0.637 * sign, 0, 0.771 * sign])
        toes_up = motion.rotations[f"Toes_{side.upper()}"].apply([-0.39 * sign, 0, 0.921 * sign])
        _add_foot(joints, side, ball, up, toes_up, _BALL_HEIGHT["bandai"])
    head = motion.rotations["Head"]
    _add_head(joints, up=head.apply([1, 0, 0]), forward=head.apply([0, 1, 0]))
    return joints


def _cmu_joints(names: list[str], positions: Floats, thorax: Floats) -> Floats:
    """(T, 22, 3) of the CMU skeleton's positions (T, K, 3) m; the head is left out.

    `thorax` (T, 3) is the uppermost bone of the trunk. The common BVH conversion of the database
    gives that bone no length, which makes every trunk 12 cm too short; in the database's own
    skeletons it is as long as the bone below.
    """
    joints = _pick(names, positions, _CMU)
    spine, spine1, neck = (positions[:, names.index(name)] for name in ("Spine", "Spine1", "Neck"))
    joints[:, H36M_21.index("spine")] = (spine + spine1) / 2
    if np.allclose(neck, spine1, atol=1e-3):
        joints[:, _ABOVE_THORAX] += thorax[:, None]
    return joints


def _pick(names: list[str], positions: Floats, mapping: dict[str, str]) -> Floats:
    """(T, 22, 3) of positions (T, K, 3): the joints of `mapping`, the pelvis between the hips."""
    joints = np.zeros((len(positions), len(MOCAP_JOINTS), 3))
    for ours, theirs in mapping.items():
        joints[:, H36M_21.index(ours)] = positions[:, names.index(theirs)]
    joints[:, 0] = joints[:, H36M_21.indices(("l_hip", "r_hip"))].mean(1)
    return joints


def _add_foot(
    joints: Floats, side: str, ball: Floats, up: Floats, toes_up: Floats, ball_height: float
) -> None:
    """Fill in heel and toe of a side, on the sole.

    Args:
        joints: (T, 22, 3), with the ankles.
        side: "l" or "r".
        ball: (T, 3) the ball of the foot.
        up, toes_up: (T, 3) unit vectors across the sole of the foot and of the toes.
        ball_height: Of the ball above the sole, in its distances from the ankle along the sole.
    """
    ankle = joints[:, H36M_21.index(f"{side}_ankle")]
    drop = ((ankle - ball) * up).sum(-1, keepdims=True)
    along = ball - ankle + drop * up
    toes_along = unit_vectors(along - toes_up * (along * toes_up).sum(-1, keepdims=True))
    length = np.linalg.norm(along, axis=-1, keepdims=True)
    height = ball_height * length
    joints[:, H36M_21.index(f"{side}_heel")] = ankle - _HEEL_BACK * along - (drop + height) * up
    joints[:, H36M_21.index(f"{side}_toe")] = (
        ball + _TOE_FORWARD * length * toes_along - height * toes_up
    )


def _add_head(joints: Floats, up: Floats, forward: Floats) -> None:
    """Fill in head_top and nose from the head's axes (T, 3), its size in proportion to the legs."""
    hip, knee, ankle = (joints[:, H36M_21.index(name)] for name in ("l_hip", "l_knee", "l_ankle"))
    leg = np.linalg.norm(hip - knee, axis=-1).mean() + np.linalg.norm(knee - ankle, axis=-1).mean()
    head = _HEAD_M * leg / _LEG_M
    up = up / np.linalg.norm(up, axis=-1, keepdims=True)
    forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    base = joints[:, H36M_21.index("neck_base")]
    joints[:, H36M_21.index("head_top")] = base + head * up
    joints[:, NOSE] = base + head * (_NOSE_UP * up + _NOSE_FORWARD * forward)


def _z_up(joints: Floats) -> Floats:
    """(…, 3) y up → z up."""
    return np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], -1).astype(np.float32)


def load_mocap(sources: Iterable[Path]) -> list[MotionClip]:
    """Read all clips of some sources, in their order.

    Args:
        sources: Folders of BVH files, `.tar.*` archives of them, `.bvh` files and `.npz` files of
            CMU positions: `joint_names` (K,) and arrays (T, K, 3) millimetres, 60 a second.

    Raises:
        InputError: A source is missing, damaged or of another kind, or there is no clip in any.
    """
    clips = [clip for source in sources for clip in _clips(source)]
    if not clips:
        raise InputError("no motion capture found: name folders, archives or files with BVH motion")
    return clips


def _clips(source: Path) -> Iterator[MotionClip]:
    """The clips of one source, by name."""
    try:
        yield from _read(source)
    except InputError:
        raise
    except Exception as error:  # archives and names of joints may be damaged in any way
        raise InputError(f"{source}: no readable motion capture ({one_line(error)})") from error


def _text(file: IO[bytes]) -> str:
    """The text of a BVH file; of an archive's, the size is what the archive claims."""
    data = file.read(MAX_BVH_BYTES + 1)
    if len(data) > MAX_BVH_BYTES:
        raise ValueError(f"more than {MAX_BVH_BYTES >> 20} MiB of motion in one file")
    return data.decode()


def _read(source: Path) -> Iterator[MotionClip]:
    if not source.exists():
        raise InputError(f"{source}: no such file or folder of motion capture")
    if source.is_dir():
        for path in sorted(source.rglob("*.bvh")):
            with open_input(path) as opened:
                yield clip_from_bvh(_text(opened), path.stem)
    elif source.suffix == ".npz":
        with open_input(source) as opened, np.load(opened, allow_pickle=False) as archive:
            names = [str(name) for name in archive["joint_names"]]
            for key in archive.files:
                if key != "joint_names":
                    yield clip_from_cmu_positions(names, archive[key], CMU_POSITIONS_FPS, key)
    elif source.suffix == ".bvh":
        with open_input(source) as opened:
            yield clip_from_bvh(_text(opened), source.stem)
    elif ".tar" in source.suffixes:
        with open_input(source) as opened, tarfile.open(fileobj=opened) as archive:
            for member in sorted(archive.getmembers(), key=lambda member: member.name):
                file = archive.extractfile(member) if member.name.endswith(".bvh") else None
                if file is not None:
                    yield clip_from_bvh(_text(file), Path(member.name).stem)
    else:
        raise InputError(
            f"{source}: expected a folder, a .bvh, a .tar archive of them, or an .npz of positions"
        )
