"""Performances put together from captured ones, on other bodies, before a camera.

Sizes: B windows, T frames, 22 joints (`MOCAP_JOINTS`), 21 bones in the order of `PARTS`.
"""

import math

import torch
from torch import Tensor

from core.skeletons import H36M_21
from train.wild.motion.bank import BONES, PARENTS, PARTS, MotionBank
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.synthesis.cameras import camera_rotations, pelvis_positions
from train.wild.synthesis.recipe import Recipe
from train.wild.synthesis.tensors import (
    RandomTensors,
    apply_matrices,
    as_points,
    empty_points,
    rotation_from_vector,
)

_MIXTURES = ((0, 0, 1, 1, 1), (0, 0, 1, 2, 1), (0, 0, 0, 2, 0), (0, 2, 0, 0, 0))
"""Which of three performances each of `PARTS` comes from; the first also moves the pelvis. Another
upper body; a third arm on that; one arm, or one leg, of its own. Clips are mirrored in the bank."""
_ORDER = tuple(name for part in PARTS for name in part)
_MIN_DEPTH_M = 0.8

_STATURE = (0.98, 0.075)  # mean and standard deviation of the factor on all bones
_SIDE_DIFFERENCE = 0.01  # standard deviation between left and right
# Of the recipe's `bend_deg`.
_BEND_SHARES = {
    "spine": 0.4, "thorax": 0.5, "neck_base": 0.8, "hip": 0.15, "knee": 1.0, "ankle": 0.5,
    "shoulder": 0.25, "elbow": 1.3, "wrist": 0.8, "head_top": 0.6, "nose": 0.0, "heel": 0.8,
    "toe": 0.0,
}  # fmt: skip


