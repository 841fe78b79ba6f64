"""How well people are found and followed: recall, precision, identities, tracks of no one.

    python -m benchmarks.tracking                             # made scenes, clips with pictures
    python -m benchmarks.tracking sample crowd --json FILE    # rows by the start of their names
    python -m benchmarks.tracking scenes                      # made scenes alone

Made scenes are detections with known identities, 10 seeds each, ours beside a plain IoU tracker.
Clips with pictures go through the whole pipeline, without rendering: the sample and the field's
crowd, marked by eye; mosaics of the sample in which people are 30 to 5 % of the picture's height;
pictures without people; and filmed crowds, drawn as `python -m train film` draws people
(weights/lifter.md says where motion capture and MakeHuman's data come from):

    python -m benchmarks.tracking filmed --mocap BANDAI_1 --makehuman MAKEHUMAN/data

A box hits a person at an IoU of 0.5. "Followed" people are hit by one track in four fifths of their
frames; "strays" are tracks of more than 10 frames that lie on no one.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.errors import UsageError
from core.options import Parser
from core.types import Detections
from pipeline.config import PipelineConfig
from pipeline.results.result import Result
from pipeline.run import process_video
from pipeline.runtime.models import Models
from pipeline.tracking.similarity import iou
from testkit.command_lines import existing, run_benchmark
from testkit.identity_scores import BoxesByTrack, Score, boxes_by_track, scene_truth, score
from testkit.picture_clips import (
    Clip,
    crowd,
    empty_scene,
    empty_shapes,
    mosaic,
    person_boxes,
    sample,
)
from testkit.scenes import FPS, STAGES, made

SEEDS = 10
CLIPS: dict[str, Callable[[Path], Clip | None]] = {
    "sample": sample,
    "crowd of twelve": crowd,
    **{f"mosaic {percent} %": mosaic(percent / 100) for percent in (30, 20, 12, 8, 5)},
    "empty scene": empty_scene,
    "empty shapes": empty_shapes,
}
"""Makers of clips with pictures, by row."""
FILMED = {"filmed crowd of 8": (8, (4.0, 9.0)), "filmed crowd of 20": (20, (5.0, 20.0))}
"""Filmed crowds: how many people, from where to where in metres from the camera."""
SCENES = "scenes"


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"starts of rows' names, or {SCENES}; default all")
    parser.add_argument("--detector", default="blazepose", help="who finds people in pictures")
    parser.add_argument(
        "--mocap", type=existing, nargs="+", help="motion capture, for filmed crowds"
    )
    parser.add_argument("--makehuman", type=existing, help="MakeHuman's data, for filmed crowds")
    parser.add_argument("--clips", type=Path, help="folder that keeps the made clips")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    chosen = parser.parse_args()
    names = (SCENES, *CLIPS, *FILMED)
    for start in chosen.rows:
        if not any(name.startswith(start) for name in names):
            raise UsageError(f"no row begins with {start!r}: {', '.join(names)}")

    def wanted(name: str) -> bool:
        return not chosen.rows or any(name.startswith(start) for start in chosen.rows)

    rows = {name: maker for name, maker in CLIPS.items() if wanted(name)}
    if chosen.mocap and chosen.makehuman:
        from testkit.filmed_people import FilmSet, filmed_crowd

        film = cache(lambda: FilmSet(chosen.mocap, chosen.makehuman))
        rows |= {
            name: filmed_crowd(film, count, depths)
            for name, (count, depths) in FILMED.items()
            if wanted(name)
        }
    elif any(map(wanted, FILMED)):
        lacking = "without --mocap and --makehuman there are no filmed crowds"
        if not rows and not wanted(SCENES):
            raise UsageError(lacking)
        print(lacking, file=sys.stderr)
    figures: dict[str, dict[str, float]] = {}
    if wanted(SCENES):
        print_scenes()
    if rows:
        with tempfile.TemporaryDirectory() as scratch:
            chosen.clips and chosen.clips.mkdir(parents=True, exist_ok=True)
            figures = print_clips(rows, chosen.detector, chosen.clips or Path(scratch))
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


def print_clips(
    rows: dict[str, Callable[[Path], Clip | None]], detector: str, folder: Path
) -> dict[str, dict[str, float]]:
    """Print a row for each clip, made in a folder; its figures by name."""
    config = PipelineConfig.from_flat(detector=detector, render=False)
    figures = {}
    print(
        f"{'clip':22}{'recall':>8}{'precision':>11}{'IDF1':>7}{'switches':>10}{'followed':>10}"
        f"{'tracks':>8}{'strays':>8}{'frames/s':>10}"
    )
    models = Models(config.detect, config.lift.lifter)
    for name, make in rows.items():
        clip = make(folder)
        if clip is None:
            print(f"{name:22}  the clip is not here")
            continue
        with tempfile.TemporaryDirectory() as output:
            start = time.perf_counter()
            result = process_video(clip.path, config, output, models)
            speed = clip.truth.seen.shape[1] / (time.perf_counter() - start)
            found = score(clip.truth, tracks_of(result))
        figures[name] = asdict(found) | {"frames_per_s": speed}
        print(_line(name, found, speed), flush=True)
    models.close()
    return figures


def _line(name: str, found: Score, speed: float) -> str:
    followed = f"{found.followed}/{found.people}"
    return (
        f"{name:22}{found.recall:8.3f}{found.precision:11.3f}{found.idf1:7.3f}{found.switches:10}"
        f"{followed:>10}{found.tracks:8}{found.strays:8}{speed:10.1f}"
    )


def tracks_of(result: Result) -> BoxesByTrack:
    """The boxes of a result's people."""
    video = result.report.video
    return {
        person.track_id: dict(
            zip(
                person.frame_indices.tolist(),
                person_boxes(person.keypoints_2d, video.width, video.height),
                strict=True,
            )
        )
        for person in result.people
    }


