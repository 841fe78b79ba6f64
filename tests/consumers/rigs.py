"""What programs must say of our skeletons: bones of three clips, by our own forward kinematics."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.kinematics import BONES, bone_heads
from core.types import Floats
from pipeline.export.rigs.motion import RigidPerson, rigid_people
from pipeline.export.rigs.names import BONE_NAMES
from pipeline.results.result import Result
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import FPS, striding, tumbling

TOLERANCE_M = 1e-3
FRAMES_COMPARED = 20
CLIPS = ("filmed", "walking", "tumbling")
IN_BLENDER = (Path(__file__).parent / "in_blender.py").read_text()
IN_NODE = Path(__file__).parent / "in_node.cjs"


@dataclass(frozen=True)
class Expected:
    """A person's bones: rotations (T, B, 3, 3) y up; heads_m (T, B, 3), metres, z up; from frame
    `start` of the video on."""

    start: int
    rotations: Floats
    heads_m: Floats

    def frames(self) -> list[int]:
        """Some frames of the person's own, counted from 0."""
        return np.linspace(0, len(self.heads_m) - 1, FRAMES_COMPARED).astype(int).tolist()

    def require(self, heads: dict[str, Any], frame: int, names: str, scale: float = 1.0) -> None:
        """Assert that each bone of a rig is where it should be in one of `frames`.

        Args:
            heads: Bone by the rig's name → position, z up.
            frame: Counted from the person's first one.
            names: The rig.
            scale: Metres in a unit.
        """
        for bone, name in BONE_NAMES[names].items():
            off = np.array(heads[name]) * scale - self.heads_m[frame, BONES.index(bone)]
            assert np.linalg.norm(off) < TOLERANCE_M, (bone, frame, off)


def expected(person: RigidPerson) -> Expected:
    """The bones of a person of a result."""
    poses = list(person.poses())
    rotations = np.concatenate([part.rotations for part in poses])
    root = np.concatenate([part.root_m for part in poses])
    return Expected(poses[0].start, rotations, z_up(bone_heads(rotations, root, person.rest)))


def people(result: Result) -> dict[int, Expected]:
    """Everyone's bones, by track id."""
    return {person.track_id: expected(person) for person in rigid_people(result)[1]}


def z_up(positions: Floats) -> Floats:
    """Axes (…, 3) with y up to such with z up, which are Blender's and the result's."""
    positions = np.asarray(positions)
    return np.stack([positions[..., 0], -positions[..., 2], positions[..., 1]], -1)


def made_clips(folder: Path) -> dict[str, Result]:
    """A person who walks beside one who comes later and is away for a while; one who tumbles."""
    joints, contacts = striding(120, stretch=0.02)
    away = np.concatenate([np.arange(15, 50), np.arange(70, 110)])
    walkers = [
        Actor(np.arange(120), joints, contacts=contacts),
        Actor(away, joints[away] + [1.5, 0, 0], contacts=contacts[away]),
    ]
    tumbler = [Actor(np.arange(90), tumbling(90, seed=4))]
    return {
        "walking": array_result(folder, walkers, np.arange(120) / FPS, stem="walking"),
        "tumbling": array_result(folder, tumbler, np.arange(90) * 1001 / 24000, stem="tumbling"),
    }
