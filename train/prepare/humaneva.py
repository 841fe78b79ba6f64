"""HumanEva-I's archives, from .mat files that the data set's own MATLAB code is made to write.

`Train/S1/Walking_1.mat` and so on hold `poses_3d` (T, J, 3) mm and `poses_2d` (3, T, J, 2) px, NaN
where the motion capture failed. A recording is cut into the chunks between failures.
"""

import argparse
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
from train.layouts import keypoint_metadata, layout_name
from train.prepare.base import Command, name_flag
from train.prepare.files import (
    Views,
    detector_kind,
    find_files,
    read_detections,
    reading,
    write_new,
)

_CAMERAS = ("C1", "C2", "C3")


@dataclass(frozen=True)
class Chunk:
    """Consecutive frames of a recording in which the motion capture worked, or failed."""

    subject: str
    """With its split, such as `Train/S1`."""
    name: str
    first: int
    """Its first frame, as the motion capture counts."""
    last: int
    """The frame after its last."""
    whole: bool
    """Whether the motion capture worked."""


def prepare_3d(source: Path, data_dir: Path, overwrite: bool) -> None:
    """Make the 3D archive and the 2D archive `gt`.

    Args:
        source: The folder of the .mat files.
        data_dir: The folder of the archives.
        overwrite: Whether archives that are there may be replaced.

    Raises:
        InputError: There are no .mat files, or one isn't of a recording of the data set.
    """
    positions: dict[str, dict[str, Floats]] = {}
    ground_truth: dict[str, dict[str, list[Floats]]] = {}
    joints = 0
    for path in find_files(source, "*/S*/*.mat"):
        with reading(path):
            content = scipy.io.loadmat(path)
            poses, pixels = content["poses_3d"], content["poses_2d"]
            joints = poses.shape[1]
        start = recorded_frames(path)[0]
        for chunk in split_into_chunks(source, path, poses):
            if chunk.whole:
                frames = slice(chunk.first - start, chunk.last - start)
                poses_m = (poses[frames] / 1000).astype(np.float32)
                views = [view[frames].astype(np.float32) for view in pixels]
                positions.setdefault(chunk.subject, {})[chunk.name] = poses_m
                ground_truth.setdefault(chunk.subject, {})[chunk.name] = views
    layout = f"humaneva{joints}"
    write_new(data_dir / f"data_3d_{layout}.npz", overwrite, positions_3d=positions)
    path = data_dir / f"data_2d_{layout}_gt.npz"
    write_new(path, overwrite, positions_2d=ground_truth, metadata=keypoint_metadata(layout))


def recorded_frames(path: Path) -> tuple[int, int]:
    """The first frame of a .mat file and the one after its last, as the motion capture counts.

    Raises:
        InputError: No recording of the data set has that path.
    """
    split, subject, action = path.parts[-3], path.parts[-2], path.stem.replace("_", " ")
    try:
        first, last = _recordings()[subject][action][split.lower()]
    except KeyError as error:
        raise InputError(f"{path}: no recording of HumanEva-I's that is used") from error
    return first, last


def _recordings() -> dict[str, Any]:
    """Subject → action → `train`, `validate` and `sync`, see `humaneva.toml`."""
    with Path(__file__).with_name("humaneva.toml").open("rb") as file:
        return tomllib.load(file)


def split_into_chunks(folder: Path, path: Path, poses: Floats) -> list[Chunk]:
    """Cut a recording at the beginning and end of each failure of the motion capture.

    Args:
        folder: The folder of all recordings, from which the subject's name is derived.
        path: The recording's .mat file in it.
        poses: (T, J, 3), NaN where the motion capture failed.

    Raises:
        InputError: The recording has another number of frames than it should.
    """
    first, last = recorded_frames(path)
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
    """Make an archive of 2D detections, cut into the chunks of the motion capture.

    Chunks in which it failed and videos without any become subjects `Unlabeled/…`.

    Args:
        source: The folder of the detections, `S1/Walking_1_(C1).avi.npz` and so on.
        converted: The folder of the .mat files.
        name: The name of the detections, which says the program that made them.
        data_dir: The folder of the archive.
        overwrite: Whether an archive of that name may be replaced.

    Raises:
        UsageError: The name doesn't say the program, or the archive may not be replaced.
        InputError: Files are missing, cannot be used or are too short.
    """
    chunks: dict[tuple[str, str], list[Chunk]] = {}
    joints = 0
    for path in find_files(converted, "*/S*/*.mat"):
        with reading(path):
            poses = scipy.io.loadmat(path)["poses_3d"]
            joints = poses.shape[1]
        key = path.parent.name, path.stem.replace("_", " ")
        chunks.setdefault(key, []).extend(split_into_chunks(converted, path, poses))
    views = Views(len(_CAMERAS))
    for path in find_files(source, "S*/*.avi.npz"):
        subject = path.parent.name
        match = re.fullmatch(r"(.+)[_ ]\((C[123])\)\.avi\.npz", path.name)
        if match is None:
            continue
        action, camera = match[1].replace("_", " "), _CAMERAS.index(match[2])
        keypoints = read_detections(path, detector_kind(name))
        if (subject, action) not in chunks:
            views.add(f"Unlabeled/{subject}", action, camera, keypoints)
        for chunk in chunks.get((subject, action), []):
            owner = chunk.subject if chunk.whole else f"Unlabeled/{chunk.subject}"
            # `sync` counts the video's frames from 1, Python from 0.
            offset = _recordings()[subject][action]["sync"][camera] - 1
            frames = keypoints[chunk.first + offset : chunk.last + offset]
            if len(frames) < chunk.last - chunk.first:
                raise InputError(
                    f"{path}: ends before frame {chunk.last + offset}, which {chunk.name} needs"
                )
            views.add(owner, chunk.name, camera, frames)
    write_new(
        data_dir / f"data_2d_humaneva{joints}_{name}.npz",
        overwrite,
        positions_2d=views.complete(),
        metadata=keypoint_metadata(layout_name(name)),
    )


def _2d_flags(parser: argparse.ArgumentParser) -> None:
    name_flag(parser)
    parser.add_argument(
        "--converted",
        type=Path,
        required=True,
        metavar="DIR",
        help="the folder that `prepare humaneva` read",
    )


COMMANDS = (
    Command("humaneva", prepare_3d, "HumanEva-I: folder with Train/S1/*.mat"),
    Command("2d-humaneva", prepare_2d, "detections: folder with S1/*_(C1).avi.npz", _2d_flags),
)
