"""Who is who, on made scenes with known identities: our tracker beside a plain IoU tracker, 10 seeds a scene.

python -m benchmarks.tracking      # prints IDF1, identity switches and how many tracks there are for a person

IDF1 and switches: Ristani et al., "Performance measures … for multi-target, multi-camera tracking", 2016,
arXiv:1609.01775; Bernardin and Stiefelhagen, "Evaluating multiple object tracking performance", 2008.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.types import Detections, Floats
from pipeline.tracking.similarity import iou
from pipeline.tracking.tracker import track_people
from tests.scenes import FPS, STAGES, Scene, made

SEEDS = 10
MIN_IOU = 0.5
Rows = dict[int, dict[int, Floats]]  # track → frame → box


@dataclass(frozen=True)
class Score:
    """Identity precision and recall in one number, switches, and how many tracks are too many or too few."""

    idf1: float
    switches: int
    tracks: int
    people: int


def score(scene: Scene, tracks: Rows) -> Score:
    """How well `tracks` tell the people of a scene apart, in frames in which they can be seen."""
    people = [i for i, real in enumerate(scene.people) if real]
    overlap = np.zeros((len(people), len(tracks), len(scene.detections)))
    for row, person in enumerate(people):
        for column, boxes in enumerate(tracks.values()):
            for t, box in boxes.items():
                overlap[row, column, t] = scene.seen[person, t] * iou(scene.boxes[person, t], box)
    hits = overlap >= MIN_IOU
    shared = hits.sum(2)
    matched = shared[linear_sum_assignment(shared, maximize=True)].sum()
    wanted, given = scene.seen[people].sum(), sum(map(len, tracks.values()))
    return Score(2 * matched / (wanted + given), _switches(overlap), len(tracks), len(people))


def _switches(overlap: Floats) -> int:
    """How often people get another track than they had last, of IoU (people, tracks, T).

    In each frame a person keeps their track as long as they overlap; the others get the tracks that are left.
    """
    had: dict[int, int] = {}
    count = 0
    for iou_now in np.moveaxis(overlap, 2, 0):
        kept = {person: track for person, track in had.items() if iou_now[person, track] >= MIN_IOU}
        free = iou_now.copy()
        free[list(kept)], free[:, list(kept.values())] = 0, 0
        for person, track in zip(*linear_sum_assignment(free, maximize=True), strict=True):
            if free[person, track] >= MIN_IOU:
                count += had.get(person, track) != track
                had[person] = track
    return count


def ours(detections: list[Detections]) -> Rows:
    """The pipeline's tracker."""
    return {
        track.track_id: dict(zip(track.frame_indices.tolist(), track.boxes_xyxy, strict=True))
        for track in track_people(detections, FPS)
    }


def plain_iou(detections: list[Detections]) -> Rows:
    """Hungarian assignment on the IoU with a track's last box, kept for a second; short tracks dropped."""
    tracks: Rows = {}
    for t, found in enumerate(detections):
        sure = np.flatnonzero(found.box_scores >= 0.4).tolist()
        alive = [track for track, rows in tracks.items() if t - max(rows) <= FPS]
        last = [tracks[track][max(tracks[track])] for track in alive]
        overlap = np.array([[iou(box, found.boxes_xyxy[i]) for i in sure] for box in last]).reshape(
            len(last), len(sure)
        )
        for row, column in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
            if overlap[row, column] >= 0.3:
                tracks[alive[row]][t] = found.boxes_xyxy[sure[column]]
                sure[column] = -1
        for i in sure:
            if i >= 0:
                tracks[len(tracks)] = {t: found.boxes_xyxy[i]}
    return {track: rows for track, rows in tracks.items() if len(rows) >= 0.4 * FPS}


def main() -> None:
    trackers: dict[str, Callable[[list[Detections]], Rows]] = {"ours": ours, "plain IoU": plain_iou}
    columns = f"{'IDF1':>10}{'switches':>9}{'tracks':>9}" * len(trackers)
    print(f"{f'{SEEDS} seeds':24}" + "".join(f"{name:>28}" for name in trackers))
    print(f"{'scene':24}{columns}{'people':>8}")
    for name in STAGES:
        scenes = [made(name, seed) for seed in range(SEEDS)]
        line, people = f"{name:24}", 0
        for tracker in trackers.values():
            scores = [score(scene, tracker(scene.detections)) for scene in scenes]
            mean = np.mean([one.idf1 for one in scores])
            people = sum(one.people for one in scores)
            line += f"{mean:10.3f}{sum(one.switches for one in scores):9}{sum(one.tracks for one in scores):9}"
        print(f"{line}{people:8}", flush=True)


if __name__ == "__main__":
    main()
