"""Blender 5.0 imports `bvh` and `glb`, and writes `fbx`: people stand and move as filmed."""

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.kinematics import BONES
from pipeline.export.base import ExportOptions, write_exports
from pipeline.export.rigs.names import BONE_NAMES
from pipeline.results.result import Result
from testkit.consumers import ask, environment
from tests.consumers.rigs import CLIPS, IN_BLENDER, made_clips, people

PICTURES = "VIDEO3D_PICTURES"
"""The folder in which stills are kept for looking at; they are not taken without it."""


@pytest.fixture(scope="module")
def clips(filmed: Result, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    environment("blender")
    return {"filmed": filmed, **made_clips(tmp_path_factory.mktemp("made"))}


def imported(file: Path, result: Result, frames: list[int]) -> Any:
    """What Blender says of a file, and a still of its last frame where one is wanted."""
    folder = os.environ.get(PICTURES)
    picture = [Path(folder) / f"{file.name}.png"] if folder else []
    rate = str(result.report.video.fps)
    return ask("blender", IN_BLENDER, file, rate, ",".join(map(str, frames)), *picture)


@pytest.mark.parametrize("clip", CLIPS)
def test_bvh_has_every_joint_in_its_place_and_rests_in_a_t(
    clip: str, clips: dict[str, Result], folder: Path
) -> None:
    result = clips[clip]
    assert write_exports(result, ["bvh"], folder).failures == []
    for track_id, person in people(result).items():
        file = folder / f"{result.stem}_person{track_id}.bvh"
        (said,) = imported(file, result, person.frames()).values()
        assert said["rest"].keys() == set(BONE_NAMES["mixamo"].values())
        require_t({name: np.array(head) for name, (head, _) in said["rest"].items()})
        for frame in person.frames():
            person.require(said["frames"][str(frame)], frame, "mixamo")


@pytest.mark.parametrize("clip", CLIPS)
def test_glb_has_everyone_s_joints_in_their_places_and_rests_in_a_t(
    clip: str, clips: dict[str, Result], folder: Path
) -> None:
    result = clips[clip]
    assert write_exports(result, ["glb"], folder).failures == []
    require_scene(folder / f"{result.stem}.glb", result)


def test_fbx_opens_again_with_everyone_s_joints_in_their_places(
    clips: dict[str, Result], folder: Path
) -> None:
    result, options = clips["walking"], ExportOptions(blender=str(environment("blender")))
    assert write_exports(result, ["fbx"], folder, options).failures == []
    require_scene(folder / "walking.fbx", result)


def require_scene(file: Path, result: Result) -> None:
    """Everyone's armature of a scene in the video's time."""
    bones = people(result)
    frames = sorted({frame + one.start for one in bones.values() for frame in one.frames()})
    said = imported(file, result, frames)
    assert said.keys() == {f"person{track_id}" for track_id in bones}
    for track_id, person in bones.items():
        armature = said[f"person{track_id}"]
        assert set(BONE_NAMES["mixamo"].values()) <= armature["rest"].keys()
        require_t({name: np.array(head) for name, (head, _) in armature["rest"].items()})
        for frame in person.frames():
            if track_id == 1 or not 50 <= frame + person.start < 70:  # away: the scale is 0
                person.require(armature["frames"][str(frame + person.start)], frame, "mixamo")


def require_t(rest: dict[str, Any]) -> None:
    """The rest pose, z up: arms sideways, legs down, the back straight, within 1°."""
    chains = {
        "LeftArm LeftForeArm LeftHand": [1, 0, 0], "RightArm RightForeArm RightHand": [-1, 0, 0],
        "LeftUpLeg LeftLeg LeftFoot": [0, 0, -1], "RightUpLeg RightLeg RightFoot": [0, 0, -1],
        "Hips Spine Spine1 Spine2 Neck Head": [0, 0, 1],
    }  # fmt: skip
    for chain, direction in chains.items():
        heads = [rest[f"mixamorig:{name}"] for name in chain.split()]
        for start, end in pairwise(heads):
            along = (end - start) / np.linalg.norm(end - start)
            assert along @ direction > np.cos(np.radians(1)), chain


def test_rotations_give_a_skeleton_of_other_proportions_the_same_directions(
    clips: dict[str, Result], folder: Path
) -> None:
    """The motion of `bvh` under another person's offsets, as a retargeting tool copies it."""
    result = clips["tumbling"]
    assert write_exports(result, ["bvh"], folder).failures == []
    lines = (folder / "tumbling_person1.bvh").read_text().splitlines()
    random = np.random.default_rng(5)
    for number, line in enumerate(lines):
        if "OFFSET" in line:
            indent, _, numbers = line.partition("OFFSET ")
            offset = np.array(numbers.split(), float) * random.uniform(0.6, 1.6)
            lines[number] = f"{indent}OFFSET {' '.join(map(str, offset))}"
    other = folder / "other.bvh"
    other.write_text("\n".join(lines) + "\n")
    (person,) = people(result).values()
    (said,) = imported(other, result, person.frames()).values()
    limbs = [
        (f"{side}_{a}", f"{side}_{b}")
        for side in "lr"
        for a, b in (
            ("upper_arm", "forearm"),
            ("forearm", "hand"),
            ("thigh", "shin"),
            ("shin", "foot"),
        )
    ]
    for frame in person.frames():
        at = said["frames"][str(frame)]
        for start, end in (*limbs, ("spine", "chest"), ("neck", "head")):
            names = BONE_NAMES["mixamo"][start], BONE_NAMES["mixamo"][end]
            found = np.array(at[names[1]]) - at[names[0]]
            heads = person.heads_m[frame]
            ours = heads[BONES.index(end)] - heads[BONES.index(start)]
            cosine = found @ ours / np.linalg.norm(found) / np.linalg.norm(ours)
            assert cosine > np.cos(np.radians(1)), (start, frame)
