"""Custom archives, from this project's `poses.npz` or from Detectron dumps of videos."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.archives import read_archive
from core.errors import InputError, one_line
from core.types import Array, Floats
from train.layouts import keypoint_metadata
from train.prepare.base import Command, name_flag
from train.prepare.files import best_detections, fill_gaps, find_files, reading, write_new


def prepare_poses(source: Sequence[Path], name: str, data_dir: Path, overwrite: bool) -> None:
    """Make an archive in which each person of each video is a subject.

    A video's only person has the video's name, others their track number behind it.

    Args:
        source: `poses.npz` files, or folders that hold some at any depth.
        name: The name of the detections; the archive is `data_2d_custom_<name>.npz`.
        data_dir: The folder of the archive.
        overwrite: Whether an archive of that name may be replaced.

    Raises:
        InputError: No file has a person, or two videos have the same name.
    """
    sizes: dict[str, dict[str, Any]] = {}
    positions: dict[str, dict[str, list[Floats]]] = {}
    made_of: dict[str, Path] = {}
    files = [
        file
        for path in source
        for file in (find_files(path, "**/*.npz") if path.is_dir() else [path])
    ]
    for path in files:
        archive = read_archive(path)
        if "keypoints_2d" not in archive:
            continue
        with reading(path):
            video = _video(path, archive)
            tracks = np.unique(archive["track_id"])
            for track in tracks:
                subject = Path(video["path"]).stem + ("" if len(tracks) == 1 else f"_{track}")
                if subject in positions:
                    raise InputError(
                        f"{made_of[subject]} and {path}: both videos are called {subject}"
                    )
                made_of[subject] = path
                positions[subject] = {"custom": [_track(archive, int(track), path)]}
                sizes[subject] = {"w": video["width"], "h": video["height"], "fps": video["fps"]}
    if not positions:
        raise InputError(f"{', '.join(map(str, source))}: no person is in there")
    _write(name, positions, sizes, data_dir, overwrite)


def _video(path: Path, archive: dict[str, Array]) -> dict[str, Any]:
    """What the metadata of a `poses.npz` say of its video; `InputError` where they are damaged."""
    try:
        described = json.loads(str(archive["metadata_json"]))["video"]
        return {name: described[name] for name in ("path", "width", "height", "fps")}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: its metadata cannot be read ({one_line(error)})") from error


def _track(archive: dict[str, Array], track: int, path: Path) -> Floats:
    """(T, K, 2) px of one person, from their first frame to their last, gaps interpolated."""
    rows = archive["track_id"] == track
    frames = archive["frame_index"][rows]
    keypoints = np.full(
        (frames.max() - frames.min() + 1, *archive["keypoints_2d"].shape[1:]), np.nan, np.float32
    )
    keypoints[frames - frames.min()] = archive["keypoints_2d"][rows]
    return fill_gaps(keypoints, path)


def prepare_detectron(source: Path, name: str, data_dir: Path, overwrite: bool) -> None:
    """Make an archive in which each video is a subject, with its most confident person.

    Args:
        source: The folder of the dumps of VideoPose3D's `infer_video`: a `VIDEO.npz` for each video
            with `boxes`, `keypoints` and the video's size in `metadata`.
        name: The name of the detections; the archive is `data_2d_custom_<name>.npz`.
        data_dir: The folder of the archive.
        overwrite: Whether an archive of that name may be replaced.

    Raises:
        InputError: There are no dumps, or one cannot be used.
    """
    sizes: dict[str, dict[str, Any]] = {}
    positions: dict[str, dict[str, list[Floats]]] = {}
    for path in find_files(source, "*.npz"):
        archive = read_archive(path, "boxes", "keypoints", "metadata", encoding="latin1")
        with reading(path):
            keypoints = best_detections(archive["boxes"], archive["keypoints"])
            positions[path.stem] = {"custom": [fill_gaps(keypoints, path)]}
        sizes[path.stem] = archive["metadata"]
    _write(name, positions, sizes, data_dir, overwrite)


def _write(
    name: str,
    positions: dict[str, dict[str, list[Floats]]],
    sizes: dict[str, dict[str, Any]],
    data_dir: Path,
    overwrite: bool,
) -> None:
    metadata = {**keypoint_metadata("coco"), "video_metadata": sizes}
    path = data_dir / f"data_2d_custom_{name}.npz"
    write_new(path, overwrite, positions_2d=positions, metadata=metadata)


COMMANDS = (
    Command(
        "2d-custom",
        prepare_detectron,
        "detections: folder of VideoPose3D's infer_video dumps",
        name_flag,
    ),
    Command(
        "poses",
        prepare_poses,
        "this project's poses.npz files, or folders of them",
        name_flag,
        many_sources=True,
    ),
)
