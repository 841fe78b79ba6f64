"""How well a lifter does on people and actions it never saw: `python -m train validate --mocap BANDAI …`.

Every clip is filmed by one of twelve fixed cameras and seen through a detector's errors at several strengths; seeds are
fixed, so two lifters see the same numbers. With `--shots` a real detector saw pictures of synthetic people
(train/people), and the lifter, the detector's own 3D and both together are compared. The lifter is used as the
application uses it. Nothing here touches the training data.
"""

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from core.camera import intrinsics_from_fov, project
from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Floats, LifterInput
from lifter.predict import Lifter
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from train.arguments import refuse_below
from train.metrics import mean_velocity_error, mpjpe, n_mpjpe, p_mpjpe
from train.motion_data import bridge_gaps
from train.wild.detector_errors import ERROR_M, coco_points
from train.wild.mocap import MOCAP_JOINTS, MotionClip, load_mocap
from train.wild.motion_bank import BONES, PARENTS, pelvis_frame
from train.wild.people.shots import Shots

_WIDTH, _HEIGHT, _FOV_DEG, _DISTANCE_M = 1920, 1080, 55.0, 5.0
# An adult's bones as shares of stature, each named by its lower joint. Limbs: Drillis and Contini, 1966.
_ADULT_M = 1.70
_SHARES = {
    "hip": 0.053, "knee": 0.245, "ankle": 0.246, "spine": 0.155, "thorax": 0.155, "neck_base": 0.055, "head_top": 0.10,
    "nose": 0.07, "shoulder": 0.11, "elbow": 0.186, "wrist": 0.146,
}  # fmt: skip
_STILL_M = 0.003  # a frame: how little a foot moves that stands
_WELL_SEEN_M = (
    0.06  # mean distance of a shot's limb keypoints from their joints, seen at the person
)
_PITCHES_DEG = (0.0, 15.0, 35.0)
_YAWS_DEG = (20.0, 110.0, 200.0, 290.0)


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train validate`."""
    parser = argparse.ArgumentParser(
        prog="python -m train validate", description="Measure a lifter on unseen motion."
    )
    parser.add_argument(
        "--mocap", nargs="+", type=Path, default=[], help="folders, archives or files of motion"
    )
    parser.add_argument(
        "--shots", nargs="+", type=Path, default=[], help="folders of `python -m train film`"
    )
    parser.add_argument("--lifter", type=Path, default=Path("weights/lifter.safetensors"))
    parser.add_argument(
        "--noise", nargs="+", type=float, default=[0.0, 1.0, 2.0], help="strengths of 2D errors"
    )
    parser.add_argument("--every", type=int, default=1, help="use every Nth clip")
    parser.add_argument(
        "--bodies",
        choices=["captured", "human"],
        default="captured",
        help="whose bones the motion has",
    )
    parser.add_argument(
        "--by", choices=["set", "action", "pitch"], default="set", help="rows of the table"
    )
    parser.add_argument("--json", type=Path, help="write the numbers there too")
    options = parser.parse_args(argv)
    if not options.mocap and not options.shots:
        parser.error("--mocap or --shots is needed")
    refuse_below(1, options, "every")
    lifter = Lifter.load(options.lifter)
    rows: list[dict[str, Any]] = []
    if options.mocap:
        clips = load_mocap(options.mocap)[:: options.every]
        if options.bodies == "human":
            clips = [on_human_bones(clip) for clip in clips]
        rows += _printed(validate(lifter, clips, options.noise, options.by))
    for folder in options.shots:
        rows += _printed(validate_shots(lifter, Shots.load(folder), folder.name))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0


def _printed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows, once printed as a table."""
    *titles, errors = rows[0]
    lines = [titles, *([str(row[title]) for title in titles] for row in rows)]
    widths = [max(map(len, column)) + 2 for column in zip(*lines, strict=True)]
    numbers = [
        list(rows[0][errors]),
        *([f"{value:.1f}" for value in row[errors].values()] for row in rows),
    ]
    for words, values in zip(lines, numbers, strict=True):
        print("".join(map(str.ljust, words, widths)) + "".join(value.rjust(12) for value in values))
    return rows


def validate(
    lifter: Lifter, clips: list[MotionClip], noises: Sequence[float], by: str
) -> list[dict[str, Any]]:
    """Errors in mm (MPJVE and foot skate in mm a frame), averaged over the frames of each group of clips."""
    groups: dict[tuple[str, float], list[tuple[int, dict[str, float]]]] = defaultdict(list)
    for number, clip in enumerate(tqdm(clips, unit="clip", desc="validate")):
        pitch, yaw = _PITCHES_DEG[number % 3], _YAWS_DEG[number // 3 % 4]
        truth = film(clip, lifter.spec.fps, pitch, yaw)
        words = clip.name.split("_")
        group = {"set": words[0], "action": "_".join(words[:2]), "pitch": f"{pitch:g} degrees"}[by]
        for noise in noises:
            errors = clip_errors(lifter, truth, noise, seed=number)
            groups[group, noise].append((len(truth), errors))
    rows = []
    for (group, noise), results in sorted(groups.items()):
        weights = [frames for frames, _ in results]
        means = {name: _mean([e[name] for _, e in results], weights) for name in results[0][1]}
        rows.append({"group": group, "noise": noise, "clips": len(results), "errors": means})
    return rows


def validate_shots(lifter: Lifter, shots: Shots, name: str) -> list[dict[str, Any]]:
    """Errors in mm (MPJVE in mm a frame) of the detector's own 3D, of the lifter without and with it.

    Over the twelve limb joints of the frames in which the detector saw somebody; the mean over shots, over all of them
    and over those that were well seen.
    """
    errors: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    every = tqdm(shots.sequences(), total=len(shots.keypoints), unit="shot", desc="validate")
    for sequence, camera, truth, detector_m in every:
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
        measures = {"MPJPE": mpjpe, "PA-MPJPE": p_mpjpe, "MPJVE": mean_velocity_error}
        off_px = np.linalg.norm(
            sequence.keypoints[:, LIMBS_IN] - project(truth[:, LIMBS_OUT], camera), axis=-1
        )
        off_m = np.nanmean(off_px[seen] * truth[seen, :1, 2] / camera.fx)
        for whose, joints in poses.items():
            of_shot = {
                k: float(measure(joints[seen], target[seen])) for k, measure in measures.items()
            }
            errors[name, whose].append(of_shot)
            if off_m < _WELL_SEEN_M:
                errors[f"{name}, well seen", whose].append(of_shot)
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
    known = ~np.isnan(values)
    return (
        float(np.average(np.array(values)[known], weights=np.array(frames)[known]))
        if known.any()
        else math.nan
    )


def on_human_bones(clip: MotionClip) -> MotionClip:
    """The same motion by an adult: every bone keeps its direction and gets an adult's length."""
    joints = clip.joints_m.copy()
    for joint in BONES:
        bone = clip.joints_m[:, joint] - clip.joints_m[:, PARENTS[joint]]
        length = _ADULT_M * _SHARES[MOCAP_JOINTS[joint].removeprefix("l_").removeprefix("r_")]
        joints[:, joint] = joints[:, PARENTS[joint]] + bone * (
            length / np.linalg.norm(bone, axis=-1, keepdims=True)
        )
    return MotionClip(clip.name, clip.fps, joints)


def film(clip: MotionClip, fps: float, pitch_deg: float, yaw_deg: float) -> Floats:
    """Mocap joints (T, 18, 3) in the space of a fixed camera that looks at the middle of the performance."""
    step = clip.fps / fps
    times = np.arange(0, len(clip.joints_m) - 1, step)
    low = times.astype(int)
    weight = (times - low)[:, None, None]
    joints = clip.joints_m[low] * (1 - weight) + clip.joints_m[low + 1] * weight
    upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # z up → y down
    turn = Rotation.from_euler("x", pitch_deg, degrees=True).as_matrix() @ upright
    turn = turn @ Rotation.from_euler("z", yaw_deg, degrees=True).as_matrix()
    return np.asarray((joints - joints[:, 0].mean(0)) @ turn.T + [0, 0, _DISTANCE_M])


def clip_errors(lifter: Lifter, truth: Floats, noise: float, seed: int) -> dict[str, float]:
    """Lift one filmed clip (T, 18, 3) seen with errors of strength `noise`; compare."""
    rng = np.random.default_rng(seed)
    intrinsics = intrinsics_from_fov(_WIDTH, _HEIGHT, math.radians(_FOV_DEG), "given")
    bias = torch.from_numpy(rng.standard_normal((1, 1, len(COCO_17), 3)) * noise)
    joints = torch.from_numpy(truth)
    points = coco_points(joints[None], pelvis_frame(joints)[None], bias)[0].numpy()
    points[..., :2] += noise * detector_errors(len(points), rng)
    scores = np.where(_dropped(len(points), noise, rng), 0.0, 0.9)
    points[scores == 0] = np.nan
    times = np.arange(len(points)) / lifter.spec.fps
    no_3d = np.full_like(points, np.nan)
    sequence = LifterInput(
        times, bridge_gaps(project(points, intrinsics)), scores, no_3d, lifter.spec.fps, COCO_17
    )
    return _compare(lifter.lift(sequence, intrinsics), truth[:, : len(H36M_17)])


def detector_errors(frames: int, rng: np.random.Generator) -> Floats:
    """(T, 17, 2) metres at the person: fast tremble with rare outliers, and slow wandering."""
    sizes = np.array([ERROR_M[name.split("_")[-1]] for name in COCO_17.joints])[:, None]
    shape = (frames, len(COCO_17), 2)
    fast = (
        0.4
        * rng.standard_normal(shape)
        * np.where(rng.random(shape[:2]) < 0.02, 3.0, 1.0)[..., None]
    )
    margin = 30
    slow = gaussian_filter1d(rng.standard_normal((frames + 2 * margin, *shape[1:])), 5.0, axis=0)[
        margin:-margin
    ]
    return np.asarray((fast + slow * math.sqrt(2 * math.sqrt(math.pi) * 5.0)) * sizes)


def _dropped(frames: int, noise: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(T, 17) bool: stretches of 10 frames in which a keypoint is missing, 2 % of all at strength 1."""
    blocks = rng.random((frames // 10 + 1, len(COCO_17))) < 0.02 * noise
    return blocks.repeat(10, axis=0)[:frames]


def _compare(poses: CameraPoses, truth: Floats) -> dict[str, float]:
    target = truth - truth[:, :1]
    predicted = poses.joints_m
    lengths = np.stack(
        [np.linalg.norm(predicted[:, a] - predicted[:, b], axis=-1) for a, b in H36M_17.bones], 1
    )
    errors = {
        "MPJPE": mpjpe(predicted, target),
        "PA-MPJPE": p_mpjpe(predicted, target),
        "N-MPJPE": n_mpjpe(predicted, target),
        "MPJVE": mean_velocity_error(predicted, target),
        "limbs": mpjpe(predicted[:, LIMBS_OUT], target[:, LIMBS_OUT]),
        "PA-limbs": p_mpjpe(predicted[:, LIMBS_OUT], target[:, LIMBS_OUT]),
        "root": np.linalg.norm(poses.root_m - truth[:, 0], axis=-1).mean(),
        "bone spread": lengths.std(0).mean(),
        "foot skate": foot_skate(poses.joints_m + poses.root_m[:, None], truth),
    }
    return {name: float(value) * 1000 for name, value in errors.items()}


def foot_skate(predicted: Floats, truth: Floats) -> float:
    """Metres a frame that ankles of `predicted` (T, 17, 3) slide while those of `truth` stand; NaN if they never do."""
    ankles = H36M_17.indices(("l_ankle", "r_ankle"))
    moved, really = (np.diff(joints[:, ankles], axis=0) for joints in (predicted, truth))
    standing = np.linalg.norm(really, axis=-1) < _STILL_M
    return (
        float(np.linalg.norm(moved - really, axis=-1)[standing].mean())
        if standing.any()
        else math.nan
    )
