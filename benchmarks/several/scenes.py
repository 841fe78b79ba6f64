"""Errors of several views in made scenes, against noise, angle, number of views and of people.

    python -m benchmarks.several.scenes --figure docs/multiview_scenes.png

One person walks 3 s before two cameras 90° apart, keypoints are off by 1 % of the person's height;
each row changes one of these. Printed are means over seeds: PA-MPJPE of the limbs in mm of the
better view alone and of all together, and the largest errors of the cameras that people gave:
rotation and direction of the baseline in degrees, focal length in %.
"""

import argparse
from pathlib import Path

import numpy as np

from core.options import Parser
from core.types import Floats
from lifter.reprojection import LIMBS_OUT
from pipeline.multiview.calibration import calibrate
from testkit.command_lines import positive, run_benchmark
from testkit.made.several_views import (
    FPS,
    Errors,
    Scene,
    around,
    camera_errors,
    film,
    fused_people,
    walkers,
    who,
)
from train.metrics import p_mpjpe

_FRAMES = 90
_NOISES = (0.005, 0.01, 0.02, 0.04)
_ANGLES = (20, 45, 90, 135, 180)
_VIEWS = {2: (0, 90), 3: (0, 90, 200), 4: (0, 90, 180, 270), 5: (0, 70, 140, 210, 290)}
_PEOPLE = (1, 2, 3, 4)


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=positive(int), default=3, help="scenes of each row")
    parser.add_argument("--figure", type=Path, help="draw the errors there")
    chosen = parser.parse_args()
    print(f"{'':22}{'alone':>8}{'together':>10}{'rotation':>10}{'baseline':>10}{'focal':>8}")
    panels: dict[str, list[tuple[float, Floats]]] = {}
    for title, values in (
        ("noise, % of height", [100 * noise for noise in _NOISES]),
        ("angle, degrees", list(_ANGLES)),
        ("views", list(_VIEWS)),
        ("people", list(_PEOPLE)),
    ):
        for value in values:
            row = np.mean([_errors(_made(title, value, seed)) for seed in range(chosen.seeds)], 0)
            panels.setdefault(title, []).append((float(value), row))
            alone, together, turn, way, focal = row
            print(f"{title:18}{value:4g}{alone:8.1f}{together:10.1f}{turn:9.1f}°{way:9.1f}°"
                  f"{focal:7.1f}%", flush=True)  # fmt: skip
    if chosen.figure:
        _draw(panels, chosen.figure)


def _made(title: str, value: float, seed: int) -> Scene:
    noise = value / 100 if title.startswith("noise") else 0.01
    angles = (
        (0, value) if title.startswith("angle") else _VIEWS[int(value) if title == "views" else 2]
    )
    count = int(value) if title == "people" else 1
    return film(walkers(count, _FRAMES), around(angles), Errors(keypoint=noise), seed)


def _errors(scene: Scene) -> tuple[float, ...]:
    """Better view alone and all together, mm; rotation and baseline, degrees; focal length, %."""
    found = calibrate(scene.views, FPS)
    alone = [
        np.mean([
            _mm(track.poses.joints_m, scene.people[who(scene, view, track.track_id)])
            for track in scene.views[view].sightings
        ])
        for view in range(len(scene.views))
    ]  # fmt: skip
    together = [_mm(joints, true) for joints, true in fused_people(scene, found)]
    cameras = camera_errors(found.cameras, scene.cameras)
    return float(min(alone)), float(np.mean(together)), *cameras


def _mm(joints: Floats, true: Floats) -> float:
    return 1000 * float(p_mpjpe(joints[:, LIMBS_OUT], true[:, LIMBS_OUT]))


def _draw(panels: dict[str, list[tuple[float, Floats]]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6), layout="constrained")
    for axes, (title, rows) in zip(figure.subplots(1, 4, sharey=True), panels.items(), strict=True):
        values = [value for value, _ in rows]
        axes.plot(values, [row[0] for _, row in rows], "o--", color="0.6", label="better alone")
        axes.plot(values, [row[1] for _, row in rows], "o-", color="C0", label="together")
        axes.set_xlabel(title)
    figure.axes[0].set_ylim(0)
    figure.axes[0].set_ylabel("PA-MPJPE, mm")
    figure.axes[0].legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    run_benchmark(main)
