"""`npy`: the array that VideoPose3D's `--viz-export` writes, one file a person."""

from pathlib import Path

import numpy as np

from pipeline.export.base import Exporter
from pipeline.results.result import Result


class VizArrayExporter(Exporter):
    """(T, J, 3) metres from the pelvis, camera axes, a row for each frame of the video.

    Where the person is not in view rows are NaN, from the video's first frame to its last. The
    first 17 joints are VideoPose3D's, in its order.
    """

    name = "npy"
    about = "joints in camera space as VideoPose3D's --viz-export writes them, one file a person"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        table = result.table
        for person in result.people:
            path = folder / f"{result.stem}_person{person.track_id}.npy"
            shape = (person.report.last_frame + 1, len(table.joints), 3)
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            names = ("frame_index", "track_id", "joints_camera_m")
            reached = 0
            with path.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for chunk in zip(*(table.chunks(name) for name in names), strict=True):
                    frames, track_ids, joints = chunk
                    own = track_ids == person.track_id
                    if not own.any():
                        continue
                    rows = np.full((int(frames[own][-1]) + 1 - reached, *shape[1:]), np.nan, "<f4")
                    rows[frames[own] - reached] = joints[own]
                    file.write(rows.tobytes())
                    reached += len(rows)
