"""`png`: a contact sheet, the clip at a glance."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.export.base import Exporter
from pipeline.export.pictures.frames import frames_with_people
from pipeline.render.modes import side_by_side
from pipeline.results.result import Result

COLUMNS, ROWS, TILE_WIDTH, GAP = 3, 4, 640, 4
"""Of the sheet; px."""


class ContactSheetExporter(Exporter):
    """Frames at even distances, each beside its 3D view, from left to right and down."""

    name = "png"
    about = f"a contact sheet: {COLUMNS * ROWS} moments of the video beside the 3D view"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        composed = side_by_side(result.report.video, result.table.chunks)
        tile = TILE_WIDTH, round(composed.size.height * TILE_WIDTH / composed.size.width)
        count = result.report.frames
        wanted = np.unique(np.linspace(0, count - 1, min(COLUMNS * ROWS, count)).round())
        tiles = []
        with frames_with_people(result) as (frames, note):
            for number, (frame, people) in enumerate(frames):
                if number in wanted:
                    drawn = composed.draw(frame, people)
                    tiles.append(cv2.resize(drawn, tile, interpolation=cv2.INTER_AREA))
        self.note(note)
        if not tiles:
            return
        columns, rows = min(COLUMNS, len(tiles)), -(-len(tiles) // COLUMNS)
        size = rows * (tile[1] + GAP) - GAP, columns * (tile[0] + GAP) - GAP
        sheet = np.zeros((*size, 3), np.uint8)
        for number, picture in enumerate(tiles):
            top = number // COLUMNS * (tile[1] + GAP)
            left = number % COLUMNS * (tile[0] + GAP)
            sheet[top : top + tile[1], left : left + tile[0]] = picture
        Image.fromarray(sheet).save(folder / f"{result.stem}.png", optimize=True)
