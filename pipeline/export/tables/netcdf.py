"""`nc`: netCDF as `movement` reads it, a data set of dimensions time, space, keypoint, individual.

https://movement.neuroinformatics.dev, version 0.17. Time is even; a person's values are NaN where
they are out of view.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.export.base import Exporter
from pipeline.export.libraries import library
from pipeline.export.tables.tidy import AXES, joint_scores
from pipeline.motion.even import Grid, even_blocks, even_grid
from pipeline.results.result import Result

_CHUNK_FRAMES = 1024
_SCORES = ("keypoint_scores",)


class NetcdfExporter(Exporter):
    """netCDF-4 by h5netcdf: `position` and `sigma` in metres, `confidence` in 0…1."""

    name = "nc"
    about = "netCDF for movement and xarray"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        grid = even_grid(result.table, result.report.video.fps)
        with library("h5netcdf").File(folder / f"{result.stem}.nc", "w") as file:
            file.dimensions = {
                "time": grid.count, "space": 3, "keypoint": len(result.joints),
                "individual": len(result.people),
            }  # fmt: skip
            _describe(file, result, grid)
            _fill(file, result, grid)
        self.note(grid.note)


def _describe(file: Any, result: Result, grid: Grid) -> None:
    """Write the coordinates and what the data set is."""
    text = library("h5py").string_dtype()
    names = {
        "space": ["x", "y", "z"],
        "keypoint": list(result.joints.joints),
        "individual": [f"person_{person.track_id}" for person in result.people],
    }
    for name, values in names.items():
        file.create_variable(name, (name,), text)[...] = np.array(values, dtype=object)
    times = file.create_variable("time", ("time",), np.float64)
    times[...] = grid.start_s + np.arange(grid.count) / float(grid.rate)
    file.attrs["ds_type"] = "poses"
    file.attrs["fps"] = float(grid.rate)
    file.attrs["time_unit"] = "seconds"
    file.attrs["source_software"] = "video3d"
    source = os.fsencode(result.report.video.path.name)
    file.attrs["source_file"] = source.decode(errors="backslashreplace")
    file.attrs["space_unit"] = "m"
    file.attrs["axes"] = AXES
    if grid.note:
        file.attrs["note"] = grid.note


def _fill(file: Any, result: Result, grid: Grid) -> None:
    """Write the arrays, person by person and block by block."""
    points = ("time", "space", "keypoint", "individual")
    about = {
        "position": (points, "metres"),
        "confidence": (
            ("time", "keypoint", "individual"),
            "the least score of the keypoints that a joint is lifted from, 0 where filled in",
        ),
        "sigma": (
            ("time", "keypoint", "individual"),
            "metres from the pelvis: a joint is this near in 68 of 100 cases",
        ),
    }
    variables = {}
    for name, (dimensions, words) in about.items():
        sizes = [file.dimensions[dimension].size for dimension in dimensions]
        chunks = (min(_CHUNK_FRAMES, max(sizes[0], 1)), *sizes[1:-1], 1)
        variables[name] = file.create_variable(
            name, dimensions, np.float32, chunks=chunks, fillvalue=np.float32(np.nan),
            compression="gzip", compression_opts=1,
        )  # fmt: skip
        variables[name].attrs["description"] = words
    for number, person in enumerate(result.people):
        for block in even_blocks(result.table, grid, person.track_id, _SCORES):
            rows = slice(block.start, block.start + len(block.is_known))
            scores = joint_scores(block["keypoint_scores"], result.table)
            joints = np.swapaxes(block["joints_world_m"], 1, 2)
            variables["position"][rows, :, :, number] = joints
            variables["confidence"][rows, :, number] = scores
            variables["sigma"][rows, :, number] = block["joint_sigma_m"]
