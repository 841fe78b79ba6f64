"""`c3d`: markers as motion capture laboratories keep them, millimetres; a file a person."""

from pathlib import Path

import numpy as np

from pipeline.export.base import Exporter
from pipeline.export.biomechanics.markers import marker_names, y_up
from pipeline.export.libraries import library
from pipeline.motion.even import Grid, even_blocks, even_grid
from pipeline.results.result import Result

_MM = 1000.0
_MISSING = -1.0


class C3dExporter(Exporter):
    """C3D, by ezc3d, which holds a whole person in memory; a marker's residual is its sigma."""

    name = "c3d"
    about = "markers for motion capture software, one file a person"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        grid = even_grid(result.table, result.report.video.fps)
        if grid.note:
            self.notes.append(grid.note)
        for person in result.people:
            path = folder / f"{result.stem}_person{person.track_id}.c3d"
            _write(path, result, grid, person.track_id, self.options.z_up)


def _write(path: Path, result: Result, grid: Grid, track_id: int, z_up: bool) -> None:
    blocks = list(even_blocks(result.table, grid, track_id))
    joints = np.concatenate([block["joints_world_m"] for block in blocks]).astype(np.float64)
    sigmas = np.concatenate([block["joint_sigma_m"] for block in blocks]) * _MM
    points = np.ones((4, len(result.joints), len(joints)))  # X, Y, Z, 1
    points[:3] = np.moveaxis(joints if z_up else y_up(joints), -1, 0).swapaxes(1, 2) * _MM
    is_missing = np.isnan(points).any(0)
    residuals = np.where(is_missing, _MISSING, np.nan_to_num(sigmas).T)
    file = library("ezc3d").c3d()
    group = file["parameters"]["POINT"]
    group["RATE"]["value"] = [float(grid.rate)]
    group["LABELS"]["value"] = list(marker_names(result.joints))
    group["UNITS"]["value"] = ["mm"]
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z" if z_up else "+Y"])
    file["data"]["points"] = points
    file["data"]["meta_points"]["residuals"] = residuals[None]
    file["header"]["points"]["first_frame"] = blocks[0].start
    file.write(str(path))
