"""People made of motion capture before a camera, and what a detector says of them: `python -m train film`.

    python -m train film --mocap CMU_FOLDER --makehuman DATA_FOLDER --output shots

Each shot is three seconds of a performance that nobody gave (train/wild/synthesis.py) by a body of MakeHuman's, before a
background that means nothing. The detector of the application sees every frame. What is kept is numbers: its keypoints,
scores and own 3D, and where the joints really are. Shots are written twenty to a file; what is there already is not
made again.
"""

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from core.camera import project
from core.skeletons import COCO_17
from core.types import Detections, Floats, Frame, Intrinsics
from detectors.base import create
from train.arguments import refuse_below
from train.wild.mocap import load_mocap
from train.wild.motion_bank import MotionBank
from train.wild.people.makehuman import MakeHuman
from train.wild.people.picture import Studio
from train.wild.people.posing import POINTS, pose
from train.wild.people.shots import FPS, Shots
from train.wild.synthesis import Recipe, Synthesizer, changed

FRAMES = 90
SHOTS_PER_FILE = 20
_SIZES = ((512, 384), (384, 512), (576, 324), (324, 576), (448, 448))
_MIN_SHARE = 0.25  # of the picture's height that the person takes
_MAX_FOV_DEG = 110.0


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train film`."""
    parser = argparse.ArgumentParser(
        prog="python -m train film", description="Film synthetic people."
    )
    parser.add_argument(
        "--mocap", nargs="+", type=Path, required=True, help="folders, archives or files of motion"
    )
    parser.add_argument(
        "--makehuman", type=Path, required=True, help="the data folder of MakeHuman"
    )
    parser.add_argument("--output", type=Path, default=Path("runs/shots"))
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument(
        "--recipe", nargs="+", default=[], metavar="FIELD=X", help="change fields of the recipe"
    )
    parser.add_argument("--detector", default="blazepose")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    options = parser.parse_args(argv)
    refuse_below(1, options, "shots", "workers")
    recipe = changed(Recipe(tumble=0.1, steep=0.3), options.recipe)
    options.output.mkdir(parents=True, exist_ok=True)
    files = range(-(-options.shots // SHOTS_PER_FILE))
    missing = [number for number in files if not _path(options.output, number).exists()]
    jobs = [missing[worker :: options.workers] for worker in range(options.workers)]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        running = [pool.submit(_work, options, recipe, job) for job in jobs if job]
        for job in running:
            job.result()
    return 0


def _path(folder: Path, number: int) -> Path:
    return folder / f"shots_{number:05d}.npz"


def _work(options: argparse.Namespace, recipe: Recipe, numbers: Sequence[int]) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    crew = Crew(options, recipe)
    for number in tqdm(numbers, unit="file", desc="film"):
        crew.film(np.random.default_rng((options.seed, number)), SHOTS_PER_FILE).save(
            _path(options.output, number)
        )


class Crew:
    """All that one process needs to film."""

    def __init__(self, options: argparse.Namespace, recipe: Recipe) -> None:
        self._bank = MotionBank(load_mocap(options.mocap), FPS, FRAMES, torch.device("cpu"))
        self._recipe = recipe
        self._people = MakeHuman(options.makehuman)
        self._studio = Studio()
        self._detector = create(options.detector, threads=1)

    def film(self, rng: np.random.Generator, count: int) -> Shots:
        """So many shots; `rng` decides everything."""
        performances = self._performances(rng)
        shots: list[tuple[Floats, ...]] = []
        while len(shots) < count:
            shot = self._shot(rng, *next(performances))
            if shot is not None:
                shots.append(shot)
        return Shots(*(np.stack(column) for column in zip(*shots, strict=True)))

    def _performances(self, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
        """Joints (T, 18, 3) in camera space, and up (3,), one after another."""
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        synthesizer = Synthesizer(self._bank, self._recipe, generator, FRAMES // 2)
        while True:
            joints, _, up = synthesizer.filmed(16)
            yield from zip(
                joints.numpy().astype(np.float64), up.numpy().astype(np.float64), strict=True
            )

    def _shot(
        self, rng: np.random.Generator, joints: Floats, up: Floats
    ) -> tuple[Floats, ...] | None:
        """One shot as a row of `Shots`, None where no camera has the whole performance well in view."""
        width, height = _SIZES[rng.integers(len(_SIZES))]
        camera = _camera(joints, width, height, rng)
        if camera is None:
            return None
        body = self._people.draw(rng)
        matrices, points = pose(body, joints, up)
        if points[..., 2].min() < 0.4:
            return None
        self._detector.reset()
        rows = []
        scene = self._studio.scene(
            body,
            background(width, height, rng),
            camera,
            rng,
            _occluder(project(points, camera), width, height, rng),
        )
        lens = _lens(rng)
        with scene as draw:
            for index in range(len(joints)):
                picture = lens(draw(matrices[index]), rng)
                found = self._detector.detect(Frame(index, index / FPS, picture))
                rows.append(_nearest(found, project(points[index], camera)))
        keypoints, scores, metres = (np.stack(column) for column in zip(*rows, strict=True))
        return (
            keypoints,
            scores,
            metres,
            points,
            np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
        )


def _camera(joints: Floats, width: int, height: int, rng: np.random.Generator) -> Intrinsics | None:
    """A lens that shows all of (T, 18, 3), or most of it, somewhere in the picture; None if it would be very wide."""
    if joints[..., 2].min() < 0.5:
        return None
    rays = joints[..., :2] / joints[..., 2:]
    low, high = rays.min((0, 1)), rays.max((0, 1))
    size = np.array([width, height])
    cut = rng.random() < 0.15
    focal = float(
        (size / (high - low)).min() * (rng.uniform(1.0, 1.5) if cut else rng.uniform(0.5, 0.92))
    )
    room = size - focal * (high - low)
    axis = (
        room * rng.uniform(0, 1, 2) - focal * low
    )  # off the middle, as in a picture cut out of another
    tall = np.ptp(rays[..., 1], axis=1).mean() * focal / height
    if tall < _MIN_SHARE or max(width, height) / 2 / focal > np.tan(np.radians(_MAX_FOV_DEG / 2)):
        return None
    return Intrinsics(focal, focal, float(axis[0]), float(axis[1]), "given")


def _nearest(found: Detections, truth: Floats) -> tuple[Floats, Floats, Floats]:
    """Keypoints, scores and 3D of the person nearest to the true points (22, 2) px; NaN and 0 where none is near."""
    missing = (
        np.full((len(COCO_17), 2), np.nan),
        np.zeros(len(COCO_17)),
        np.full((len(COCO_17), 3), np.nan),
    )
    if not len(found):
        return missing
    apart = np.median(np.linalg.norm(found.keypoints_xy - truth[COCO_POINTS], axis=-1), axis=1)
    best = int(apart.argmin())
    if apart[best] > 0.3 * np.ptp(truth[:, 1]):
        return missing
    return found.keypoints_xy[best], found.keypoint_scores[best], found.keypoints_3d[best]


def _coco_point(name: str) -> int:
    side, _, part = name.rpartition("_")
    return POINTS.index(f"{side[0]}_{part}" if side else part)


COCO_POINTS = [_coco_point(name) for name in COCO_17.joints]
"""The rows of `POINTS` that are COCO-17's."""


def background(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W, 3): wall and floor, patches of several sizes, things that stand about."""
    canvas = np.zeros((height, width, 3), np.float32)
    horizon = int(height * rng.uniform(0.3, 0.9))
    canvas[:horizon], canvas[horizon:] = rng.uniform(30, 230, (2, 3))
    for cells, strength in ((3, 40), (10, 30), (40, 20), (160, 12)):
        small = rng.normal(0, strength * rng.uniform(0, 1), (cells, cells, 3)).astype(np.float32)
        smooth = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_NEAREST
        canvas += cv2.resize(small, (width, height), interpolation=smooth)
    for _ in range(rng.integers(0, 9)):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(10, width // 2), rng.integers(10, height // 2)
        colour = tuple(rng.uniform(0, 255, 3).tolist())
        if rng.random() < 0.7:
            cv2.rectangle(canvas, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
        else:
            cv2.circle(canvas, (int(x), int(y)), int(w // 3), colour, -1)
    return np.asarray(
        cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 3.0)).clip(0, 255), np.uint8
    )


def _occluder(
    truth: Floats, width: int, height: int, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.uint8]] | None:
    """Now and then a thing before the person, whose points are at (T, 22, 2) px: corners px, and a picture."""
    if rng.random() > 0.12:
        return None
    low, high = truth[len(truth) // 2].min(0), truth[len(truth) // 2].max(0)
    middle = rng.uniform(low, high)
    half = (high - low) * rng.uniform(0.1, 0.35, 2)
    return np.concatenate([middle - half, middle + half]), background(width // 4, height // 4, rng)


class _lens:  # noqa: N801 (a function with a memory)
    """What one camera does to its pictures: blur, noise, compression."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._blur = float(rng.uniform(0.3, 1.5)) if rng.random() < 0.5 else 0.0
        self._noise = float(rng.uniform(0, 10))
        self._quality = int(rng.integers(25, 95))

    def __call__(self, picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        if self._blur:
            picture = cv2.GaussianBlur(picture, (0, 0), self._blur)
        grain = rng.integers(-128, 128, picture.shape[:2], np.int16)[..., None] * (
            self._noise / 128
        )
        noisy = (picture + grain).clip(0, 255).astype(np.uint8)
        _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
