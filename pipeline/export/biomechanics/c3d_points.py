"""`c3d`: markers as motion capture laboratories keep them, millimetres; a file a person."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from core.skeletons import Skeleton
from pipeline.export.axes import y_up
from pipeline.export.base import Exporter
from pipeline.export.biomechanics.markers import marker_names
from pipeline.export.libraries import library
from pipeline.motion.even import Block, Grid, even_blocks, even_grid
from pipeline.results.result import Result

MAX_FRAMES = 65_000
"""Of a file: its header counts them in 16 bits. A stretch is at most some thousand frames long."""
_MM = 1000.0
_MISSING = -1.0


class C3dExporter(Exporter):
    """C3D, by ezc3d, which holds a whole file in memory; a marker's residual is its sigma."""

    name = "c3d"
    about = "markers for motion capture software, one file a person"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        grid = even_grid(result.table, result.report.video.fps)
        self.note(grid.note)
        for person in result.people:
            blocks = even_blocks(result.table, grid, person.track_id)
            stem = f"{result.stem}_person{person.track_id}"
            for number, part in enumerate(_parts(blocks)):
                name = stem if number == 0 else f"{stem}_part{number + 1}"
                _write(folder / f"{name}.c3d", part, result.joints, grid, self.options.z_up)
                if number:
                    self.note(f"a file has room for {MAX_FRAMES} frames: {name} goes on")


def _parts(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks that have room in a file, again and again."""
    part: list[Block] = []
    frames = 0
    for block in blocks:
        if part and frames + len(block.is_known) > MAX_FRAMES:
            yield part
            part, frames = [], 0
        part.append(block)
        frames += len(block.is_known)
    yield part


def _write(path: Path, blocks: list[Block], skeleton: Skeleton, grid: Grid, z_up: bool) -> None:
    joints = np.concatenate([block["joints_world_m"] for block in blocks]).astype(np.float64)
    sigmas = np.concatenate([block["joint_sigma_m"] for block in blocks]) * _MM
    points = np.ones((4, len(skeleton), len(joints)))  # X, Y, Z, 1
    points[:3] = np.moveaxis(joints if z_up else y_up(joints), -1, 0).swapaxes(1, 2) * _MM
    is_missing = np.isnan(points).any(0)
    residuals = np.where(is_missing, _MISSING, np.nan_to_num(sigmas).T)
    file = library("ezc3d").c3d()
    group = file["parameters"]["POINT"]
    group["RATE"]["value"] = [float(grid.rate)]
    group["LABELS"]["value"] = list(marker_names(skeleton))
    group["UNITS"]["value"] = ["mm"]
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z" if z_up else "+Y"])
    file["data"]["points"] = points
    file["data"]["meta_points"]["residuals"] = residuals[None]
    if blocks[0].start + len(joints) <= MAX_FRAMES:
        file["header"]["points"]["first_frame"] = blocks[0].start
    file.write(str(path))