def plain_iou(detections: list[Detections]) -> BoxesByTrack:
    """Hungarian assignment on the IoU with a track's last box, which lasts for a second.

    Tracks of less than 0.4 s are dropped.
    """
    tracks: BoxesByTrack = {}
    for t, found in enumerate(detections):
        strong = np.flatnonzero(found.box_scores >= 0.4).tolist()
        alive = [track for track, boxes in tracks.items() if t - max(boxes) <= FPS]
        last = [tracks[track][max(tracks[track])] for track in alive]
        overlap = np.array(
            [[iou(box, found.boxes_xyxy[row]) for row in strong] for box in last]
        ).reshape(len(last), len(strong))
        assigned = set()
        for i, j in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
            if overlap[i, j] >= 0.3:
                tracks[alive[i]][t] = found.boxes_xyxy[strong[j]]
                assigned.add(strong[j])
        for row in strong:
            if row not in assigned:
                tracks[len(tracks)] = {t: found.boxes_xyxy[row]}
    return {track: boxes for track, boxes in tracks.items() if len(boxes) >= 0.4 * FPS}


TRACKERS: dict[str, Callable[[list[Detections]], BoxesByTrack]] = {
    "ours": boxes_by_track,
    "plain IoU": plain_iou,
}


def print_scenes() -> None:
    """Print a row for each made scene."""
    columns = f"{'IDF1':>10}{'switches':>9}{'tracks':>9}" * len(TRACKERS)
    print(f"{f'{SEEDS} seeds':24}" + "".join(f"{name:>28}" for name in TRACKERS))
    print(f"{'scene':24}{columns}{'people':>8}")
    for name in STAGES:
        scenes = [made(name, seed) for seed in range(SEEDS)]
        line, people = f"{name:24}", 0
        for tracker in TRACKERS.values():
            scores = [score(scene_truth(scene), tracker(scene.detections)) for scene in scenes]
            idf1 = np.mean([one.idf1 for one in scores])
            switches = sum(one.switches for one in scores)
            tracks = sum(one.tracks for one in scores)
            people = sum(len(scene_truth(scene).seen) for scene in scenes)
            line += f"{idf1:10.3f}{switches:9}{tracks:9}"
        print(f"{line}{people:8}", flush=True)


if __name__ == "__main__":
    run_benchmark(main)
