"""Draw six moments of a clip, each as filmed and in 3D from two viewpoints, to compare by eye.

python -m benchmarks.views output/demo docs/viewpoints.jpg
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from core.skeletons import H36M_17
from core.types import Floats, Frame, Picture, WorldPoses
from pipeline.media.video_reader import VideoReader
from pipeline.render.figures import FigurePainter
from pipeline.render.overlay import draw_person
from pipeline.render.person import PersonInFrame
from pipeline.render.stage_plot import build_stage

MOMENTS, CELL, MARGIN = 6, 300, 0.35
TURNS_DEG = (0.0, 90.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what infer_video.py made of a clip")
    parser.add_argument("picture", type=Path)
    chosen = parser.parse_args()
    with np.load(chosen.folder / "poses.npz") as poses:
        table = {name: poses[name] for name in poses.files}
    video = Path(json.loads(str(table["metadata_json"]))["video"]["path"])
    frames = np.unique(table["frame_index"])
    wanted = set(
        frames[np.linspace(0, len(frames) - 1, 2 * MOMENTS + 1).astype(int)[1::2]].tolist()
    )
    with VideoReader(video) as reader:
        columns = [column(frame, table) for frame in reader if frame.index in wanted]
    sheet = np.concatenate(columns, axis=1)
    cv2.imwrite(str(chosen.picture), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def column(frame: Frame, table: dict[str, Floats]) -> Picture:
    """The people of one moment: as filmed, in 3D from the camera's side, and from their right."""
    rows = np.flatnonzero(table["frame_index"] == frame.index)
    people = [
        PersonInFrame(
            int(table["track_id"][row]),
            box(table["keypoints_2d"][row]),
            table["keypoints_2d"][row],
            table["keypoint_scores"][row],
            table["joints_world_m"][row].astype(float),
        )
        for row in rows
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
        moved = PersonInFrame(
            person.track_id,
            person.box_xyxy - [left, top, left, top],
            person.keypoints_xy - [left, top],
            person.keypoint_scores,
            person.joints_world_m,
        )
        draw_person(picture, moved, CELL / side)
    return picture


def turned(people: list[PersonInFrame], turn_deg: float) -> Picture:
    """The 3D view with all people turned about the vertical."""
    turn = np.radians(turn_deg)
    about_z = np.array(
        [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    seen = [
        PersonInFrame(
            p.track_id, p.box_xyxy, p.keypoints_xy, p.keypoint_scores, p.joints_world_m @ about_z
        )
        for p in people
    ]
    stage = build_stage([WorldPoses(p.joints_world_m[None], "", H36M_17) for p in seen], CELL, CELL)
    picture = stage.picture.copy()
    FigurePainter(stage).draw(picture, seen)
    return picture


if __name__ == "__main__":
    main()
