"""Shots: what a detector made of filmed people, and where their joints are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.archives import read_archive
from core.errors import InputError
from core.files import written_whole
from core.skeletons import COCO_21
from core.types import Floats, Intrinsics, LifterInput
from lifter.side_swaps import MIN_SCORE, correct_side_swaps
from train.motion_data import bridge_gaps
from train.wild.motion.mocap import MOCAP_JOINTS
from train.wild.people.hardships import HARDSHIPS

FPS = 30.0


class ShotSequence(NamedTuple):
    """One shot, as a lifter takes it.

    lifter_input what the detector made of it; camera the lens; joints (T, 22, 3) the true
    `MOCAP_JOINTS` in camera space, metres; detector_3d (T, 21, 3) the detector's own 3D, whose
    left/right swaps are not corrected; hardships the names of those it has.
    """

    lifter_input: LifterInput
    camera: Intrinsics
    joints: Floats
    detector_3d: Floats
    hardships: tuple[str, ...]


@dataclass(frozen=True)
class Shots:
    """S shots of T frames; NaN where the detector saw nothing.

    keypoints (S, T, 21, 2) px; scores (S, T, 21); keypoints_3d (S, T, 21, 3) as in `Detections`;
    points (S, T, 26, 3) true positions in camera space, metres, in the order of `posing.POINTS`;
    cameras (S, 4) fx, fy, cx, cy px; hardships (S, 9) 1 where a shot has that of `HARDSHIPS`.
    """

    keypoints: Floats
    scores: Floats
    keypoints_3d: Floats
    points: Floats
    cameras: Floats
    hardships: Floats

    @classmethod
    def load(cls, *folders: Path) -> "Shots":
        """Read all that `python -m train film` left in some folders.

        Raises:
            InputError: There is none in one of them.
        """
        files = []
        for folder in folders:
            paths = sorted(folder.glob("shots_*.npz"))
            if not paths:
                raise InputError(f"{folder}: no shots of `python -m train film` in it")
            files += [read_archive(path) for path in paths]
        for file in files:  # of a version that filmed without hardships
            file.setdefault("hardships", np.zeros((len(file["keypoints"]), len(HARDSHIPS))))
        names = cls.__dataclass_fields__
        return cls(**{name: np.concatenate([file[name] for file in files]) for name in names})

    def save(self, path: Path) -> None:
        """Write them whole or not at all, as float32."""
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file, **{name: value.astype(np.float32) for name, value in vars(self).items()}
            )

    def sequences(self) -> Iterator[ShotSequence]:
        """The shots in which the detector saw a person, made ready as the application does."""
        for keypoints, scores, points, truth, camera, hard in zip(
            *vars(self).values(), strict=True
        ):
            seen = ~np.isnan(keypoints[..., 0]) & (scores >= MIN_SCORE)
            if not seen.any():
                continue
            fx, fy, cx, cy = camera.astype(float).tolist()
            times = np.arange(len(keypoints)) / FPS
            detected = np.where(seen[..., None], keypoints.astype(np.float64), np.nan)
            scores = np.where(seen, scores, 0.0)
            detected, scores, corrected_3d = correct_side_swaps(detected, scores, points, times)
            yield ShotSequence(
                LifterInput(times, bridge_gaps(detected), scores, corrected_3d, FPS, COCO_21),
                Intrinsics(fx, fy, cx, cy, "given"),
                truth[:, : len(MOCAP_JOINTS)].astype(np.float64),
                points,
                tuple(name for name, has in zip(HARDSHIPS, hard, strict=True) if has),
            )
