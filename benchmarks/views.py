"""Draw six moments of a clip, each as filmed and in 3D from two viewpoints, to compare by eye.

python -m benchmarks.views output/demo docs/viewpoints.jpg
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from core.options import Parser
from core.types import Floats, Frame, Picture
from pipeline.media.video_reader import VideoReader
from pipeline.render.figures import FigurePainter
from pipeline.render.floor import Floor
from pipeline.render.framing.reach import nearest_position, reach
from pipeline.render.overlay import draw_person
from pipeline.render.palette import DARK
from pipeline.render.person import PersonInFrame
from pipeline.render.view import AZIMUTH_DEG, Lens, View, view_axes
from pipeline.results.result import Result, load_result
from testkit.command_lines import existing, run_benchmark

MOMENTS, CELL, MARGIN = 6, 300, 0.35
TURNS_DEG = (0.0, 90.0)
AXES = view_axes(AZIMUTH_DEG)


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=existing, help="what infer_video.py made of a clip")
    parser.add_argument("picture", type=Path)
    chosen = parser.parse_args()
    result = load_result(chosen.folder)
    frames = np.unique(result.table.column("frame_index"))
    wanted = set(
        frames[np.linspace(0, len(frames) - 1, 2 * MOMENTS + 1).astype(int)[1::2]].tolist()
    )
    with VideoReader(result.source) as reader:
        columns = [column(frame, result) for frame in reader if frame.index in wanted]
    sheet = np.concatenate(columns, axis=1)
    cv2.imwrite(str(chosen.picture), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def column(frame: Frame, result: Result) -> Picture:
    """The people of one moment: as filmed, in 3D from the camera's side, and from their right."""
    people = [
        PersonInFrame(
            person.track_id,
            box(person.keypoints_2d[row]),
            person.keypoints_2d[row],
            person.keypoint_scores[row],
            person.joints_world_m[row].astype(float),
            person.joint_sigma_m[row],
            result.joints,
        )
        for person in result.people
        for row in np.flatnonzero(person.frame_indices == frame.index)
    ]
    return np.concatenate([filmed(frame, people), *(turned(people, turn) for turn in TURNS_DEG)])


def box(keypoints: Floats) -> Floats:
    return np.concatenate([np.nanmin(keypoints, 0), np.nanmax(keypoints, 0)])


def filmed(frame: Frame, people: list[PersonInFrame]) -> Picture:
    """A square cut out of the frame around all people."""
    corners = np.array([person.box_xyxy for person in people]).reshape(-1, 2)
    side = (1 + MARGIN) * np.ptp(corners, axis=0).max()
    left, top = (corners.min(0) + corners.max(0)) / 2 - side / 2
    cut = np.array([[1, 0, -left], [0, 1, -top]]) * CELL / side
    picture = cv2.warpAffine(frame.rgb, cut, (CELL, CELL), flags=cv2.INTER_AREA)
    for person in people:
        moved = replace(
            person,
            box_xyxy=person.box_xyxy - [left, top, left, top],
            keypoints_xy=person.keypoints_xy - [left, top],
        )
        draw_person(picture, moved, CELL / side)
    return picture


def turned(people: list[PersonInFrame], turn_deg: float) -> Picture:
    """The 3D view with all people turned about the vertical."""
    turn = np.radians(turn_deg)
    about_z = np.array(
        [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    seen = [replace(person, joints_world_m=person.joints_world_m @ about_z) for person in people]
    lens = Lens(CELL, CELL)
    reaches = [
        reach(person.joints_world_m[None], person.joint_sigma_m[None], AXES, lens.slopes)
        for person in seen
    ]
    position = nearest_position(np.max(reaches, axis=0)[0], lens.slopes) @ AXES
    view = View(AXES, position, lens)
    picture = Floor(DARK).picture(view).copy()
    FigurePainter(DARK.background).draw(picture, view, seen)
    return picture


if __name__ == "__main__":
    run_benchmark(main)
