"""Film synthetic people and keep what a detector makes of them.

    python -m train film --mocap CMU_FOLDER --makehuman DATA_FOLDER --output shots

A shot is three seconds of a synthetic performance (`train/wild/synthesis`) by a body of MakeHuman's
before a random background. With `--hard` it is hard to see in one way or several (`hardships`). The
detector of the application sees every frame. Only numbers are kept: its keypoints, scores and own
3D, where the joints are, and which hardships a shot has. Shots are written twenty to a file; a file
that exists is not made again.
"""

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from core.camera import project
from core.options import Parser, add_flags, check_options, option
from core.skeletons import COCO_21
from core.types import Detections, Floats, Frame, Intrinsics, VideoInfo
from detectors.base import AUTO
from detectors.choice import DEFAULT_DETECTOR, create, detector_names
from train.arguments import add_motion, add_recipe
from train.wild.motion.bank import MotionBank
from train.wild.motion.mocap import load_mocap
from train.wild.people.hardships import (
    HARDSHIPS,
    Hardships,
    against_the_light,
    cut_off,
    draw_exposure,
    exposed,
    place_in_front,
    turn_to_view,
)
from train.wild.people.makehuman import MakeHuman
from train.wild.people.picture import Studio
from train.wild.people.posing import POINTS, pose
from train.wild.people.scenery import Sensor, draw_background, draw_lens, draw_occluder
from train.wild.people.shots import FPS, Shots
from train.wild.synthesis.recipe import Recipe, with_changes
from train.wild.synthesis.synthesizer import Synthesizer

FRAMES = 90
SHOTS_PER_FILE = 20
_SIZES_PX = ((512, 384), (384, 512), (576, 324), (324, 576), (448, 448))
_PERFORMANCES = 16  # drawn at once
_MIN_DEPTH_M = 0.4
_MAX_DISTANCE = 0.3  # of a detected person from the true one, in heights of the latter


