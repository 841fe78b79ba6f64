"""Custom archives: from this project's `poses.npz`, or from Detectron dumps of videos."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.archives import read_archive
from core.errors import InputError
from core.types import Array, Floats
from train.layouts import metadata_of
from train.prepare.files import best_people, fill_gaps, find, write_new


def prepare_poses(sources: Sequence[Path], name: str, data_dir: Path, overwrite: bool) -> None:
    """From `poses.npz` files or folders of them: each person of each video becomes a subject.

    A video's only person bears the video's name, others have their track number behind it.
    """
    sizes: dict[str, dict[str, Any]] = {}
    positions: dict[str, dict[str, list[Floats]]] = {}
    for path in [
        file
        for source in sources
        for file in (find(source, "**/*.npz") if source.is_dir() else [source])
    ]:
        archive = read_archive(path)
        if "keypoints_2d" not in archive:
            continue
        video = json.loads(str(archive["metadata_json"]))["video"]
        tracks = np.unique(archive["track_id"])
        for track in tracks:
            subject = Path(video["path"]).stem + ("" if len(tracks) == 1 else f"_{track}")
            if subject in positions:
                raise InputError(f"{path}: there is another video called {subject}")
            positions[subject] = {"custom": [_track(archive, int(track), path)]}
            sizes[subject] = {"w": video["width"], "h": video["height"], "fps": video["fps"]}
    if not positions:
        raise InputError(f"{', '.join(map(str, sources))}: nobody is in there")
    _write(name, positions, sizes, data_dir, overwrite)


def _track(archive: dict[str, Array], track: int, path: Path) -> Floats:
    """(T, 17, 2) px of one person, from the first frame they are in to the last."""
    rows = archive["track_id"] == track
    frames = archive["frame_index"][rows]
    keypoints = np.full(
        (frames.max() - frames.min() + 1, *archive["keypoints_2d"].shape[1:]), np.nan, np.float32
    )
    keypoints[frames - frames.min()] = archive["keypoints_2d"][rows]
    return fill_gaps(keypoints, path)


def prepare_detectron(folder: Path, name: str, data_dir: Path, overwrite: bool) -> None:
    """From VideoPose3D's `infer_video` dumps, one `VIDEO.npz` each with boxes, keypoints and the video's size."""
    sizes: dict[str, dict[str, Any]] = {}
    positions: dict[str, dict[str, list[Floats]]] = {}
    for path in find(folder, "*.npz"):
        archive = read_archive(path, "boxes", "keypoints", "metadata", encoding="latin1")
        positions[path.stem] = {
            "custom": [fill_gaps(best_people(archive["boxes"], archive["keypoints"]), path)]
        }
        sizes[path.stem] = archive["metadata"]
    _write(name, positions, sizes, data_dir, overwrite)


def _write(
    name: str,
    positions: dict[str, dict[str, list[Floats]]],
    sizes: dict[str, dict[str, Any]],
    data_dir: Path,
    overwrite: bool,
) -> None:
    metadata = {**metadata_of("coco"), "video_metadata": sizes}
    write_new(
        data_dir / f"data_2d_custom_{name}.npz",
        overwrite,
        positions_2d=positions,
        metadata=metadata,
    )
