"""Joints as markers: names of Pose2Sim's Halpe setups of OpenSim."""

from core.skeletons import Skeleton

_MARKERS = {
    "pelvis": "Hip", "spine": "Spine", "thorax": "Neck", "neck_base": "HeadBase",
    "head_top": "Head", "shoulder": "Shoulder", "elbow": "Elbow", "wrist": "Wrist", "hip": "Hip",
    "knee": "Knee", "ankle": "Ankle", "heel": "Heel", "toe": "BigToe",
}  # fmt: skip


def marker_names(skeleton: Skeleton) -> tuple[str, ...]:
    """The markers' names, a joint each: `RHip`, `LBigToe`, `Neck`, …

    Those but `Spine` and `HeadBase` are in Pose2Sim's marker sets `Halpe26` and, but for `Head`,
    `Neck` and `Hip`, `BlazePose`. Nothing is at their `Nose`: no joint is.
    """
    return tuple(_marker(joint) for joint in skeleton.joints)


def _marker(joint: str) -> str:
    side, _, rest = joint.partition("_")
    return side.upper() + _MARKERS[rest] if side in ("l", "r") else _MARKERS[joint]
