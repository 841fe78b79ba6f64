"""Identities on made scenes: our tracker beside a plain IoU tracker, 10 seeds a scene.

python -m benchmarks.tracking      # prints IDF1, identity switches and the number of tracks
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.types import Detections
from pipeline.tracking.similarity import iou
from testkit.identity_scores import BoxesByTrack, boxes_by_track, score
from testkit.scenes import FPS, STAGES, made

SEEDS = 10


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


def main() -> None:
    columns = f"{'IDF1':>10}{'switches':>9}{'tracks':>9}" * len(TRACKERS)
    print(f"{f'{SEEDS} seeds':24}" + "".join(f"{name:>28}" for name in TRACKERS))
    print(f"{'scene':24}{columns}{'people':>8}")
    for name in STAGES:
        scenes = [made(name, seed) for seed in range(SEEDS)]
        line, people = f"{name:24}", 0
        for tracker in TRACKERS.values():
            scores = [score(scene, tracker(scene.detections)) for scene in scenes]
            idf1 = np.mean([one.idf1 for one in scores])
            switches = sum(one.switches for one in scores)
            tracks = sum(one.tracks for one in scores)
            people = sum(one.people for one in scores)
            line += f"{idf1:10.3f}{switches:9}{tracks:9}"
        print(f"{line}{people:8}", flush=True)


if __name__ == "__main__":
    main()
