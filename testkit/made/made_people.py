"""Two people who move in known ways, one of whom leaves and comes back."""

from pathlib import Path

import numpy as np

from core.skeletons import H36M_21, Skeleton
from core.types import Floats
from pipeline.results.result import Result
from testkit.made.array_results import Actor, array_result
from testkit.walker import walking

FRAMES = 90
THERE = np.r_[0:30, 45:FRAMES]
"""The frames in which person 1 is in view; person 2 is in all but the first ten."""


def two_people(folder: Path, times_s: Floats | None = None, skeleton: Skeleton = H36M_21) -> Result:
    """A result of two walkers with some joints unobserved and a known sigma.

    Args:
        folder: What the result says that it lies in.
        times_s: (`FRAMES`,) of the video; 30 frames a second where none are given.
        skeleton: Of the joints, Human3.6M's 17 or 21.
    """
    rng = np.random.default_rng(3)
    times_s = np.arange(FRAMES) / 30 if times_s is None else times_s
    joints = len(skeleton)
    actors = []
    for number, frames in enumerate((THERE, np.arange(10, FRAMES))):
        whole = np.zeros((FRAMES, 21, 3))
        whole[:, :17] = walking(FRAMES)[..., [0, 2, 1]] * [1, 1, -1] + [0.8 * number, 0.1, 0.97]
        for ankle, heel, toe in ((3, 17, 18), (6, 19, 20)):
            whole[:, heel] = whole[:, ankle] + [-0.04, 0.03, -0.07]
            whole[:, toe] = whole[:, ankle] + [0.12, -0.12, -0.07]
        whole[:, :, 0] += 0.6 * times_s[:, None]
        sigma = rng.uniform(0.01, 0.05, (FRAMES, 21))
        contacts = (np.arange(FRAMES)[:, None] + [0, 5, 15, 20]) % 30 < 18
        observed = rng.random((FRAMES, 17)) > 0.1
        actors.append(
            Actor(
                frames, whole[frames, :joints], sigma[frames, :joints], contacts[frames],
                observed[frames],
            )
        )  # fmt: skip
    return array_result(folder, actors, times_s, skeleton)
