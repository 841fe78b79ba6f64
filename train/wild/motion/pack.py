"""`python -m train pack`: the FBX library's takes as CMU positions, each once, without faults."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from core.errors import InputError
from core.options import Parser
from core.skeletons import H36M_21
from core.types import Array, Floats
from train.wild.motion.fbx import read_fbx
from train.wild.motion.library import CMU_POINTS, DazMotion, cmu_points, sound_stretches
from train.wild.motion.mocap import (
    CMU_POSITIONS_FPS,
    MotionClip,
    clip_from_cmu_positions,
    load_mocap,
)

_COMPARED_FPS = 12.0
_SAME_DEG = 3.5  # largest mean difference of the angles of a take in two forms
_LEAST_S = 0.5
_ANGLES = tuple(
    (bone, other)
    for side in "lr"
    for bone, other in (
        ((f"{side}_hip", f"{side}_knee"), (f"{side}_knee", f"{side}_ankle")),
        ((f"{side}_shoulder", f"{side}_elbow"), (f"{side}_elbow", f"{side}_wrist")),
        (("r_hip", "l_hip"), (f"{side}_hip", f"{side}_knee")),
        (("r_hip", "l_hip"), (f"{side}_shoulder", f"{side}_elbow")),
    )
)


@dataclass
class _Takes:
    """Takes seen so far, by how long they are, as (T, 8) degrees."""

    known: dict[int, list[Floats]] = field(default_factory=lambda: defaultdict(list))

    def add(self, clip: MotionClip) -> bool:
        """Remember a take; returns whether it, or one that moves alike, was known before."""
        angles = _angles(clip)
        for length in range(len(angles) - 2, len(angles) + 3):
            for other in self.known.get(length, ()):
                frames = min(length, len(angles))
                if np.abs(angles[:frames] - other[:frames]).mean() < _SAME_DEG:
                    return True
        self.known[len(angles)].append(angles)
        return False


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train pack`."""
    parser = Parser(
        prog="python -m train pack",
        description="Pack the takes of the Huge FBX Mocap Library for `python -m train wild`.",
    )
    parser.add_argument("folders", nargs="+", type=Path, help="where the .fbx files are")
    parser.add_argument(
        "--without", nargs="+", type=Path, default=[], metavar="MOCAP",
        help="motion, as --mocap of `python -m train wild` takes it, that is there already",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, required=True, help="the .npz file to write")
    options = parser.parse_args(argv)
    files = {path.stem: path for folder in options.folders for path in folder.rglob("*.fbx")}
    if not files:
        raise InputError(f"{options.folders[0]}: no .fbx files there")
    takes = _Takes()
    for clip in load_mocap(options.without) if options.without else []:
        takes.add(clip)
    packed: dict[str, Any] = {}
    for name in tqdm(sorted(files), unit="take", disable=None):
        try:
            motion = DazMotion.of(read_fbx(files[name]))
        except InputError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        except KeyError as joint:
            print(f"left out: {files[name]}: a skeleton without {joint}", file=sys.stderr)
            continue
        if len(motion.hips_m) < _LEAST_S * motion.fps or takes.add(_clip(motion, name)):
            continue
        stretches = sound_stretches(motion)
        for number, (first, end) in enumerate(stretches):
            stretch = motion.cut(first, end).resample(CMU_POSITIONS_FPS)
            packed[f"{name}-{number}" if number else name] = _millimetres(stretch)
    if not packed:
        raise InputError(f"{options.folders[0]}: no new take of the Huge FBX Mocap Library there")
    with options.output.open("wb") as file:
        np.savez_compressed(file, joint_names=np.array(CMU_POINTS), **packed)
    minutes = sum(map(len, packed.values())) / CMU_POSITIONS_FPS / 60
    print(f"{options.output}: {len(packed)} clips, {minutes:.0f} minutes")
    return 0


def _millimetres(motion: DazMotion) -> Array:
    """(T, 31, 3) int16 of `CMU_POINTS`; the hips begin above the origin."""
    points = cmu_points(motion)
    positions = np.stack([points[name] for name in CMU_POINTS], 1)
    positions -= positions[0, 0] * [1, 0, 1]
    limits = np.iinfo(np.int16)
    return (positions * 1000).round().clip(limits.min, limits.max).astype(np.int16)


def _clip(motion: DazMotion, name: str) -> MotionClip:
    return clip_from_cmu_positions(list(CMU_POINTS), _millimetres(motion), motion.fps, name)


def _angles(clip: MotionClip) -> Floats:
    """(T, 8) degrees between bones of the limbs, 12 times a second."""
    rows = np.arange(0, len(clip.joints_m), clip.fps / _COMPARED_FPS).astype(int)
    joints = clip.joints_m[rows].astype(np.float64)
    angles = []
    for pair in _ANGLES:
        one, other = (
            joints[:, H36M_21.index(end)] - joints[:, H36M_21.index(start)] for start, end in pair
        )
        sine = np.linalg.norm(np.cross(one, other), axis=1)
        angles.append(np.degrees(np.arctan2(sine, (one * other).sum(1))))
    return np.stack(angles, 1)
