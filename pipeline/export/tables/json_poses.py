"""`json`: one object a frame, for programs without numpy; its JSON Schema is written beside it."""

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from core.types import Array
from pipeline.export.base import Exporter
from pipeline.export.tables.tidy import joints_observed
from pipeline.results.archive import PoseTable
from pipeline.results.result import Result

SCHEMA = Path(__file__).with_name("poses_schema.json")

_COLUMNS = (
    "frame_index", "time_s", "track_id", "joints_world_m", "joint_sigma_m", "contacts",
    "keypoints_2d", "keypoint_scores", "observed",
)  # fmt: skip


class JsonExporter(Exporter):
    """A JSON object whose `frames` are written one a line, as they are read."""

    name = "json"
    about = "an object a frame, with a JSON Schema"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        schema = folder / f"{result.stem}_schema.json"
        schema.write_bytes(SCHEMA.read_bytes())
        video, table = result.report.video, result.table
        head = {
            "format": "video3d-poses",
            "version": 1,
            "$schema": quote(schema.name),
            "video": {
                "name": result.stem, "width": video.width, "height": video.height, "fps": video.fps,
            },
            "joints": table.joints.joints,
            "parents": table.joints.parents,
            "keypoints": table.keypoints.joints,
        }  # fmt: skip
        with (folder / f"{result.stem}.json").open("w", encoding="utf-8") as file:
            file.write(json.dumps(head)[:-1] + ', "frames": [')
            before = "\n"
            for frame in _frames(table):
                file.write(before + json.dumps(frame, separators=(",", ":")))
                before = ",\n"
            file.write("\n]}\n")


def _frames(table: PoseTable) -> Iterator[dict[str, Any]]:
    """The frames that have people."""
    for (frame, time_s), people in groupby(_people(table), key=itemgetter(0, 1)):
        yield {"frame": frame, "time_s": round(time_s, 6), "people": [one[2] for one in people]}


def _people(table: PoseTable) -> Iterator[tuple[int, float, dict[str, Any]]]:
    for chunk in zip(*(table.chunks(name) for name in _COLUMNS), strict=True):
        frames, times, persons, joints, sigmas, contacts, keypoints, scores, observed = chunk
        columns = zip(
            frames.tolist(), times.tolist(), persons.tolist(), _plain(joints, 4), _plain(sigmas, 4),
            joints_observed(observed, table).tolist(), contacts.tolist(), _plain(keypoints, 2),
            _plain(scores, 3), strict=True,
        )  # fmt: skip
        names = (
            "person", "joints_m", "sigma_m", "observed", "contacts", "keypoints_px", "scores",
        )  # fmt: skip
        for frame, time_s, *values in columns:
            yield frame, time_s, dict(zip(names, values, strict=True))


def _plain(values: Array, decimals: int) -> list[Any]:
    """Nested lists of rounded numbers, None where they are missing."""
    rounded = values.astype(np.float64).round(decimals)
    plain: list[Any] = np.where(np.isfinite(rounded), rounded, np.array(None)).tolist()
    return plain
