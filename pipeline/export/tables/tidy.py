"""Tidy tables of a result: a row for each joint of each person in each frame; in constant memory.

`csv` and `parquet` write the same columns; `Column.unit` and `Column.about` say what they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.skeletons import Skeleton
from core.types import Array
from pipeline.motion.gait import steps_of_people
from pipeline.motion.quantities import QUANTITIES
from pipeline.motion.speeds import joint_speeds
from pipeline.motion.stretches import stretches
from pipeline.results.archive import PoseTable
from pipeline.results.result import Result

AXES = "world: x to the right of the camera, y away from it, z up, the floor at z = 0; metres"

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel")
_SEEN_BY = {
    **{f"{s}_{limb}": (f"{side}_{limb}",) for s, side in (("l", "left"), ("r", "right"))
       for limb in _LIMBS},
    "l_toe": ("left_big_toe",), "r_toe": ("right_big_toe",),
    "pelvis": ("left_hip", "right_hip"),
    "spine": ("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
    "thorax": ("left_shoulder", "right_shoulder"),
    "neck_base": ("nose",), "head_top": ("nose",),
}  # fmt: skip
"""The keypoints without which a joint is not observed."""


@dataclass(frozen=True)
class Column:
    """A column of a table: kind is numpy's type, or `str`; unit is empty where there is none."""

    name: str
    kind: type
    unit: str
    about: str


_WHO_AND_WHEN = (
    Column("frame", np.int64, "", "frame of the video, from 0"),
    Column("time_s", np.float64, "s", "presentation time of the frame"),
    Column("person", np.int64, "", "track id, from 1"),
)
POSE_COLUMNS = (
    *_WHO_AND_WHEN,
    Column("joint", str, "", "name of the joint; left and right are the person's"),
    Column("x", np.float32, "m", "to the right of the camera"),
    Column("y", np.float32, "m", "away from the camera"),
    Column("z", np.float32, "m", "up, the floor is at 0"),
    Column("sigma", np.float32, "m", "the joint is this near in 68 of 100 cases, from the pelvis"),
    Column("observed", np.bool_, "", "false where the joint's keypoint was filled in"),
)
MEASURE_COLUMNS = (
    *_WHO_AND_WHEN,
    Column("measure", str, "", "what is measured"),
    Column("value", np.float64, "as in the column unit", "missing where it is not known"),
    Column("sigma", np.float64, "as in the column unit", "one standard deviation of the value"),
    Column("unit", str, "", "deg, m or m/s"),
)
STEP_COLUMNS = (
    Column("person", np.int64, "", "track id, from 1"),
    Column("side", str, "", "of the foot that ends the step"),
    Column("start_s", np.float64, "s", "initial contact of the other foot"),
    Column("end_s", np.float64, "s", "initial contact of this foot"),
    Column("time_s", np.float64, "s", "between the two"),
    Column("time_sigma_s", np.float64, "s", "one standard deviation, as frames are apart"),
    Column("length_m", np.float64, "m", "this foot ahead of the other one, as the hips face"),
    Column("length_sigma_m", np.float64, "m", "one standard deviation of the length"),
)

Rows = dict[str, Array]
"""The columns (n,) of some rows by name."""


def joints_observed(observed: NDArray[np.bool_], table: PoseTable) -> NDArray[np.bool_]:
    """Whether joints were observed, from their keypoints.

    Args:
        observed: (n, K) whether a detector saw the keypoints.
        table: Whose skeletons these are.

    Returns:
        (n, J) True where all the keypoints of a joint were seen.
    """
    return _of_keypoints(observed, table, False).astype(np.bool_)


def joint_scores(scores: Array, table: PoseTable) -> Array:
    """The least score (n, J) of each joint's keypoints, of scores (n, K) in 0…1."""
    return _of_keypoints(scores, table, 0.0)


