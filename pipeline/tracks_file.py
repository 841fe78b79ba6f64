"""`tracks.npz`: what pass 1 found of a result's people, and the world that came of it.

From it people are lifted again, after corrections by hand, without the video and the detector. One
row per person and frame in which they were detected, person after person; readable with
`allow_pickle=False`, written and read some thousand rows at a time.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from core.errors import InputError, one_line
from core.files import open_input
from core.skeletons import COCO_21
from core.types import Array, Detections, Track, VideoInfo
from pipeline.detection import FirstPass
from pipeline.grounding.axes import LEVEL_UP, world_axes
from pipeline.grounding.camera_motion import CameraPath
from pipeline.grounding.world import World
from pipeline.motion.film_camera import film_camera
from pipeline.results.archive import DAMAGED, TRACKS, PoseTable, array_chunks, write_chunks
from pipeline.results.detections import TrackRows
from pipeline.results.spool import Spool

FORMAT_VERSION = 1
_CHUNK_ROWS = 2000
_MAX_METADATA = 1 << 24
_K = len(COCO_21)
_ROW = np.dtype(
    [
        ("track_id", np.int64), ("frame_index", np.int64), ("box_xyxy", np.float64, (4,)),
        ("keypoints_xy", np.float32, (_K, 2)), ("keypoint_scores", np.float32, (_K,)),
        ("keypoints_3d", np.float32, (_K, 3)),
    ]
)  # fmt: skip
_FIELDS: tuple[str, ...] = _ROW.names or ()


@dataclass(frozen=True)
class FoundPeople:
    """The people of a result as pass 1 found them; `first` has their detections alone.

    grounding: how `world` was found.
    """

    first: FirstPass
    tracks: Sequence[TrackRows]
    world: World
    grounding: str

    def close(self) -> None:
        """Delete what was read; the tracks are no use then."""
        self.first.detections.close()


def write_tracks(
    folder: Path, first: FirstPass, tracks: Sequence[TrackRows], world: World, grounding: str
) -> None:
    """Write `tracks.npz` into a folder; `OSError` where the disk refuses.

    Args:
        folder: Of results, while they are made.
        first: What pass 1 gave.
        tracks: The people, with their numbers, without corrections.
        world: That in which they are.
        grounding: How it was found.
    """
    path = world.camera_path
    described = {
        "format_version": FORMAT_VERSION,
        "is_smoothed": first.is_smoothed,
        "shot_starts": list(first.shot_starts),
        "warnings": list(first.warnings),
        "keypoints": COCO_21.joints,
        "grounding": grounding,
        "fps": world.fps,
        "floor_m": world.floor_m,
        "camera_path_first": None if path is None else path.first,
    }
    arrays = {
        "all_frame_index": first.frame_indices,
        "all_time_s": first.times_s,
        "up": world.up,
        "origin_m": world.origin,
        "camera_path_m": np.zeros((0, 3)) if path is None else path.offset_m,
        "metadata_json": np.array(json.dumps(described)),
    }
    count = sum(map(len, tracks))
    with ZipFile(folder / TRACKS, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name in _FIELDS:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                chunks = (_column(part, name) for part in _parts(tracks))
                write_chunks(file, _ROW[name], count, chunks)
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(values), allow_pickle=False)


def read_tracks(folder: Path, info: VideoInfo, scratch: Path | None = None) -> FoundPeople:
    """Read `tracks.npz` of a result.

    Args:
        folder: Of the result.
        info: The video, as the result's report has it.
        scratch: Where rows are kept in a nameless file; None for where temporary files go.

    Returns:
        The people; the caller closes them.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    path = folder / TRACKS
    if not path.exists():
        raise InputError(
            f"{folder}: no {TRACKS} there: this result was made by an earlier version and cannot be"
            " corrected; make it again"
        )
    rows = Spool(_ROW, scratch)
    try:
        with open_input(path) as opened, ZipFile(opened) as archive:
            arrays = {name: _read(archive, name) for name in _ARRAYS}
            _read_rows(archive, rows)
        return _found(arrays, rows, info)
    except (*DAMAGED, LookupError, TypeError, RecursionError) as error:
        rows.close()
        raise InputError(f"{path}: cannot be read ({one_line(error)})") from error


