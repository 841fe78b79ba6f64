"""How well a lifter does on people and actions it never saw: `python -m train validate --mocap …`.

Every clip is filmed by one of twelve fixed cameras and seen through a detector's errors at several
strengths; seeds are fixed, so two lifters see the same numbers. With `--shots` a real detector saw
pictures of synthetic people (`people`), and the lifter, the detector's own 3D and both together are
compared. The lifter is used as the application uses it. Nothing here touches the training data.
"""

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from core.camera import project
from core.files import written_whole
from core.options import Parser, add_flags, check_options, option
from core.types import Floats
from lifter.predict import Lifter
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from train.arguments import add_motion, add_shots
from train.metrics import mean_velocity_error, mpjpe, p_mpjpe
from train.wild.motion.mocap import MotionClip, load_mocap
from train.wild.people.shots import Shots
from train.wild.validation_clips import clip_errors, film, on_human_bones

_WELL_SEEN_M = 0.06
"""Largest mean distance of a shot's limb keypoints from their joints, at the person's depth."""
_PITCHES_DEG = (0.0, 15.0, 35.0)
_YAWS_DEG = (20.0, 110.0, 200.0, 290.0)


@dataclass(frozen=True)
class ValidateOptions:
    """The options of `python -m train validate`.

    Raises:
        UsageError: A value is out of its range.
    """

    mocap: list[Path] = field(default_factory=list)
    shots: list[Path] = field(default_factory=list)
    noise: list[float] = field(default_factory=lambda: [0.0, 1.0, 2.0])
    lifter: Path = option(Path("weights/lifter.safetensors"), "the lifter to measure")
    every: int = option(1, "use every Nth clip", at_least=1)
    bodies: str = option("captured", "whose bones the motion has", choices=("captured", "human"))
    by: str = option("set", "rows of the table", choices=("set", "action", "pitch"))
    without_feet: bool = option(False, "let the detector see neither heels nor toes")
    json: Path | None = option(None, "write the numbers there too")

    def __post_init__(self) -> None:
        check_options(self)


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train validate`."""
    parser = Parser(
        prog="python -m train validate", description="Measure a lifter on unseen motion."
    )
    add_motion(parser)
    add_shots(parser)
    parser.add_argument(
        "--noise",
        nargs="+",
        type=float,
        default=argparse.SUPPRESS,
        help="strengths of 2D errors (default: 0 1 2)",
    )
    add_flags(parser, fields(ValidateOptions), defaults=True)
    options = ValidateOptions(**vars(parser.parse_args(argv)))
    if not options.mocap and not options.shots:
        parser.error("--mocap or --shots is needed")
    lifter = Lifter.load(options.lifter)
    rows: list[dict[str, Any]] = []
    if options.mocap:
        clips = load_mocap(options.mocap)[:: options.every]
        if options.bodies == "human":
            clips = [on_human_bones(clip) for clip in clips]
        rows += validate(lifter, clips, options.noise, options.by, not options.without_feet)
        print(table(rows))
    for folder in options.shots:
        shot_rows = validate_shots(lifter, Shots.load(folder), folder.name)
        print(table(shot_rows))
        rows += shot_rows
    if options.json:
        with written_whole(options.json) as partial:
            partial.write_text(json.dumps(rows, indent=1))
    return 0


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of one kind as text: their titles, then a column for each of their errors."""
    *titles, errors = rows[0]
    lines = [titles, *([str(row[title]) for title in titles] for row in rows)]
    widths = [max(map(len, column)) + 2 for column in zip(*lines, strict=True)]
    numbers = [
        list(rows[0][errors]),
        *([f"{value:.1f}" for value in row[errors].values()] for row in rows),
    ]
    return "\n".join(
        "".join(map(str.ljust, words, widths)) + "".join(value.rjust(12) for value in values)
        for words, values in zip(lines, numbers, strict=True)
    )


def validate(
    lifter: Lifter,
    clips: list[MotionClip],
    noises: Sequence[float],
    by: str,
    with_feet: bool = True,
) -> list[dict[str, Any]]:
    """Measure a lifter on captured motion.

    Args:
        lifter: What to measure.
        clips: The motion; clip n is filmed by camera n modulo 12.
        noises: Strengths of the 2D errors, 1 being those of training.
        by: How clips are grouped: by the "set" or "action" of their names, or by camera "pitch".
        with_feet: Whether the detector sees heels and toes.

    Returns:
        A row for each group and noise, with the means over frames of the errors of `clip_errors`.
    """
    groups: dict[tuple[str, float], list[tuple[int, dict[str, float]]]] = defaultdict(list)
    for number, truth in filmed_clips(tqdm(clips, unit="clip", desc="validate"), lifter.spec.fps):
        words = clips[number].name.split("_")
        pitch = f"{_PITCHES_DEG[number % 3]:g} degrees"
        group = {"set": words[0], "action": "_".join(words[:2]), "pitch": pitch}[by]
        for noise in noises:
            errors = clip_errors(lifter, truth, noise, number, with_feet)
            groups[group, noise].append((len(truth), errors))
    rows = []
    for (group, noise), results in sorted(groups.items()):
        weights = [frames for frames, _ in results]
        means = {name: _mean([e[name] for _, e in results], weights) for name in results[0][1]}
        rows.append({"group": group, "noise": noise, "clips": len(results), "errors": means})
    return rows


def filmed_clips(clips: Iterable[MotionClip], fps: float) -> Iterator[tuple[int, Floats]]:
    """Clips before twelve cameras in turn: their numbers, and what `film` gives."""
    for number, clip in enumerate(clips):
        yield number, film(clip, fps, _PITCHES_DEG[number % 3], _YAWS_DEG[number // 3 % 4])


def validate_shots(lifter: Lifter, shots: Shots, name: str) -> list[dict[str, Any]]:
    """Measure a lifter without and with the detector's own 3D, and that 3D alone, on filmed people.

    Args:
        lifter: What to measure.
        shots: Filmed people.
        name: What to call them in the rows.

    Returns:
        Rows with the means over all shots, those well seen, and those of each hardship. Errors are
        in mm (MPJVE in mm per frame), over the twelve limb joints and the frames in which the
        detector saw the person.
    """
    errors: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    measures = {"MPJPE": mpjpe, "PA-MPJPE": p_mpjpe, "MPJVE": mean_velocity_error}
    every = tqdm(shots.sequences(), total=len(shots.keypoints), unit="shot", desc="validate")
    for sequence, camera, truth, detector_m, hardships in every:
        seen = ~np.isnan(detector_m).any((1, 2))
        if seen.sum() < 2:
            continue
        without = replace(sequence, keypoints_3d=np.full_like(sequence.keypoints_3d, np.nan))
        poses = {
            "detector": detector_m[:, LIMBS_IN].astype(np.float64),
            "lifter": lifter.lift(without, camera).joints_m[:, LIMBS_OUT],
            "both": lifter.lift(sequence, camera).joints_m[:, LIMBS_OUT],
        }
        target = (truth - truth[:, :1])[:, LIMBS_OUT]
        off_px = np.linalg.norm(
            sequence.keypoints[:, LIMBS_IN] - project(truth[:, LIMBS_OUT], camera), axis=-1
        )
        off_m = np.nanmean(off_px[seen] * truth[seen, :1, 2] / camera.fx)
        for whose, joints in poses.items():
            shot_errors = {
                k: float(measure(joints[seen], target[seen])) for k, measure in measures.items()
            }
            errors[name, whose].append(shot_errors)
            groups = [*hardships, *(["well seen"] if off_m < _WELL_SEEN_M else [])]
            for group in groups:
                errors[f"{name}, {group}", whose].append(shot_errors)
    return [
        {
            "group": group,
            "whose": whose,
            "shots": len(each),
            "errors": {k: float(np.mean([e[k] for e in each])) * 1000 for k in each[0]},
        }
        for (group, whose), each in sorted(errors.items(), key=lambda item: item[0][0])
    ]


def _mean(values: list[float], frames: list[int]) -> float:
    """The mean weighted by frames, of values that are not NaN; NaN where all are."""
    known = ~np.isnan(values)
    if not known.any():
        return math.nan
    return float(np.average(np.array(values)[known], weights=np.array(frames)[known]))
