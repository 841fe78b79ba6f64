"""What other programs call the bones of `core.kinematics`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.kinematics import BONES, PARENTS, TIPS, RestPose
from core.types import Floats

_SIDES = {"l": "Left", "r": "Right"}


def _table(trunk: str, arm: str, leg: str) -> dict[str, str]:
    """Bone → name, from names of a side's bones without the side; `-` where there is none."""
    names = dict(
        zip(("hips", "spine", "chest", "upper_chest", "neck", "head"), trunk.split(), strict=True)
    )
    for letter, side in _SIDES.items():
        bones = ("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toes")
        own = zip(bones, (*arm.split(), *leg.split()), strict=True)
        names |= {f"{letter}_{bone}": side + name for bone, name in own}
    return {bone: names[bone] for bone in BONES if names[bone] != "-"}


_ARM, _LEG = "Shoulder Arm ForeArm Hand", "UpLeg Leg Foot ToeBase"
_MIXAMO = _table("Hips Spine Spine1 Spine2 Neck Head", _ARM, _LEG)
BONE_NAMES: Mapping[str, Mapping[str, str]] = {
    "mixamo": {bone: f"mixamorig:{name}" for bone, name in _MIXAMO.items()},
    "lafan1": _table("Hips Spine Spine1 Spine2 Neck Head", _ARM, "UpLeg Leg Foot Toe"),
    "h36m": _table("Hips Spine Spine1 - Neck Head", _ARM, _LEG),
    "unity": _table(
        "Hips Spine Chest UpperChest Neck Head",
        "Shoulder UpperArm LowerArm Hand",
        "UpperLeg LowerLeg Foot Toes",
    ),
}
"""By rig, bone → name: Adobe's Mixamo; Ubisoft's LAFAN1; Human3.6M, whose spine has a bone less;
Unity's humanoid, which VMC speaks. A bone that a rig lacks is joined to its parent."""

TIP_NAMES: Mapping[str, str] = {
    "l_toes": "mixamorig:LeftToe_End", "r_toes": "mixamorig:RightToe_End",
    "head": "mixamorig:HeadTop_End", "l_hand": "mixamorig:LeftHandMiddle1",
    "r_hand": "mixamorig:RightHandMiddle1",
}  # fmt: skip
"""What Mixamo calls the ends of the bones that no other bone follows."""


@dataclass(frozen=True)
class Rig:
    """A person's rest pose as a rig has it, N bones, depth first.

    names (N,); indices (N,) of its bones in `BONES`; parents (N,), -1 at the root; offsets_m (N, 3)
    from the parent's head, 0 at the root; tips_m (3,) by the index of bones without children.
    """

    names: tuple[str, ...]
    indices: tuple[int, ...]
    parents: tuple[int, ...]
    offsets_m: Floats
    tips_m: Mapping[int, Floats]

    def relative(self, rotations: Floats) -> Floats:
        """Each bone's rotation relative to its parent's in this rig.

        Args:
            rotations: (T, B, 3, 3) of `BONES`.

        Returns:
            (T, N, 3, 3).
        """
        own = rotations[:, self.indices]
        parents = np.swapaxes(own[:, self.parents[1:]], -1, -2)
        return np.concatenate([own[:, :1], parents @ own[:, 1:]], 1)


def rig(names: Mapping[str, str], rest: RestPose) -> Rig:
    """A person's rest pose by the names of a rig.

    Args:
        names: Bone → name, one of `BONE_NAMES`.
        rest: Whose bones they are.
    """
    kept = [BONES.index(bone) for bone in BONES if bone in names]
    parents, offsets = [], []
    for bone in kept:
        parent, offset = PARENTS[bone], rest.offsets_m[bone]
        while parent >= 0 and parent not in kept:
            parent, offset = PARENTS[parent], offset + rest.offsets_m[parent]
        parents.append(kept.index(parent) if parent >= 0 else -1)
        offsets.append(offset)
    tips = {kept.index(BONES.index(bone)): rest.tips_m[bone] for bone in TIPS}
    own_names = tuple(names[BONES[bone]] for bone in kept)
    return Rig(own_names, tuple(kept), tuple(parents), np.stack(offsets), tips)
