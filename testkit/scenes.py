"""Made scenes of several people with known identities, as a detector reports them.

Occlusion is computed. Like a real one, the detector misses people for some frames, jitters, swaps
left and right now and then, is unsure of people half hidden, reports the one in front twice instead
of the one behind, reports false people, and all in no order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from core.skeletons import COCO_17
from core.types import Detections, Floats
from testkit.walker import keypoints, walking

FPS, WIDTH, HEIGHT = 30.0, 1920.0, 1080.0
_PELVIS_BELOW_CAMERA_M = 0.4
_MAX_HIDDEN = 0.7  # share of a person's keypoints; no detector reports people hidden more than that
_MAX_OUTSIDE = 0.6  # likewise, outside the picture


@dataclass(frozen=True)
class Actor:
    """A person who walks along a path.

    path (T, 2): metres to the right of the camera and away from it; height: factor on the walker's
    size; phase: frames by which the gait is shifted; statue: whether no limb ever moves.
    """

    path: Floats
    height: float = 1.0
    phase: int = 0
    statue: bool = False

    def keypoints(self) -> Floats:
        """(T, 17, 2) px."""
        frames = len(self.path)
        gait = slice(self.phase, self.phase + 1 if self.statue else self.phase + frames)
        body = walking(frames + 30)[gait] * self.height
        heading = np.gradient(self.path, axis=0) if frames > 1 else np.zeros((frames, 2))
        angle = np.unwrap(np.arctan2(heading[:, 0], -heading[:, 1] + 1e-9))  # 0: to the camera
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        x, y, z = np.moveaxis(np.broadcast_to(body, (frames, *body.shape[1:])), -1, 0)
        turned = np.stack([x * cos - z * sin, y, x * sin + z * cos], -1)
        root = np.stack(
            [self.path[:, 0], np.full(frames, _PELVIS_BELOW_CAMERA_M), self.path[:, 1]], 1
        )
        return keypoints(turned, root)


@dataclass(frozen=True)
class Scene:
    """What a detector reports of a stage, and the truth.

    detections: those of T frames; boxes (A, T, 4) px of A actors, hidden or not; seen (A, T):
    whether an actor is reported; people: A times whether an actor is a person, no statue.
    """

    detections: list[Detections]
    boxes: Floats
    seen: Floats
    people: list[bool]


@dataclass(frozen=True)
class Stage:
    """What is filmed; `pillars` are (left, right) px, in front of all actors."""

    actors: list[Actor]
    pillars: list[tuple[float, float]] = field(default_factory=list)

    def film(self, seed: int) -> Scene:
        """What a detector reports of it; `seed` decides its errors."""
        rng = np.random.default_rng(seed)
        points = np.stack([actor.keypoints() for actor in self.actors])
        boxes = np.concatenate([points.min(2), points.max(2)], -1)
        covered, occluder = self._occlusion(points, boxes)
        boxes = boxes.clip(0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
        outside = ((points < 0) | (points > (WIDTH, HEIGHT))).any(-1).mean(-1)
        visible = (covered.mean(-1) < _MAX_HIDDEN) & (outside < _MAX_OUTSIDE)
        seen = visible & ~np.stack([_missed(points.shape[1], rng) for _ in self.actors])
        noisy = np.stack([self._noisy(i, points[i], covered[i], rng) for i in range(len(points))])
        frames = [
            _frame(t, noisy[:, t], points[:, t], covered[:, t], occluder[:, t], seen[:, t], rng)
            for t in range(points.shape[1])
        ]
        return Scene(frames, boxes, seen, [not actor.statue for actor in self.actors])

    def _occlusion(self, points: Floats, boxes: Floats) -> tuple[Floats, Floats]:
        """(A, T, 17) which keypoints are hidden; (A, T) which actor hides most, -1 for none."""
        covered = np.zeros(points.shape[:3], dtype=bool)
        occluder = np.full(points.shape[:2], -1)
        for i, actor in enumerate(self.actors):
            for left, right in self.pillars:
                covered[i] |= (points[i, ..., 0] > left) & (points[i, ..., 0] < right)
            for j, other in enumerate(self.actors):
                inset = 0.15 * (boxes[j, :, 2] - boxes[j, :, 0])[:, None]
                x, y = points[i, ..., 0], points[i, ..., 1]
                inside = (x > boxes[j, :, :1] + inset) & (x < boxes[j, :, 2:3] - inset)
                inside &= (y > boxes[j, :, 1:2]) & (y < boxes[j, :, 3:])
                hidden = inside & (other.path[:, 1] < actor.path[:, 1] - 0.1)[:, None]
                occluder[i, hidden.mean(-1) > _MAX_HIDDEN] = j
                covered[i] |= hidden
        return covered, occluder

    def _noisy(self, i: int, points: Floats, covered: Floats, rng: np.random.Generator) -> Floats:
        """Keypoints (T, 17, 2) of actor i with jitter that lasts, and sides swapped at times."""
        size = np.ptp(points[..., 1], axis=1)[:, None, None]
        noise = rng.normal(0, 1, points.shape)
        for t in range(1, len(noise)):
            noise[t] = 0.7 * noise[t - 1] + 0.7 * noise[t]
        share = np.where(covered, 0.04, 0.004 if self.actors[i].statue else 0.015)[..., None]
        noisy = points + noise * size * share
        swapped = rng.random(len(points)) < 0.03
        noisy[swapped] = noisy[swapped][:, COCO_17.flip_order]
        return noisy


_Reported = tuple[Floats, Floats, float]  # keypoints (17, 2) px, their scores (17,), box score


def _frame(
    t: int, noisy: Floats, points: Floats, covered: Floats, occluder: Floats, seen: Floats,
    rng: np.random.Generator,
) -> Detections:  # fmt: skip
    """Frame t from `noisy`, `points` (A, 17, 2), `covered` (A, 17), `occluder`, `seen` (A,)."""
    people: list[_Reported] = []
    for i in range(len(noisy)):
        scores = np.where(covered[i], 0.2, 0.9)
        if seen[i]:
            box_score = 0.92 - 0.8 * covered[i].mean() + rng.normal(0, 0.03)
            people.append((noisy[i], scores, box_score))
        elif occluder[i] >= 0 and seen[occluder[i]] and rng.random() < 0.15:
            # The one in front, twice.
            front = points[occluder[i]]
            size = np.ptp(front[:, 1])
            double = front + rng.normal(0, 0.02 * size, (17, 2))
            people.append((double, scores, rng.uniform(0.2, 0.6)))
    if rng.random() < 0.02:  # a false person
        center = rng.uniform((0, 0), (WIDTH, HEIGHT))
        pose = center + rng.normal(0, 60, (17, 2))
        people.append((pose, np.full(17, 0.3), rng.uniform(0.1, 0.6)))
    return _detections(t, [people[i] for i in rng.permutation(len(people))])


def _detections(t: int, people: list[_Reported]) -> Detections:
    """The people of frame t as `Detections`."""
    points = np.array([one[0] for one in people]).reshape(-1, 17, 2)
    boxes = np.concatenate([points.min(1), points.max(1)], 1) if len(people) else np.zeros((0, 4))
    return Detections(
        t,
        boxes.clip(0, [WIDTH, HEIGHT, WIDTH, HEIGHT]),
        np.clip([one[2] for one in people], 0, 1),
        points,
        np.array([one[1] for one in people]).reshape(-1, 17),
        np.full((len(people), 17, 3), np.nan),
        COCO_17,
    )


def _missed(frames: int, rng: np.random.Generator) -> Floats:
    """(T,) frames in which a detector misses a person for no reason, mostly three in a row."""
    missed = np.zeros(frames, dtype=bool)
    for start in np.flatnonzero(rng.random(frames) < 0.015):
        missed[start : start + rng.geometric(1 / 3)] = True
    return missed


def _line(start: tuple[float, float], end: tuple[float, float], seconds: float) -> Floats:
    """A straight path (T, 2) at constant speed."""
    return np.linspace(start, end, round(seconds * FPS))


def _walker(path: Floats, rng: np.random.Generator) -> Actor:
    """An actor of random height and gait, whose path is a little off."""
    return Actor(path + rng.normal(0, 0.1, 2), rng.uniform(0.92, 1.08), int(rng.integers(0, 30)))


def crossing(rng: np.random.Generator) -> Stage:
    """Two walk past each other, one behind the other."""
    speed = rng.uniform(0.9, 1.4)
    return Stage([
        _walker(_line((-3.5 * speed, 5), (3.5 * speed, 5), 7), rng),
        _walker(_line((3.5, 6), (-3.5, 6), 7), rng),
    ])  # fmt: skip


def overtaking(rng: np.random.Generator) -> Stage:
    """One walks past another who goes the same way, slowly: hidden for about a second."""
    return Stage([
        _walker(_line((-2.5, 4.5), (4, 4.5), 7), rng),
        _walker(_line((-0.5, 5.5), (1.8, 5.5), 7), rng),
    ])  # fmt: skip


def pillar(rng: np.random.Generator) -> Stage:
    """Hidden for a second; another one stands about."""
    passing = _walker(_line((-3, 5), (3, 5), 6), rng)
    other = _walker(_line((-4.2, 6), (-3.9, 6), 6), rng)
    return Stage([passing, other], [(820, 1050)])


def two_behind_a_pillar(rng: np.random.Generator) -> Stage:
    """Two vanish behind a pillar at about the same time and come out where the other went in."""
    return Stage([
        _walker(_line((-3, 5), (3, 5), 6), rng),
        _walker(_line((3, 5.6), (-3, 5.6), 6), rng),
    ], [(800, 1060)])  # fmt: skip


def leave_and_return(rng: np.random.Generator) -> Stage:
    """One leaves the picture and is back 2 s later, another walks on."""
    away = np.concatenate([_line((1, 5), (4.9, 5), 3.5), _line((4.9, 5.1), (1, 5.4), 3.5)])
    return Stage([_walker(away, rng), _walker(_line((-2, 6), (0, 5.5), 7), rng)])


def meeting(rng: np.random.Generator) -> Stage:
    """Two walk up to each other, stand and go back to where they came from."""

    def back(side: float, depth: float) -> Floats:
        return np.concatenate([
            _line((3 * side, depth), (0.45 * side, depth), 2.5),
            _line((0.45 * side, depth), (0.4 * side, depth), 1.5),
            _line((0.4 * side, depth), (3 * side, depth), 2.5),
        ])  # fmt: skip

    return Stage([_walker(back(1, 5), rng), _walker(back(-1, 5.4), rng)])


def poster(rng: np.random.Generator) -> Stage:
    """One walks past the picture of a person."""
    picture = Actor(
        np.tile([rng.uniform(-1, 1), 7.0], (round(6 * FPS), 1)),
        1.1,
        int(rng.integers(0, 30)),
        statue=True,
    )
    return Stage([_walker(_line((-3, 5), (3, 5), 6), rng), picture])


def crowd(rng: np.random.Generator) -> Stage:
    """Six walk to and fro across the picture, each at a depth of their own."""
    actors = []
    for depth in np.linspace(4.5, 9, 6):
        side = rng.choice([-1, 1]) * depth * 0.75
        half = rng.uniform(4, 6)
        there = _line((-side, depth), (side * rng.uniform(0.4, 1), depth), half)
        actors.append(
            _walker(
                np.concatenate([there, _line(tuple(there[-1]), (-side, depth), 10 - half)]), rng
            )
        )
    return Stage(actors)


STAGES: dict[str, Callable[[np.random.Generator], Stage]] = {
    "crossing": crossing,
    "overtaking": overtaking,
    "hidden 1 s": pillar,
    "two behind a pillar": two_behind_a_pillar,
    "leave and return": leave_and_return,
    "meeting": meeting,
    "static false person": poster,
    "crowd of six": crowd,
}
"""Stages by name; the generator varies people, speeds and positions."""


def made(name: str, seed: int) -> Scene:
    """One scene of `STAGES`."""
    return STAGES[name](np.random.default_rng(seed)).film(seed)