@dataclass(frozen=True)
class FilmOptions:
    """The options of `python -m train film`.

    Raises:
        UsageError: A value is out of its range.
    """

    mocap: list[Path]
    makehuman: Path
    recipe: list[str] = field(default_factory=list)
    hard: list[str] | None = None
    output: Path = option(Path("runs/shots"), "folder for the files of shots")
    shots: int = option(1000, "how many; rounded up to whole files", at_least=1)
    detector: str = option(
        DEFAULT_DETECTOR,
        "the detector that sees them",
        choices=lambda: [name for name in detector_names() if name != AUTO],
    )
    seed: int = option(0, "decides all that is random")
    workers: int = option(2, "processes", at_least=1)

    def __post_init__(self) -> None:
        check_options(self)


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train film`."""
    parser = Parser(prog="python -m train film", description="Film synthetic people.")
    add_motion(parser, required=True)
    parser.add_argument(
        "--makehuman", type=Path, required=True, help="the data folder of MakeHuman"
    )
    add_recipe(parser)
    chances = ", ".join(f"{name} {chance:g}" for name, chance in vars(Hardships()).items())
    parser.add_argument(
        "--hard", nargs="*", metavar="FIELD=X", default=argparse.SUPPRESS,
        help=f"film shots with hardships; change their chances ({chances})",
    )  # fmt: skip
    add_flags(parser, fields(FilmOptions), defaults=True)
    options = FilmOptions(**vars(parser.parse_args(argv)))
    recipe = with_changes(Recipe(tumble=0.1, steep=0.3), options.recipe)
    hardships = None
    if options.hard is not None:
        hardships = with_changes(Hardships(), options.hard, "--hard")
    options.output.mkdir(parents=True, exist_ok=True)
    files = range(-(-options.shots // SHOTS_PER_FILE))
    missing = [number for number in files if not _path(options.output, number).exists()]
    jobs = [missing[worker :: options.workers] for worker in range(options.workers)]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        running = [pool.submit(_work, options, recipe, hardships, job) for job in jobs if job]
        for job in running:
            job.result()
    return 0


def _path(folder: Path, number: int) -> Path:
    return folder / f"shots_{number:05d}.npz"


def _work(
    options: FilmOptions, recipe: Recipe, hardships: Hardships | None, numbers: Sequence[int]
) -> None:
    """Make some of the files, in a process of its own."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    crew = FilmCrew(options, recipe, hardships)
    for number in tqdm(numbers, unit="file", desc="film"):
        rng = np.random.default_rng((options.seed, number))
        crew.film(rng, SHOTS_PER_FILE).save(_path(options.output, number))


class FilmCrew:
    """All that one process needs to film."""

    def __init__(
        self, options: FilmOptions, recipe: Recipe, hardships: Hardships | None = None
    ) -> None:
        self._bank = MotionBank(load_mocap(options.mocap), FPS, FRAMES, torch.device("cpu"))
        self._recipe = recipe
        self._hardships = hardships
        self._people = MakeHuman(options.makehuman)
        self._studio = Studio()
        self._detector = create(options.detector, threads=1)

    def film(self, rng: np.random.Generator, count: int) -> Shots:
        """Film `count` shots; `rng` decides all that is random."""
        performances = self._performances(rng)
        shots: list[tuple[Floats, ...]] = []
        while len(shots) < count:
            shot = self._shot(rng, performances)
            if shot is not None:
                shots.append(shot)
        return Shots(*(np.stack(column) for column in zip(*shots, strict=True)))

    def _performances(self, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
        """Joints (T, 22, 3) in camera space and the world's up (3,) there, without end."""
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        synthesizer = Synthesizer(self._bank, self._recipe, generator, FRAMES // 2)
        while True:
            joints, _, up = synthesizer.performances(_PERFORMANCES)
            yield from zip(
                joints.numpy().astype(np.float64), up.numpy().astype(np.float64), strict=True
            )

    def _shot(
        self, rng: np.random.Generator, performances: Iterator[tuple[Floats, Floats]]
    ) -> tuple[Floats, ...] | None:
        """One shot as a row of `Shots`; None where no camera has the whole performance in view."""
        joints, up = next(performances)
        hard = self._hardships.draw(rng) if self._hardships else frozenset()
        joints, up = turn_to_view(joints, up, hard, rng)
        size = _SIZES_PX[rng.integers(len(_SIZES_PX))]
        lens = draw_lens(joints, *size, rng)
        if lens is None:
            return None
        body = self._people.draw(rng)
        if "backlit" in hard:
            body = against_the_light(body, rng)
        bodies, moves, points = [body], *([one] for one in pose(body, joints))
        if "covered" in hard:
            other, other_up = next(performances)
            bodies.append(self._people.draw(rng))
            in_front = place_in_front(other, other_up, joints, up, rng)
            for column, posed in zip((moves, points), pose(bodies[1], in_front), strict=True):
                column.append(posed)
        if min(each[..., 2].min() for each in points) < _MIN_DEPTH_M:
            return None
        truth = project(points[0], lens)
        if "cut" in hard:
            lens = cut_off(lens, truth[len(truth) // 2], size, rng)
        background = draw_background(*size, rng)
        occluder = draw_occluder(project(points[0], lens), *size, rng)
        scene = self._studio.scene(bodies, background, lens, rng, occluder)
        sensor = Sensor(rng, hard, float(np.median(np.ptp(truth, axis=1).max(-1))))
        exposure = draw_exposure(hard, rng)
        kept_size = sensor.size(*size)
        lens = _resized(lens, size, kept_size)
        seen = [project(each, lens) for each in points]
        matrices = np.stack(moves, 1)
        self._detector.begin(VideoInfo(Path("shot"), *kept_size, FPS, FRAMES, 0, FRAMES / FPS))
        rows = []
        with scene as draw:
            for index in range(len(joints)):
                picture = sensor.degrade(exposed(draw, matrices, index, exposure), rng)
                detections = self._detector.detect(Frame(index, index / FPS, picture))
                rows.append(_own_person(detections, *(each[index] for each in seen)))
        keypoints, scores, metres = (np.stack(column) for column in zip(*rows, strict=True))
        camera = np.array([lens.fx, lens.fy, lens.cx, lens.cy])
        has = np.array([name in hard for name in HARDSHIPS], float)
        return keypoints, scores, metres, points[0], camera, has


def _resized(lens: Intrinsics, old: tuple[int, int], new: tuple[int, int]) -> Intrinsics:
    """A lens whose pictures of size `old` are resized to `new`."""
    x, y = new[0] / old[0], new[1] / old[1]
    return Intrinsics(lens.fx * x, lens.fy * y, lens.cx * x, lens.cy * y, "given")


def _own_person(
    detections: Detections, truth: Floats, *others: Floats
) -> tuple[Floats, Floats, Floats]:
    """The detected person nearest to the true points (26, 2) px; missing where none is near.

    A detection that is nearer to the points of one of the `others` counts as theirs.

    Returns keypoints (21, 2) px, scores (21,) and the detector's 3D (21, 3) m.
    """
    missing = (
        np.full((len(COCO_21), 2), np.nan),
        np.zeros(len(COCO_21)),
        np.full((len(COCO_21), 3), np.nan),
    )
    if not len(detections):
        return missing
    distance, *elsewhere = (
        np.median(np.linalg.norm(detections.keypoints_xy - one[COCO_POINTS], axis=-1), axis=1)
        for one in (truth, *others)
    )
    for other in elsewhere:
        distance = np.where(distance < other, distance, np.inf)
    best = int(distance.argmin())
    if distance[best] > _MAX_DISTANCE * np.ptp(truth[:, 1]):
        return missing
    return (
        detections.keypoints_xy[best],
        detections.keypoint_scores[best],
        detections.keypoints_3d[best],
    )


def _point_index(name: str) -> int:
    """The index in `POINTS` of a COCO-21 keypoint."""
    side, _, part = name.replace("big_toe", "toe").rpartition("_")
    return POINTS.index(f"{side[0]}_{part}" if side else part)


COCO_POINTS = [_point_index(name) for name in COCO_21.joints]
"""The rows of `POINTS` that are COCO-21's."""
