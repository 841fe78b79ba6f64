"""Filmed people: MakeHuman's bodies moved by motion capture, several in one picture, all known.

They are drawn as `train/wild/people` draws them, one by one, and laid over each other from the
farthest to the nearest. World axes are x right, y away from the camera, z up, floor at 0; metres.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from core.camera import project
from core.types import Floats, Intrinsics, Picture
from testkit.identity_scores import Truth
from testkit.picture_clips import Clip, person_boxes, scene_without_people, write
from testkit.scenes import FPS
from train.wild.motion.mocap import MOCAP_JOINTS, MotionClip, load_mocap
from train.wild.people.body import Body
from train.wild.people.film import COCO_POINTS
from train.wild.people.makehuman import MakeHuman
from train.wild.people.picture import Studio
from train.wild.people.posing import POINTS, pose

_SIZE = (1280, 720)
_FRAMES = 90
_CAMERA_M, _PITCH_DEG = 1.8, -8.0
_LENS = Intrinsics(1000.0, 1000.0, 640.0, 360.0, "given")
_WALKERS = 0.6  # of a crowd; the others stay on the spot
_WALKED_M = 1.5
_MIN_VISIBLE, _MIN_INSIDE = 0.4, 0.6  # shares of a body, and of its keypoints, to be found
_ANKLE_M = 0.08
_LARGE_PX = 400
_KEY = (255, 0, 255)  # the colour that stands for no body; no texture has it
PELVIS = MOCAP_JOINTS.index("pelvis")
_HIPS = MOCAP_JOINTS.index("l_hip"), MOCAP_JOINTS.index("r_hip")


@dataclass(frozen=True)
class Camera:
    """A camera at `position` (3,) in the world, which looks away and up by `pitch_deg`."""

    position: Floats
    pitch_deg: float
    lens: Intrinsics

    @property
    def rotation(self) -> Floats:
        """(3, 3) world axes → camera axes."""
        level = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
        return np.asarray(
            Rotation.from_euler("x", -self.pitch_deg, degrees=True).as_matrix() @ level
        )


@dataclass(frozen=True)
class Actor:
    """A body at rest and captured joints (T, 22, 3) in the world that move it."""

    body: Body
    joints: Floats


@dataclass(frozen=True)
class Footage:
    """Pictures of A actors, drawn when they are asked for.

    points (A, T, 22, 3): `POINTS` in camera space, metres; visible (A, T): the share of a body in
    the picture that no other one hides, known once all `pictures` were drawn.
    """

    pictures: Callable[[], Iterator[Picture]]
    points: Floats
    visible: Floats


class FilmSet:
    """Motion capture, bodies and a renderer."""

    def __init__(self, mocap: Sequence[Path], makehuman: Path) -> None:
        self._motions = [clip for clip in load_mocap(mocap) if _length(clip) > _FRAMES]
        self._people = MakeHuman(makehuman)
        self._studio = Studio()

    def actor(
        self,
        rng: np.random.Generator,
        frames: int,
        position: Floats,
        walks: bool = False,
        facing: float | None = None,
    ) -> Actor:
        """A random body and motion.

        Args:
            rng: Decides all that is random.
            frames: How many.
            position: (2,) middle of the way, or where they stay.
            walks: Whether they walk from one side to the other, give or take 30 degrees, instead of
                staying on the spot.
            facing: Where those who stay face on average, radians from the camera; None for any.
        """
        while True:
            clip = self._motions[rng.integers(len(self._motions))]
            joints = _at_fps(clip, int(rng.integers(1 << 30)), frames)
            way = (joints[-1] - joints[0])[PELVIS, :2]
            if not walks or np.hypot(*way) > _WALKED_M:
                break
        if walks:
            turn = rng.choice([0, np.pi]) + rng.uniform(-0.5, 0.5) - np.arctan2(way[1], way[0])
            path = joints[:, PELVIS, :2].mean(0)
        else:
            across = (joints[:, _HIPS[0]] - joints[:, _HIPS[1]]).mean(0)  # left minus right
            ahead = np.arctan2(-across[0], across[1])
            any_angle = rng.uniform(-np.pi, np.pi)
            turn = (any_angle if facing is None else facing) - np.pi / 2 - ahead
            path = joints[:, None, PELVIS, :2]
        joints[..., :2] -= path
        joints = joints @ Rotation.from_euler("z", turn).as_matrix().T
        joints[..., :2] += position
        return Actor(self._people.draw(rng), joints)

    def film(self, actors: Sequence[Actor], camera: Camera, background: Picture) -> Footage:
        """Film some actors before a background (H, W, 3), which is as large as the pictures."""
        height, width = background.shape[:2]
        up = camera.rotation[:, 2]
        posed = [self._pose(actor, camera, up) for actor in actors]
        points = np.stack([each[1] for each in posed])
        visible = np.zeros(points.shape[:2])

        def pictures() -> Iterator[Picture]:
            cuts = [
                self._cut_out(actor.body, *each, camera.lens, width, height)
                for actor, each in zip(actors, posed, strict=True)
            ]
            for t in range(points.shape[1]):
                canvas = background.astype(np.float32)
                owner = np.full((height, width), -1)
                for i in np.argsort(-points[:, t, PELVIS, 2]):
                    (x, y), colour, alpha = cuts[i][t]
                    part = slice(y, y + alpha.shape[0]), slice(x, x + alpha.shape[1])
                    canvas[part] += (colour - canvas[part]) * alpha[..., None]
                    owner[part][alpha > 0.5] = i
                for i, cut in enumerate(cuts):
                    whole = (cut[t][2] > 0.5).sum()
                    visible[i, t] = (owner == i).sum() / whole if whole else 0.0
                yield canvas.round().clip(0, 255).astype(np.uint8)

        return Footage(pictures, points, visible)

    def _pose(self, actor: Actor, camera: Camera, up: Floats) -> tuple[Floats, Floats]:
        """Matrices and `POINTS` in camera space, the body put on the floor where it is lowest."""
        joints = (actor.joints - camera.position) @ camera.rotation.T
        matrices, points = pose(actor.body, joints)
        ankles = [POINTS.index("l_ankle"), POINTS.index("r_ankle")]
        above = (points[:, ankles] @ up).min() + camera.position[2] - _ANKLE_M
        matrices[..., 3] -= above * up
        return matrices, points - above * up

    def _cut_out(
        self,
        body: Body,
        matrices: Floats,
        points: Floats,
        lens: Intrinsics,
        width: int,
        height: int,
    ) -> list[tuple[tuple[int, int], Floats, Floats]]:
        """For each frame the corner (x, y) of the body's part of the picture, colour and alpha."""
        seen = project(points, lens)
        margin = 0.25 * np.ptp(seen, axis=1).max()
        low = (seen.min((0, 1)) - margin).clip(0, [width - 1, height - 1]).astype(int)
        high = (seen.max((0, 1)) + margin).clip(low + 1, [width, height]).astype(int)
        w, h = high - low
        fine = 1 if h > _LARGE_PX else 2  # the small drawn twice as large, for smooth edges
        own = Intrinsics(
            lens.fx * fine, lens.fy * fine, (lens.cx - low[0]) * fine, (lens.cy - low[1]) * fine,
            "given",
        )  # fmt: skip
        empty = np.full((h * fine, w * fine, 3), _KEY, np.uint8)
        cuts = []
        with self._studio.scene([body], empty, own, np.random.default_rng(0)) as draw:
            for matrix in matrices:
                large = draw(matrix[None])
                is_body = (large != _KEY).any(-1)
                covered = np.where(is_body[..., None], large, 0).astype(np.float32)
                colour = cv2.resize(covered, (int(w), int(h)), interpolation=cv2.INTER_AREA)
                alpha = cv2.resize(
                    is_body.astype(np.float32), (int(w), int(h)), interpolation=cv2.INTER_AREA
                )
                colour = colour / np.maximum(alpha, 1e-3)[..., None]
                rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
                if not len(rows):
                    cuts.append(((int(low[0]), int(low[1])), colour[:1, :1], alpha[:1, :1]))
                    continue
                part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
                corner = int(low[0] + columns[0]), int(low[1] + rows[0])
                cuts.append((corner, colour[part].astype(np.float16), alpha[part]))
        return cuts