def tracks_of_rows(table: PoseTable, info: VideoInfo, scratch: Path | None = None) -> FoundPeople:
    """What pass 1 would have found, from the rows of a live recording, which has no `tracks.npz`.

    A live run keeps keypoints as they are detected. Its world is the one that fits its rows best,
    as that of a live run moves while up and floor are learned.

    Args:
        table: The rows.
        info: The source.
        scratch: Where rows are kept in a nameless file; None for where temporary files go.

    Returns:
        The people; the caller closes them.
    """
    order = np.lexsort((table.column("frame_index"), table.column("track_id")))
    part = np.zeros(len(order), _ROW)
    part["track_id"] = table.column("track_id")[order]
    part["frame_index"] = table.column("frame_index")[order]
    part["keypoints_xy"] = table.column("keypoints_2d")[order]
    part["keypoint_scores"] = table.column("keypoint_scores")[order]
    part["keypoints_3d"] = np.nan
    part["box_xyxy"] = np.concatenate(
        [reduce(part["keypoints_xy"], axis=1) for reduce in (np.nanmin, np.nanmax)], -1
    )
    rows = Spool(_ROW, scratch)
    rows.append(part)
    detections = _Rows(rows)
    frames, first = np.unique(table.column("frame_index"), return_index=True)
    times_s = table.column("time_s")[first]
    found = FirstPass(info, frames, times_s, detections, None, (), False, ())
    return FoundPeople(found, _tracks(detections), _world_of_rows(table, info.fps), "")


def _world_of_rows(table: PoseTable, fps: float) -> World:
    """The world whose camera fits the rows best."""
    joints = table.column("joints_camera_m") + table.column("root_camera_m")[:, None]
    in_world = table.column("joints_world_m")
    camera = film_camera(joints, in_world, table.column("time_s"), is_moving=False)
    up = LEVEL_UP if camera is None else camera.rotation[0, 2]
    shift = np.zeros(3)
    if camera is not None:
        shift = np.nanmedian((joints @ world_axes(up).T - in_world)[:, 0], 0)
    return World(fps, up, None, float(shift[2]), shift * [1, 1, 0])


_ARRAYS = ("all_frame_index", "all_time_s", "up", "origin_m", "camera_path_m", "metadata_json")


def _read(archive: ZipFile, name: str) -> Array:
    with archive.open(f"{name}.npy") as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def _read_rows(archive: ZipFile, rows: Spool) -> None:
    """Fill a spool with the rows of all fields, some thousand at a time."""
    with ExitStack() as opened:
        files = [opened.enter_context(archive.open(f"{name}.npy")) for name in _FIELDS]
        for columns in zip(*map(array_chunks, files), strict=True):
            part = np.zeros(len(columns[0]), _ROW)
            for name, values in zip(_FIELDS, columns, strict=True):
                part[name] = values
            rows.append(part)


def _found(arrays: Mapping[str, Array], rows: Spool, info: VideoInfo) -> FoundPeople:
    text = str(arrays["metadata_json"])
    if len(text) > _MAX_METADATA:
        raise ValueError(f"metadata_json of {len(text)} characters")
    told = json.loads(text)
    if told["format_version"] != FORMAT_VERSION or tuple(told["keypoints"]) != COCO_21.joints:
        raise ValueError("it is of another version of this program")
    first, offsets = told["camera_path_first"], arrays["camera_path_m"]
    path = None if first is None else CameraPath(int(first), offsets)
    detections = _Rows(rows)
    return FoundPeople(
        FirstPass(
            info, arrays["all_frame_index"], arrays["all_time_s"], detections, None,
            tuple(map(int, told["shot_starts"])), bool(told["is_smoothed"]),
            tuple(map(str, told["warnings"])),
        ),
        _tracks(detections),
        World(float(told["fps"]), arrays["up"], path, float(told["floor_m"]), arrays["origin_m"]),
        str(told["grounding"]),
    )  # fmt: skip


class _Rows:
    """The rows of the file as a sequence of detections of one person each."""

    def __init__(self, rows: Spool) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Detections:
        row = self.rows.read(int(index), int(index) + 1)
        return Detections(
            int(row["frame_index"][0]), row["box_xyxy"], np.ones(1), row["keypoints_xy"],
            row["keypoint_scores"], row["keypoints_3d"], COCO_21,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Detections]:
        return (self[index] for index in range(len(self)))

    def close(self) -> None:
        self.rows.close()


def _tracks(detections: _Rows) -> list[TrackRows]:
    """A track for each run of rows of one person."""
    rows = detections.rows
    ids, frames, boxes = map(rows.column, ("track_id", "frame_index", "box_xyxy"))
    tracks = []
    for own in np.split(np.arange(len(ids)), np.flatnonzero(np.diff(ids)) + 1):
        if len(own):
            spooled = np.stack([own, np.zeros_like(own)], 1).astype(np.int32)
            tracks.append(TrackRows(int(ids[own[0]]), frames[own], boxes[own], spooled, detections))
    return tracks


def _parts(tracks: Sequence[TrackRows]) -> Iterator[Track]:
    for track in tracks:
        for start in range(0, len(track), _CHUNK_ROWS):
            yield track.part(start, min(start + _CHUNK_ROWS, len(track)))


def _column(part: Track, name: str) -> Array:
    """A field of `_ROW` of some rows of a person."""
    values = {
        "track_id": np.full(len(part), part.track_id),
        "frame_index": part.frame_indices,
        "box_xyxy": part.boxes_xyxy,
    }
    column = values[name] if name in values else getattr(part, name)
    return np.asarray(column, _ROW[name].base)
