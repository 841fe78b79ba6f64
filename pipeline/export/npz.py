"""`poses.npz`: every run writes it; other formats are made from it."""

from pathlib import Path

from pipeline.export.base import Exporter
from pipeline.results.archive import POSES, POSES_FORMAT, write_poses
from pipeline.results.result import Result


class NpzExporter(Exporter):
    """numpy's archive of arrays; `pipeline.results.archive` has the layout and reads it."""

    name = POSES_FORMAT
    about = "arrays for numpy: poses.npz, which every run writes"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        write_poses(folder / POSES, result.table, result.report.provenance())
