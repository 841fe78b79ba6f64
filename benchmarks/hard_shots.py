"""2D and 3D errors on filmed shots of people who are hard to see, beside MediaPipe's if wanted.

The same people and motion (MakeHuman's bodies, any motion capture that was not trained on) are
filmed as each of `KINDS` says and go through the whole pipeline with default options:

    python -m benchmarks.hard_shots --mocap BANDAI_1 --makehuman MAKEHUMAN/data
    python -m benchmarks.hard_shots … --kinds dark small --mediapipe-python ENV/bin/python

MediaPipe (`pip install mediapipe==0.10.21`) needs an environment of its own. Columns: the share of
frames in which someone was found on the person; the twelve limb keypoints' distance from the true
ones over the person's height in the picture, median and mean, in percent; frames in which most of
them fit better with left and right swapped; frames in which at least two are nearer to the same
keypoint of another person; PA-MPJPE of the limbs in mm. Errors are over the found frames.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from benchmarks.multiview import graph_landmarks
from core.camera import project
from core.options import Parser
from core.types import Floats, Intrinsics, Picture
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from pipeline.config import PipelineConfig
from pipeline.results.result import Result
from pipeline.run import process_video
from pipeline.runtime.models import Models
from testkit.command_lines import existing, positive, run_benchmark
from testkit.filmed_people import Camera, FilmSet
from testkit.picture_clips import read, scene_without_people, write
from train.metrics import p_mpjpe
from train.wild.people.film import COCO_POINTS

FRAMES = 45
_SIZE = (960, 720)
_LENS = Intrinsics(900.0, 900.0, 480.0, 360.0, "given")
_DISTANCE_M = 3.4  # at which an adult is three fifths as high as the picture
_FOUND = 0.3  # largest mean distance of keypoints on the person, in heights
_SIDES = [*range(6, 12), *range(6)]  # the limbs with left and right swapped


@dataclass(frozen=True)
class Kind:
    """How shots are made hard.

    facing: radians between the camera and where the person faces at first, None for any; pitch_deg:
    of the camera, which stays pointed at the person; distance_m: from it; others: people who walk
    past in front; treat: what becomes of each picture of the plain shot; moved: by how much the
    person is off the picture's middle, in pictures.
    """

    treat: Callable[[Picture, np.random.Generator], Picture] | None = None
    facing: float | None = None
    pitch_deg: float = -5.0
    distance_m: float = _DISTANCE_M
    others: int = 0
    moved: tuple[float, float] = (0.0, 0.0)


def dark(picture: Picture, rng: np.random.Generator) -> Picture:
    """A sixth of the light, and the noise of an amplified sensor."""
    noise = rng.normal(0, 5.0, picture.shape)
    return np.asarray((picture / 6.0 + noise).clip(0, 255), np.uint8)


def blurred(picture: Picture, rng: np.random.Generator) -> Picture:
    """A camera that shakes from side to side: motion blur of 24 px."""
    return np.asarray(cv2.blur(picture, (24, 3)), np.uint8)


def compressed(picture: Picture, rng: np.random.Generator) -> Picture:
    """JPEG of quality 8 at half the size."""
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 8])
    unpacked = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.asarray(cv2.resize(unpacked, picture.shape[1::-1]), np.uint8)


KINDS = {
    "plain": Kind(),
    "small": Kind(distance_m=_DISTANCE_M * 0.6 / 0.15),
    "tiny": Kind(distance_m=_DISTANCE_M * 0.6 / 0.08),
    "dark": Kind(dark),
    "blurred": Kind(blurred),
    "compressed": Kind(compressed),
    "from behind": Kind(facing=np.pi),
    "from above": Kind(pitch_deg=-50.0),
    "above and behind": Kind(facing=np.pi, pitch_deg=-50.0),
    "cut off": Kind(moved=(0.0, 0.3), distance_m=0.7 * _DISTANCE_M),
    "overlapping": Kind(others=1),
}
"""Kinds of shots by row; the small are 15 % of the picture's height, the tiny 8 %."""


