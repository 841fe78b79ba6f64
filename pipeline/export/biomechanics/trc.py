"""`trc`: marker positions for OpenSim, metres, Y up; a file a person."""

from pathlib import Path

from pipeline.export.axes import y_up
from pipeline.export.base import Exporter
from pipeline.export.biomechanics.markers import marker_names
from pipeline.motion.even import Grid, even_blocks, even_grid
from pipeline.results.result import Result

_COUNT_WIDTH = 9


class TrcExporter(Exporter):
    """Track Row Column, as Motion Analysis made it and OpenSim reads it."""

    name = "trc"
    about = "markers for OpenSim, one file a person"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        grid = even_grid(result.table, result.report.video.fps)
        self.note(grid.note)
        for person in result.people:
            path = folder / f"{result.stem}_person{person.track_id}.trc"
            _write(path, result, grid, person.track_id)


def _write(path: Path, result: Result, grid: Grid, track_id: int) -> None:
    names = marker_names(result.joints)
    rate, count = f"{float(grid.rate):.6g}", 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"PathFileType\t4\t(X/Y/Z)\t{path.name}\n")
        file.write(
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\t"
            "OrigDataStartFrame\tOrigNumFrames\n"
        )
        counts_at = file.tell()
        head = f"{rate}\t{rate}\t{{0}}\t{len(names)}\tm\t{rate}\t1\t{{0}}\n"
        file.write(head.format(" " * _COUNT_WIDTH))
        file.write("Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t\n")
        axes = (f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ")
        file.write("\t\t" + "\t".join(axes) + "\n\n")
        for block in even_blocks(result.table, grid, track_id):
            positions = y_up(block["joints_world_m"]).reshape(len(block.is_known), -1)
            for offset, values in enumerate(positions.tolist()):
                count += 1
                time_s = grid.start_s + (block.start + offset) / float(grid.rate)
                cells = ("" if value != value else f"{value:.5f}" for value in values)
                file.write(f"{count}\t{time_s:.6f}\t" + "\t".join(cells) + "\n")
        file.seek(counts_at)
        file.write(head.format(f"{count:<{_COUNT_WIDTH}}"))
