"""Clips with pictures whose people are known: the sample, mosaics of it, pictures without people.

The people of the sample and of the field's `crowd.mp4` were marked by eye, outlines at some frames
(`people_boxes.json`); in between they are interpolated.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from core.types import Floats, Picture, VideoInfo
from pipeline.media.video_reader import VideoReader, probe
from pipeline.media.video_writer import VideoWriter
from testkit.identity_scores import Truth
from testkit.scenes import FPS
from weights.store import resolve

SAMPLE, CROWD = "sample", "crowd.mp4, one of 4 x 3 tiles of 300 px"
_BOXES = json.loads(Path(__file__).with_name("people_boxes.json").read_text())
_CROWD_FILE = Path(__file__).parents[2] / "shared/data/field/crowd.mp4"
_CROWD_GRID, _CROWD_TILE_PX = (4, 3), 300
_SAMPLE_HEIGHT = 0.392  # of the picture's height that the sample's people take
_MOSAIC_SIZE, _MOSAIC_FRAMES, _MOSAIC_TILES = (1920, 1080), 90, 6
_MOSAIC_START, _MOSAIC_SHIFT = 40, 9  # frame of the first tile, frames by which others are ahead
_OUTLINE = 0.08  # by which a body's outline is larger than its keypoints' box, of its longer side

_EMPTY_FRAMES = 120
_NO_ONE = Truth(np.zeros((0, _EMPTY_FRAMES, 4)), np.zeros((0, _EMPTY_FRAMES), bool))


@dataclass(frozen=True)
class Clip:
    """A video, and the people in it."""

    path: Path
    truth: Truth


def person_boxes(keypoints: Floats, width: int, height: int) -> Floats:
    """The outlines' boxes (…, 4) px, within the picture, of bodies with keypoints (…, K, 2)."""
    low, high = np.nanmin(keypoints, axis=-2), np.nanmax(keypoints, axis=-2)
    margin = _OUTLINE * (high - low).max(-1, keepdims=True)
    boxes = np.concatenate([low - margin, high + margin], -1)
    return boxes.clip(0, [width, height, width, height])


def marked_people(name: str, frames: int) -> Truth:
    """The marked people of `SAMPLE` or of one tile of `CROWD`."""
    boxes, seen = [], []
    for person in _BOXES[name].values():
        at = np.array([int(frame) for frame in person["boxes"]])
        marked = np.array(list(person["boxes"].values()), float)
        index = np.arange(frames)
        path = np.stack([np.interp(index, at, side) for side in marked.T], -1)
        inside = (index >= at[0]) & (index <= at[-1])
        boxes.append(np.where(inside[:, None], path, np.nan))
        first, last = person["seen"] or (frames, 0)
        seen.append((index >= first) & (index <= last))
    return Truth(np.array(boxes), np.array(seen))


def sample(folder: Path) -> Clip:
    """The sample clip as it is; it has two people, and passers-by of a twentieth of the height."""
    path = resolve("demo-clip")
    return Clip(path, marked_people(SAMPLE, _count(path)))


def crowd(folder: Path) -> Clip | None:
    """Twelve clear people, each a fifth of the height; None where the field's clips are absent."""
    if not _CROWD_FILE.is_file():
        return None
    tile = marked_people(CROWD, _count(_CROWD_FILE))
    columns, rows = _CROWD_GRID
    corners = [(x, y, x, y) for y in range(rows) for x in range(columns)]
    boxes = [tile.boxes + np.array(corner) * _CROWD_TILE_PX for corner in corners]
    return Clip(_CROWD_FILE, Truth(np.concatenate(boxes), np.tile(tile.seen, (len(boxes), 1))))


