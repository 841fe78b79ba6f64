"""A person's stature: from the lengths of lifted bones, and how much to believe of it."""

from dataclasses import replace

import numpy as np

from core.skeletons import H36M_17
from core.types import CameraPoses, Floats

_BELOW_ANKLE = 0.039  # share of stature (Drillis and Contini, 1966)
_ADULT_M = 1.68  # μ: median stature of adults
_ADULT_SPREAD = 0.06  # σ_a: of the logarithm of adults' statures
_LIFTED_SPREAD = 0.10  # σ_l: of the logarithm of lifted statures, around the true one
_TRUNK = H36M_17.indices(("pelvis", "spine", "thorax", "neck_base", "head_top"))
_LEGS = [H36M_17.indices((f"{side}_hip", f"{side}_knee", f"{side}_ankle")) for side in "lr"]


def stature_m(lengths_m: Floats) -> float:
    """Standing height of a person with given bone lengths.

    Args:
        lengths_m: (J,) metres, as `lifter.bones.bone_lengths` gives them.

    Returns:
        Metres: trunk, head and the mean leg, with the part below the ankle added in proportion.
    """
    legs = np.mean([lengths_m[leg[1:]].sum() for leg in _LEGS])
    return float((legs + lengths_m[_TRUNK[1:]].sum()) / (1 - _BELOW_ANKLE))


def scaled(poses: CameraPoses, factor: float) -> CameraPoses:
    """Scale a person about the camera, which sees the same then."""
    return replace(
        poses,
        joints_m=poses.joints_m * factor,
        root_m=poses.root_m * factor,
        sigma_m=poses.sigma_m * factor,
    )


def likely_height_m(lifted_m: float) -> float:
    """Estimate a person's height from the stature that was lifted, by Bayesian shrinkage.

    A lifter cannot tell a child from an adult farther away, and shortens bones whose direction is
    uncertain. With a log-normal prior, log h ~ N(log μ, σ_a²), and a log-normal error of the lifted
    stature, log s ~ N(log h, σ_l²), the posterior mean of log h is

        log μ + w (log s - log μ),   w = σ_l⁻² / (σ_l⁻² + σ_a⁻²)

    Args:
        lifted_m: s, metres, as `stature_m` gives it.

    Returns:
        h, metres.
    """
    precision = 1 / _LIFTED_SPREAD**2
    share = precision / (precision + 1 / _ADULT_SPREAD**2)  # w
    return float(_ADULT_M * (lifted_m / _ADULT_M) ** share)
