"""`poses.npz`: one row per person and frame, by frame, then track; plain arrays, readable without pickle."""

import json
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from core.skeletons import COCO_17, H36M_17
from pipeline.results.spool import Spool

FORMAT_VERSION = 1
_PIECE_ROWS = 2000

_KEYPOINTS, _JOINTS = len(COCO_17), len(H36M_17)
ROW = np.dtype(
    [
        ("frame_index", np.int64),
        ("track_id", np.int64),
        ("time_s", np.float64),
        ("keypoints_2d", np.float32, (_KEYPOINTS, 2)),
        ("keypoint_scores", np.float32, (_KEYPOINTS,)),
        ("observed", np.bool_, (_KEYPOINTS,)),
        ("joints_camera_m", np.float32, (_JOINTS, 3)),
        ("root_camera_m", np.float32, (3,)),
        ("joints_world_m", np.float32, (_JOINTS, 3)),
    ]
)
"""One person in one frame."""


def write_npz(path: Path, rows: Spool, metadata: dict[str, Any]) -> None:
    """Write R rows that have the fields of `ROW`, each as an array, and `metadata_json`, which says what they are.

    Piece by piece, as `numpy.savez_compressed` would write the whole. The caller renames when whole.
    """
    skeletons = {
        "keypoints": {"name": COCO_17.name, "joints": COCO_17.joints},
        "joints": {"name": H36M_17.name, "joints": H36M_17.joints, "parents": H36M_17.parents},
    }
    described = {"format_version": FORMAT_VERSION, "skeletons": skeletons, **metadata}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name in ROW.names or ():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                _write_field(file, rows, name)
        with archive.open("metadata_json.npy", "w") as file:
            np.lib.format.write_array(file, np.array(json.dumps(described)), allow_pickle=False)


def _write_field(file: IO[bytes], rows: Spool, name: str) -> None:
    element, shape = ROW[name].base, ROW[name].shape
    header = {"descr": element.str, "fortran_order": False, "shape": (len(rows), *shape)}
    np.lib.format.write_array_header_1_0(file, header)
    for start in range(0, len(rows), _PIECE_ROWS):
        file.write(rows.read(start, start + _PIECE_ROWS)[name].tobytes())
