"""HumanEva-I's archives, from the .mat files that the data set's own MATLAB code can be made to write.

`Train/S1/Walking_1.mat` and so on hold `poses_3d` (T, J, 3) mm and `poses_2d` (3, T, J, 2) px, NaN where the motion
capture failed. A recording is cut into the chunks between failures.
"""

import re
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from core.errors import InputError
from core.types import Floats
from train.layouts import layout_in, metadata_of
from train.prepare.files import all_views, find, kind_of, read_detections, write_new

_SPLITS = ("Train", "Validate")
_CAMERAS = ("C1", "C2", "C3")


@dataclass(frozen=True)
class Chunk:
    """Frames first…last-1 of the motion capture, whole or failed."""

    subject: str
    """With its split, such as `Train/S1`."""
    name: str
    first: int
    last: int
    whole: bool


def prepare_3d(folder: Path, data_dir: Path, overwrite: bool) -> None:
    """The 3D archive and that of the 2D ground truth."""
    positions: dict[str, dict[str, Floats]] = {}
    ground_truth: dict[str, dict[str, list[Floats]]] = {}
    joints = 0
    for path in find(folder, "*/S*/*.mat"):
        content = scipy.io.loadmat(path)
        poses, pixels = content["poses_3d"], content["poses_2d"]
        joints = poses.shape[1]
        for chunk in chunks_of(folder, path, poses):
            if chunk.whole:
                start = recording(path)[0]
                frames = slice(chunk.first - start, chunk.last - start)
                positions.setdefault(chunk.subject, {})[chunk.name] = (poses[frames] / 1000).astype(
                    np.float32
                )
                views = [view[frames].astype(np.float32) for view in pixels]
                ground_truth.setdefault(chunk.subject, {})[chunk.name] = views
    layout = f"humaneva{joints}"
    write_new(data_dir / f"data_3d_{layout}.npz", overwrite, positions_3d=positions)
    path = data_dir / f"data_2d_{layout}_gt.npz"
    write_new(path, overwrite, positions_2d=ground_truth, metadata=metadata_of(layout))


def recording(path: Path) -> tuple[int, int]:
    """The frames from the first to before the last that a .mat file must hold."""
    split, subject, action = path.parts[-3], path.parts[-2], path.stem.replace("_", " ")
    try:
        first, last = _table()[subject][action][split.lower()]
    except KeyError as error:
        raise InputError(f"{path}: no recording of HumanEva-I's that is used") from error
    return first, last


def _table() -> dict[str, Any]:
    with Path(__file__).with_name("humaneva.toml").open("rb") as file:
        return tomllib.load(file)


def chunks_of(folder: Path, path: Path, poses: Floats) -> list[Chunk]:
    """Cut a recording where the motion capture starts or stops to fail."""
    first, last = recording(path)
    if len(poses) != last - first:
        raise InputError(f"{path}: has {len(poses)} frames, expected {last - first}")
    whole = np.asarray(np.isfinite(poses).all((1, 2)))
    bounds = [0, *(np.flatnonzero(np.diff(whole)) + 1).tolist(), len(poses)]
    subject = path.parent.relative_to(folder).as_posix()
    action = path.stem.replace("_", " ")
    return [
        Chunk(subject, f"{action} chunk{number}", first + start, first + end, bool(whole[start]))
        for number, (start, end) in enumerate(pairwise(bounds))
    ]


def prepare_2d(source: Path, converted: Path, name: str, data_dir: Path, overwrite: bool) -> None:
    """2D detections `S1/Walking_1_(C1).avi.npz` and so on, in step with the motion capture in `converted`."""
    chunks: dict[tuple[str, str], list[Chunk]] = {}
    joints = 0
    for path in find(converted, "*/S*/*.mat"):
        poses = scipy.io.loadmat(path)["poses_3d"]
        joints = poses.shape[1]
        key = path.parent.name, path.stem.replace("_", " ")
        chunks.setdefault(key, []).extend(chunks_of(converted, path, poses))
    detections: dict[str, dict[str, list[Floats | None]]] = {}

    def put(subject: str, action: str, camera: int, keypoints: Floats) -> None:
        detections.setdefault(subject, {}).setdefault(action, [None] * len(_CAMERAS))[camera] = (
            keypoints
        )

    for path in find(source, "S*/*.avi.npz"):
        subject = path.parent.name
        match = re.fullmatch(r"(.+)[_ ]\((C[123])\)\.avi\.npz", path.name)
        if match is None:
            continue
        action, camera = match[1].replace("_", " "), _CAMERAS.index(match[2])
        keypoints = read_detections(path, kind_of(name))
        if (subject, action) not in chunks:
            put(f"Unlabeled/{subject}", action, camera, keypoints)
        for chunk in chunks.get((subject, action), []):
            offset = _table()[subject][action]["sync"][camera] - 1
            part = keypoints[chunk.first + offset : chunk.last + offset]
            if len(part) < chunk.last - chunk.first:
                raise InputError(
                    f"{path}: ends before frame {chunk.last + offset}, which {chunk.name} needs"
                )
            put(
                chunk.subject if chunk.whole else f"Unlabeled/{chunk.subject}",
                chunk.name,
                camera,
                part,
            )
    complete = {
        subject: {
            action: all_views(views, f"{subject} {action}") for action, views in actions.items()
        }
        for subject, actions in detections.items()
    }
    path = data_dir / f"data_2d_humaneva{joints}_{name}.npz"
    write_new(path, overwrite, positions_2d=complete, metadata=metadata_of(layout_in(name)))