def filmed_crowd(
    film: Callable[[], FilmSet], count: int, depths: tuple[float, float]
) -> Callable[[Path], Clip]:
    """A maker of clips of `count` people who walk through each other, `depths` m from the camera.

    Whoever others hide by more than 60 %, or who is cut off by more than 40 %, need not be found.
    A clip that lies in the folder already is not made again.
    """

    def make(folder: Path) -> Clip:
        path = folder / f"filmed_crowd_{count}.mp4"
        people = path.with_suffix(".npz")
        if not people.exists():
            truth = _film_crowd(film(), count, depths, path)
            np.savez_compressed(people, boxes=truth.boxes, seen=truth.seen)
        with np.load(people) as kept:
            return Clip(path, Truth(kept["boxes"], kept["seen"]))

    return make


def _film_crowd(film: FilmSet, count: int, depths: tuple[float, float], path: Path) -> Truth:
    """Write the clip of a crowd, the same for the same `count` and `depths`."""
    rng = np.random.default_rng(count)
    actors = []
    for depth in np.linspace(*depths, count):
        half = 0.8 * _SIZE[0] / 2 / _LENS.fx * depth
        position = np.array([rng.uniform(-half, half), depth])
        actors.append(film.actor(rng, _FRAMES, position, rng.random() < _WALKERS))
    camera = Camera(np.array([0.0, 0.0, _CAMERA_M]), _PITCH_DEG, _LENS)
    footage = film.film(actors, camera, cv2.resize(scene_without_people(), _SIZE))
    write(path, footage.pictures())
    seen = project(footage.points[:, :, COCO_POINTS], _LENS)
    inside = ((seen >= 0) & (seen < _SIZE)).all(-1).mean(-1)
    found = (footage.visible >= _MIN_VISIBLE) & (inside >= _MIN_INSIDE)
    return Truth(np.where((inside > 0)[..., None], person_boxes(seen, *_SIZE), np.nan), found)


def _length(clip: MotionClip) -> float:
    """Frames at 30 per second."""
    return len(clip.joints_m) / clip.fps * FPS


def _at_fps(clip: MotionClip, draw: int, frames: int) -> Floats:
    """`frames` of a clip (T, 22, 3) at 30 per second from a random one on."""
    step = clip.fps / FPS
    start = draw % max(1, int(len(clip.joints_m) - step * frames))
    index = (start + step * np.arange(frames)).round().astype(int)
    return np.asarray(clip.joints_m[index.clip(max=len(clip.joints_m) - 1)], np.float64)
