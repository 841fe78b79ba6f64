"""How large the 3D view shows people, whether it shows all of them, and how calm it is.

python -m benchmarks.framing clip.mp4 more/*.mp4
python -m benchmarks.framing --camera moving panned.mp4
python -m benchmarks.framing output/clip           # results that are there already
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from core.options import Parser
from core.types import Floats
from pipeline.config import PipelineConfig
from pipeline.render.framing.crowd import Rows
from pipeline.render.framing.plan import PlannedCamera
from pipeline.render.framing.reach import nearest_position, reach
from pipeline.render.modes import plan_beside
from pipeline.render.view import AZIMUTH_DEG, Lens, View, view_axes
from pipeline.results.result import Result, load_result
from pipeline.run import process_video
from testkit.command_lines import existing, run_benchmark

GOOD_SHARE, NEARLY, GOOD_STEP, GOOD_CHANGE = 0.45, 0.8, 0.025, 0.003
"""What is asked for: the median frame's tallest figure in panel heights, or so many times what is
possible; how far what is at rest may move in a frame at 30 frames/s, and how much that may change
from frame to frame, in panel heights, too."""
LOST_M = 100.0
"""Joints so far out are misjudged."""
HEADINGS = ("clip", "frames", "people", "panel", "tallest", "possible", "margin", "cut off",
            "moves", "jerks")  # fmt: skip
ROW = "{:<28}{:>7}{:>7}{:>10}{:>9}{:>9}{:>8}{:>8}{:>8}{:>8}"


def main() -> int:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=existing, help="videos, or folders of results")
    parser.add_argument("--camera", choices=("static", "moving"), default="static")
    chosen = parser.parse_args()
    print(ROW.format(*HEADINGS))
    is_good = True
    for clip in chosen.clips:
        with tempfile.TemporaryDirectory() as folder:
            config = PipelineConfig.from_flat(camera=chosen.camera, render="none")
            is_result = (clip / "report.json").exists()
            result = load_result(clip) if is_result else process_video(clip, config, Path(folder))
            is_good &= judge(clip.stem, result)
    return 0 if is_good else 1


def judge(name: str, result: Result) -> bool:
    """Print a line on a result's 3D view; whether it is as asked for, or as good as can be."""
    info = result.report.video
    camera = plan_beside(info, result.table.chunks)
    tallest, margin = seen(camera, result)
    if not tallest:
        print(f"{name}: nobody in it")
        return True
    moved = moves(camera, min(tallest), max(tallest)) * info.fps / 30
    step = float(np.abs(moved).max(initial=0))
    change = float(np.abs(np.diff(moved, axis=0)).max(initial=0)) * info.fps / 30
    share = float(np.median(list(tallest.values())))
    possible, cut_off = largest_share(camera.lens, result), float((margin < 0).mean())
    print(ROW.format(
        name[:27], len(tallest), len(result.people), f"{camera.lens.width}×{camera.lens.height}",
        f"{share:.0%}", f"{possible:.0%}", f"{margin.min():.1%}", f"{cut_off:.1%}", f"{step:.2%}",
        f"{change:.2%}",
    ))  # fmt: skip
    sys.stdout.flush()
    is_large = share >= min(GOOD_SHARE, NEARLY * possible)
    return is_large and not cut_off and step <= GOOD_STEP and change <= GOOD_CHANGE


def seen(camera: PlannedCamera, result: Result) -> tuple[dict[int, float], Floats]:
    """The tallest figure of each frame, and how far each row's joints are from the border at least.

    Both in panel heights.
    """
    lens = camera.lens
    tallest: dict[int, float] = {}
    margins = []
    for rows in Rows.each(result.table.chunks):
        for index, joints in zip(rows.frame_index.tolist(), rows.joints_m, strict=True):
            if np.isfinite(joints).all() and np.abs(joints).max() < LOST_M:
                x, y = camera.view_at(index).pixels(joints).T / lens.height
                tallest[index] = max(float(np.ptp(y)), tallest.get(index, 0.0))
                margins.append(np.min([x, lens.width / lens.height - x, y, 1 - y]))
    return tallest, np.array(margins)


def largest_share(lens: Lens, result: Result) -> float:
    """What the tallest figure of the median frame could take, if each frame had a view of its own.

    The view has its direction, everyone in it, and room for names.
    """
    axes = view_axes(AZIMUTH_DEG)
    reaches: dict[int, Floats] = {}
    everyone: dict[int, list[Floats]] = {}
    for rows in Rows.each(result.table.chunks):
        needed = reach(rows.joints_m, rows.sigma_m, axes, lens.slopes)
        for index, own, joints in zip(
            rows.frame_index.tolist(), needed, rows.joints_m, strict=True
        ):
            if np.isfinite(joints).all() and np.abs(joints).max() < LOST_M:
                reaches[index] = np.maximum(own, reaches.get(index, own))
                everyone.setdefault(index, []).append(joints)
    shares = []
    for index, people in everyone.items():
        view = View(axes, nearest_position(reaches[index], lens.slopes) @ axes, lens)
        shares.append(max(np.ptp(view.pixels(joints)[:, 1]) for joints in people) / lens.height)
    return float(np.median(shares))


def moves(camera: PlannedCamera, first: int, last: int) -> Floats:
    """How far things at rest move in the picture, by the view alone.

    Returns:
        (N - 1, 4, 2) panel heights a frame, of four points 1 m around where the view looks.
    """
    around = np.array([[-1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    found = []
    for index in range(first, last):
        view, following = camera.view_at(index), camera.view_at(index + 1)
        points = view.position + 3.0 * view.axes[2] + around
        found.append((following.pixels(points) - view.pixels(points)) / camera.lens.height)
    return np.array(found).reshape(-1, 4, 2)


if __name__ == "__main__":
    run_benchmark(main)