def draw_performances(
    bank: MotionBank, random: RandomTensors, recipe: Recipe, size: int, centre_frame: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw people who move before a camera.

    Bone j of a captured performance, v_j in the pelvis' axes, becomes R P s_j B_j v_j: turned by an
    extra B_j, scaled by s_j, turned by the pelvis' captured axes P and by the camera R.

    Args:
        bank: The captured motion.
        random: Decides all that is random.
        recipe: How far to stray from the captured motion.
        size: B, the number of windows.
        centre_frame: The frame of a window that is to be lifted.

    Returns:
        Joints (B, T, 22, 3) in camera space, metres; the torso's axes there (B, T, 3, 3), columns
        right, forward and up; the world's up there (B, 3).
    """
    bones, root, pelvis = _mixed_windows(bank, random, recipe, size)
    scales = bone_scales(random, recipe, size)[:, None, :, None]  # s_j
    if recipe.bent:
        bones = apply_matrices(bone_turns(random, recipe, size)[:, None], bones)  # B_j v_j
    camera = camera_rotations(random, recipe, size)  # R
    # R P, column by column
    torso = apply_matrices(camera[:, None, None], pelvis.transpose(-2, -1)).transpose(-2, -1)
    vectors = apply_matrices(torso[:, :, None], bones.mul_(scales))
    travel = (root - root[:, centre_frame, None]) @ camera.transpose(1, 2)
    joints = empty_points((size, bank.frames, len(MOCAP_JOINTS), 3), root)
    joints[:, :, 0] = pelvis_positions(random, size)[:, None] + travel
    joints[:, :, 0, 2].clamp_(min=_MIN_DEPTH_M)
    for joint in BONES:  # parents come first
        bone = vectors[:, :, _ORDER.index(MOCAP_JOINTS[joint])]
        torch.add(joints[:, :, PARENTS[joint]], bone, out=joints[:, :, joint])
    return joints, torso, camera[..., 2]


def _mixed_windows(
    bank: MotionBank, random: RandomTensors, recipe: Recipe, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Bones (B, T, 21, 3), the root (B, T, 3) and the pelvis (B, T, 3, 3)."""
    starts = bank.first_frames(random.uniform(size, 3, 2), recipe.rare)  # three performances each
    offsets = torch.arange(bank.frames, device=bank.device)
    sources = torch.tensor(_MIXTURES, device=bank.device)[random.index(len(_MIXTURES), size)]
    sources *= random.chance(recipe.mix, size)[:, None]  # unmixed: all parts of the first
    rows = (starts.gather(1, sources).T[..., None] + offsets).flatten(1)
    first = starts[:, :1] + offsets
    bones = empty_points((size, bank.frames, len(_ORDER), 3), bank.root)
    filled = torch.split(bones, [len(part) for part in PARTS], 2)
    for some, part, at in zip(filled, bank.parts, rows, strict=True):
        some.copy_(part.index_select(0, at).view(some.shape))
    return bones, bank.root[first], as_points(bank.pelvis[first])


def bone_scales(random: RandomTensors, recipe: Recipe, size: int) -> Tensor:
    """Factors on the bones' lengths: a person's stature times the build of each part of the body.

    Left and right differ by a percent. Bodies of the recipe's `rigs` have shoulders, hips and
    trunks as animators draw them.

    Returns:
        (size, 21) in the order of `PARTS`.
    """
    build = recipe.build
    leg = 1 - 0.12 * build, 1 + 0.12 * build
    arm = 1 - 0.15 * build, 1 + 0.12 * build
    human = {  # CMU's forearms end before the wrist
        "knee": leg, "ankle": leg, "hip": (0.85, 1.3), "shoulder": (0.85, 1.15), "elbow": arm,
        "wrist": (1.15, 1.5), "spine": (0.92, 1.08), "thorax": (0.92, 1.08),
        "neck_base": (0.8, 1.2), "head_top": (0.88, 1.15), "nose": (0.88, 1.15),
        "heel": (0.9, 1.3), "toe": (0.85, 1.15),
    }  # fmt: skip
    rig = human | {
        "hip": (0.65, 1.5), "shoulder": (0.5, 1.15), "wrist": (0.95, 1.5), "spine": (0.75, 1.1),
        "thorax": (0.75, 1.1), "neck_base": (0.6, 1.3),
    }  # fmt: skip
    rigged = random.chance(recipe.rigs, size)
    stature = _STATURE[0] + _STATURE[1] * random.normal(size).clamp(-3, 2.2)
    columns = {}
    for part in human:
        low, high = (torch.where(rigged, rig[part][end], human[part][end]) for end in (0, 1))
        drawn = low + random.uniform(size) * (high - low)
        for name in MOCAP_JOINTS[1:]:
            if _without_side(name) == part:
                columns[name] = drawn * stature * (1 + _SIDE_DIFFERENCE * random.normal(size))
    return torch.stack([columns[name] for name in _ORDER], 1)


def bone_turns(random: RandomTensors, recipe: Recipe, size: int) -> Tensor:
    """Constant extra rotations of the bones: B_j = B_parent · exp([w_j]×) with a random vector w_j.

    Returns:
        (size, 21, 3, 3) in the order of `PARTS`; identities for windows that are not `bent`.
    """
    strength = math.radians(recipe.bend_deg) * random.chance(recipe.bent, size)[:, None]
    drawn = [
        random.normal(size, 3) * (_BEND_SHARES[_without_side(MOCAP_JOINTS[joint])] * strength)
        for joint in BONES
    ]
    owns = rotation_from_vector(torch.cat(drawn)).reshape(len(BONES), size, 3, 3)
    turns: dict[int, Tensor] = {}
    for joint, own in zip(BONES, owns, strict=True):
        name, parent = MOCAP_JOINTS[joint], PARENTS[joint]
        if name == "nose":
            turns[joint] = turns[H36M_21.index("head_top")]
        elif name.endswith("_toe"):
            turns[joint] = turns[H36M_21.index(name.replace("toe", "heel"))]
        else:
            turns[joint] = turns[parent] @ own if parent else own
    return torch.stack([turns[MOCAP_JOINTS.index(name)] for name in _ORDER], 1)


def _without_side(name: str) -> str:
    """`knee` of `l_knee`."""
    return name.removeprefix("l_").removeprefix("r_")