def _of_keypoints(values: Array, table: PoseTable, unseen: Any) -> Array:
    """(n, J) the minimum over each joint's keypoints; `unseen` where the keypoints lack them."""
    of_joints = np.full((len(values), len(table.joints)), unseen, values.dtype)
    for column, joint in enumerate(table.joints.joints):
        keypoints = _SEEN_BY.get(joint, ())
        if keypoints and set(keypoints) <= set(table.keypoints.joints):
            of_joints[:, column] = values[:, table.keypoints.indices(keypoints)].min(1)
    return of_joints


def pose_rows(table: PoseTable) -> Iterator[Rows]:
    """The rows of `POSE_COLUMNS`, some thousand at a time: by frame, then person, then joint."""
    names = ("frame_index", "time_s", "track_id", "joints_world_m", "joint_sigma_m", "observed")
    count = len(table.joints)
    for chunk in zip(*(table.chunks(name) for name in names), strict=True):
        frames, times, persons, joints, sigmas, observed = chunk
        yield {
            **_who_and_when(frames, times, persons, count),
            "joint": np.tile(np.array(table.joints.joints), len(frames)),
            "x": joints[..., 0].ravel(),
            "y": joints[..., 1].ravel(),
            "z": joints[..., 2].ravel(),
            "sigma": sigmas.ravel(),
            "observed": joints_observed(observed, table).ravel(),
        }


def measure_rows(table: PoseTable) -> Iterator[Rows]:
    """The rows of `MEASURE_COLUMNS`: stretch by stretch of a person, by frame, then measure."""
    names, units = measure_names(table.joints)
    known = [one for one in QUANTITIES.entries().values() if one.is_known_of(table.joints)]
    for stretch in stretches(table):
        own = stretch.own
        frames, times = stretch["frame_index"][own], stretch["time_s"][own]
        joints, sigmas = stretch["joints_world_m"][own], stretch["joint_sigma_m"][own]
        speeds, speed_sigmas = joint_speeds(stretch)
        values = [one.values(joints, table.joints) for one in known]
        value_sigmas = [one.sigma(joints, sigmas, table.joints) for one in known]
        yield {
            **_who_and_when(frames, times, stretch["track_id"][own], len(names)),
            "measure": np.tile(names, len(frames)),
            "value": np.column_stack([*values, speeds]).ravel(),
            "sigma": np.column_stack([*value_sigmas, speed_sigmas]).ravel(),
            "unit": np.tile(units, len(frames)),
        }


def step_rows(table: PoseTable) -> Iterator[Rows]:
    """The rows of `STEP_COLUMNS`: a person's steps by time."""
    for steps in steps_of_people(table).values():
        yield {
            column.name: np.array([getattr(step, column.name) for step in steps], column.kind)
            for column in STEP_COLUMNS
        }


def tables(
    result: Result, with_measures: bool
) -> Iterator[tuple[str, Sequence[Column], Iterator[Rows]]]:
    """The tables of a result: the name of each one's file without its ending, columns and rows."""
    yield result.stem, POSE_COLUMNS, pose_rows(result.table)
    if with_measures:
        yield f"{result.stem}_measures", MEASURE_COLUMNS, measure_rows(result.table)
        yield f"{result.stem}_steps", STEP_COLUMNS, step_rows(result.table)


def measure_names(joints: Skeleton) -> tuple[Array, Array]:
    """The names (M,) and units (M,) of what is measured of a skeleton."""
    known = [one for one in QUANTITIES.entries().values() if one.is_known_of(joints)]
    names = [one.name for one in known] + [f"{joint}_speed" for joint in joints.joints]
    units = [one.unit for one in known] + ["m/s"] * len(joints)
    return np.array(names), np.array(units)


def _who_and_when(frames: Array, times: Array, persons: Array, count: int) -> Rows:
    return {
        "frame": np.repeat(frames, count),
        "time_s": np.repeat(times, count),
        "person": np.repeat(persons, count),
    }