def mosaic(share: float) -> Callable[[Path], Clip]:
    """A maker of mosaics in which people are as high as a share of the picture."""

    def make(folder: Path) -> Clip:
        """Up to six copies of the sample, each ahead of the last, on its scene without people."""
        width, height = _MOSAIC_SIZE
        path = resolve("demo-clip")
        info = probe(path)
        scale = share / _SAMPLE_HEIGHT * height / info.height
        grid = max(1, round(width / info.width / scale))
        scale = min(scale, width / info.width / grid, height / info.height / grid)
        size = int(info.width * scale), int(info.height * scale)
        tiles = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in read(path)]
        whole = marked_people(SAMPLE, len(tiles))
        cells = np.unique(np.linspace(0, grid**2 - 1, _MOSAIC_TILES).round().astype(int))
        corners = [(i % grid * (width // grid), i // grid * (height // grid)) for i in cells]
        starts = [_MOSAIC_START + _MOSAIC_SHIFT * number for number in range(len(cells))]
        empty = cv2.resize(scene_without_people(), _MOSAIC_SIZE)

        def pictures() -> Iterator[Picture]:
            for t in range(_MOSAIC_FRAMES):
                canvas = empty.copy()
                for (x, y), start in zip(corners, starts, strict=True):
                    canvas[y : y + size[1], x : x + size[0]] = tiles[start + t]
                yield canvas

        boxes, seen = [], []
        for (x, y), start in zip(corners, starts, strict=True):
            part = slice(start, start + _MOSAIC_FRAMES)
            boxes.append(whole.boxes[:, part] * scale + (x, y, x, y))
            seen.append(whole.seen[:, part])
        truth = Truth(np.concatenate(boxes), np.concatenate(seen))
        return Clip(write(folder / f"mosaic_{share:.2f}.mp4", pictures()), truth)

    return make


def empty_scene(folder: Path) -> Clip:
    """The sample's scene without its people, seen by a camera that pans and zooms."""
    scene = scene_without_people()
    whole = np.array(scene.shape[1::-1])

    def pictures() -> Iterator[Picture]:
        for phase in np.linspace(0, 2 * np.pi, _EMPTY_FRAMES):
            size = whole * (0.6 + 0.15 * np.cos(phase))
            x, y = (whole - size) * (0.5 + 0.5 * np.sin([phase, 2 * phase]))
            to_scene = np.array([[size[0] / 1280, 0, x], [0, size[1] / 720, y]])
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            yield np.asarray(cv2.warpAffine(scene, to_scene, (1280, 720), flags=flags), np.uint8)

    return Clip(write(folder / "empty_scene.mp4", pictures()), _NO_ONE)


def empty_shapes(folder: Path) -> Clip:
    """Walls, floors, boxes and discs with a cut each second, while a tall box moves past."""
    from train.wild.people.scenery import draw_background

    rng = np.random.default_rng(1)

    def pictures() -> Iterator[Picture]:
        for _ in range(_EMPTY_FRAMES // 30):
            still, moving = draw_background(960, 540, rng), draw_background(120, 240, rng)
            for t in range(30):
                view = still.copy()
                view[150:390, 20 + 20 * t : 140 + 20 * t] = moving
                yield view

    return Clip(write(folder / "empty_shapes.mp4", pictures()), _NO_ONE)


@cache
def scene_without_people() -> Picture:
    """The median of every tenth picture of the sample, the passers-by painted over."""
    kept = [picture for index, picture in enumerate(read(resolve("demo-clip"))) if index % 10 == 0]
    scene = np.median(kept, axis=0).astype(np.uint8)
    still = np.zeros(scene.shape[:2], np.uint8)
    x0, y0, x1, y1 = _BOXES[SAMPLE]["passers-by far away"]["boxes"]["0"]
    still[y0:y1, x0:x1] = 1
    return np.asarray(cv2.inpaint(scene, still, 5, cv2.INPAINT_TELEA), np.uint8)


def read(path: Path) -> Iterator[Picture]:
    """The frames (H, W, 3) RGB of a video."""
    with VideoReader(path) as reader:
        for frame in reader:
            yield frame.rgb


def write(path: Path, pictures: Iterable[Picture]) -> Path:
    """Pictures (H, W, 3) RGB of one size as a video of 30 frames a second."""
    rest = iter(pictures)
    first = next(rest)
    height, width = first.shape[:2]
    info = VideoInfo(path, width, height, FPS, None, 0, None)
    with VideoWriter(path, info, Fraction(FPS), sound=False) as writer:
        for index, picture in enumerate(chain([first], rest)):
            writer.write(picture, index / FPS)
    return path


def _count(path: Path) -> int:
    return sum(1 for _ in read(path))