@dataclass(frozen=True)
class Shot:
    """A clip of one person and others.

    points (P, T, 12, 2) px the true limbs of P people, the first of whom is asked for; joints
    (T, 12, 3) m in camera space.
    """

    path: Path
    points: Floats
    joints: Floats


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mocap", type=existing, nargs="+", required=True, help="motion capture")
    parser.add_argument("--makehuman", type=existing, required=True, help="MakeHuman's data folder")
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument(
        "--shots", type=positive(int), default=4, help="of each kind (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=900, help="of the first shot")
    parser.add_argument("--detector", default="blazepose", help="our detector")
    parser.add_argument("--lifter", default="lifter", help="name or path of our lifting network")
    parser.add_argument(
        "--mediapipe-python", type=existing, help="Python of MediaPipe's environment"
    )
    parser.add_argument("--clips", type=Path, help="folder that keeps the shots")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    chosen = parser.parse_args()
    config = PipelineConfig.from_flat(detector=chosen.detector, lifter=chosen.lifter, render=False)
    models = Models(config.detect, config.lift.lifter)
    film = cache(lambda: FilmSet(chosen.mocap, chosen.makehuman))
    figures = {}
    names = ("found", "2D median", "2D mean", "swapped", "mixed", "PA-MPJPE")
    print(f"{'kind':18}{'':11}" + "".join(f"{name:>11}" for name in names))
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.clips or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in chosen.kinds:
            shots = [
                shot(film, name, seed, folder)
                for seed in range(chosen.seed, chosen.seed + chosen.shots)
            ]
            found = {"ours": [our_person(one, config, models) for one in shots]}
            if chosen.mediapipe_python:
                found["MediaPipe"] = [
                    their_person(one, chosen.mediapipe_python, folder / "graphs") for one in shots
                ]
            for who, people in found.items():
                row = errors(shots, people)
                figures[f"{name}, {who}"] = dict(zip(names, row, strict=True))
                print(f"{name:18}{who:11}" + "".join(f"{value:11.1f}" for value in row), flush=True)
    models.close()
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


def shot(film: Callable[[], FilmSet], name: str, seed: int, folder: Path) -> Shot:
    """The shot of a kind and seed, made unless it lies in the folder."""
    path = folder / f"{name.replace(' ', '_')}_{seed}.mp4"
    truth = path.with_suffix(".npz")
    treat = KINDS[name].treat
    if not truth.exists() and treat is not None:
        plain, rng = shot(film, "plain", seed, folder), np.random.default_rng(seed)
        write(path, (treat(picture, rng) for picture in read(plain.path)))
        np.savez(truth, points=plain.points, joints=plain.joints)
    elif not truth.exists():
        points, joints = _film(film(), KINDS[name], seed, path)
        np.savez(truth, points=points, joints=joints)
    with np.load(truth) as kept:
        return Shot(path, kept["points"], kept["joints"])


def _film(film: FilmSet, kind: Kind, seed: int, path: Path) -> tuple[Floats, Floats]:
    """Write a shot; person, motion and background are the same for the same seed."""
    rng = np.random.default_rng(seed)
    background = _background(rng)
    actors = [film.actor(rng, FRAMES, np.zeros(2), facing=kind.facing)]
    for number in range(kind.others):
        in_front = np.array([0.0, -0.7 - 0.5 * number])
        actors.append(film.actor(rng, FRAMES, in_front, walks=True))
    pitch = np.radians(kind.pitch_deg)
    back = kind.distance_m * np.array([0.0, np.cos(pitch), np.sin(pitch)])
    width, height = _SIZE
    lens = Intrinsics(
        _LENS.fx, _LENS.fy, _LENS.cx + kind.moved[0] * width, _LENS.cy + kind.moved[1] * height,
        "given",
    )  # fmt: skip
    camera = Camera(np.array([0.0, 0.0, 0.95]) - back, kind.pitch_deg, lens)
    footage = film.film(actors, camera, background)
    write(path, footage.pictures())
    limbs = footage.points[:, :, COCO_POINTS][:, :, LIMBS_IN]
    return project(limbs, lens), limbs[0]


def _background(rng: np.random.Generator) -> Picture:
    """A random part of the sample's scene, mirrored half the time, more or less bright."""
    scene = scene_without_people()
    height = rng.uniform(0.5, 1.0) * scene.shape[0]
    size = np.array([height * _SIZE[0] / _SIZE[1], height]).astype(int)
    x, y = (rng.uniform(0, 1, 2) * (np.array(scene.shape[1::-1]) - size)).astype(int)
    part = cv2.resize(scene[y : y + size[1], x : x + size[0]], _SIZE)
    shown = part[:, ::-1] if rng.random() < 0.5 else part
    return np.asarray((shown * rng.uniform(0.6, 1.0)).astype(np.uint8))


def our_person(shot: Shot, config: PipelineConfig, models: Models) -> tuple[Floats, Floats]:
    """Keypoints (T, 12, 2) px and joints (T, 12, 3) m of whom we follow nearest to the person."""
    with tempfile.TemporaryDirectory() as output:
        result = process_video(shot.path, config, output, models)
        return _nearest(result, shot)


def _nearest(result: Result, shot: Shot) -> tuple[Floats, Floats]:
    points, joints = np.full((FRAMES, 12, 2), np.nan), np.full((FRAMES, 12, 3), np.nan)
    best = np.full(FRAMES, np.inf)
    for person in result.people:
        limbs = person.keypoints_2d[:, LIMBS_IN]
        at = person.frame_indices
        distance = np.nanmean(np.linalg.norm(limbs - shot.points[0, at], axis=-1), axis=1)
        nearer = distance < best[at]
        rows = at[nearer]
        best[rows] = distance[nearer]
        points[rows] = limbs[nearer]
        joints[rows] = person.joints_camera_m[nearer][:, LIMBS_OUT]
    return points, joints


def their_person(shot: Shot, python: str, folder: Path) -> tuple[Floats, Floats]:
    """As `our_person`, of MediaPipe's graph."""
    joints, points = graph_landmarks(shot.path, python, folder)
    return points[:, : len(LIMBS_IN)], joints[:, : len(LIMBS_IN)]


def errors(shots: list[Shot], people: list[tuple[Floats, Floats]]) -> list[float]:
    """Found, 2D median, 2D mean, swapped, mixed in percent, PA-MPJPE in mm, over all shots."""
    found_frames, distances, swapped, mixed, aligned = [], [], [], [], []
    for one, (points, joints) in zip(shots, people, strict=True):
        height = np.ptp(one.points[0], axis=1).max(-1)
        from_all = np.linalg.norm(points - one.points, axis=-1) / height[:, None]  # (P, T, 12)
        from_swapped = np.linalg.norm(points[:, _SIDES] - one.points[0], axis=-1) / height[:, None]
        seen = np.isfinite(from_all[0]).sum(1)
        found = np.nansum(from_all[0], axis=1) < _FOUND * seen
        found_frames.append(found)
        distances.append(from_all[0, found])
        swapped.append((from_swapped < from_all[0])[found].mean(1) > 0.5)
        nearest = from_all.argmin(0) if len(from_all) > 1 else np.zeros(from_all.shape[1:])
        mixed.append((nearest > 0)[found].sum(1) >= 2)
        if found.any():
            aligned.append(
                [p_mpjpe(joints[t : t + 1], one.joints[t : t + 1]) for t in np.flatnonzero(found)]
            )
    distance = np.concatenate(distances)
    return [
        100 * float(np.concatenate(found_frames).mean()),
        100 * float(np.nanmedian(distance)) if distance.size else np.nan,
        100 * float(np.nanmean(distance)) if distance.size else np.nan,
        100 * float(np.concatenate(swapped).mean()) if distance.size else np.nan,
        100 * float(np.concatenate(mixed).mean()) if distance.size else np.nan,
        1000 * float(np.concatenate(aligned).mean()) if aligned else np.nan,
    ]


if __name__ == "__main__":
    run_benchmark(main)
