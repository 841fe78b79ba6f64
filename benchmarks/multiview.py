"""Our 3D and MediaPipe's world landmarks (Full) against joints triangulated from several views.

Reads what Pose2Sim keeps of a trial: a folder of videos, the triangulated joints of one person
(`.trc`) and the cameras (`.toml`), videos and cameras in the order of their names. MediaPipe needs
an environment of its own, because it wants numpy < 2:

    python3.11 -m venv ENV && ENV/bin/pip install mediapipe==0.10.21
    python -m benchmarks.multiview VIDEOS FILE.trc CAMERAS.toml --mediapipe-python ENV/bin/python

A joint without coordinates in the `.trc` is unknown; a frame counts in which at least six of the
twelve limb joints are known, four of them in the picture. "Followed" is the share of these frames
in which the keypoints are that person's. Errors are in mm over the known joints, MPJVE in mm per
frame, over the frames in which both follow the person; the last column is ours over all frames in
which we do. Where the `.trc` has heels and big toes, a second table has their error after the
alignment of the limbs, mm, and the median angle between found and true heel-to-toe directions,
likewise aligned, degrees.
"""

import argparse
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.compare_mediapipe import frames
from core.options import Parser
from core.types import Floats
from testkit.command_lines import existing, run_benchmark

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_FOLLOWED = 0.15
"""Largest mean distance of keypoints from the joints, in the person's heights in the picture."""
_MIN_KNOWN, _MIN_INSIDE = 6, 4
"""Joints of a frame that counts: known ones, and known ones in the picture."""
_SHOULDERS, _HIPS = [0, 6], [3, 9]
_COUNT = 12  # limb joints; left and right heel and toe follow them
_HEELS, _TOES = [12, 14], [13, 15]


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=existing, help="folder of synchronous videos")
    parser.add_argument(
        "trc", type=existing, nargs="?", help="true joints, a row per frame of the videos"
    )
    parser.add_argument("cameras", type=existing, nargs="?", help="calibration")
    parser.add_argument(
        "--mediapipe-python", type=existing, help="Python of an environment with mediapipe==0.10.21"
    )
    parser.add_argument("--lifter", default="lifter", help="name or path of our lifting network")
    parser.add_argument("--detector", default="blazepose", help="our detector")
    parser.add_argument("--graphs", type=Path, help="folder that keeps MediaPipe's landmarks")
    # The part that runs in MediaPipe's environment.
    parser.add_argument("--graph-into", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.graph_into:
        run_graph(chosen.videos, chosen.graph_into)
    elif not (chosen.trc and chosen.cameras and chosen.mediapipe_python):
        parser.error("the .trc, the cameras and --mediapipe-python are needed")
    else:
        compare(chosen)


def compare(chosen: argparse.Namespace) -> None:
    """Print a row of errors for each view, and their mean; `chosen` is the command line."""
    truth = read_trc(chosen.trc)
    options = {"lifter": chosen.lifter, "detector": chosen.detector}
    cameras = [
        c
        for name, c in sorted(tomllib.loads(chosen.cameras.read_text()).items())
        if name != "metadata"
    ]
    print(f"{'':14}{'followed':>18}{'PA-MPJPE':>24}{'MPJVE':>24}{'PA-MPJPE':>12}")
    print(
        f"{'':14}{'ours  MediaPipe':>18}"
        + f"{'ours  MediaPipe  ratio':>24}" * 2
        + f"{'ours, all':>12}"
    )
    rows, feet = [], []
    for video, camera in zip(sorted(chosen.videos.glob("*.mp4")), cameras, strict=True):
        seen, pixels = project_joints(truth, camera)
        inside = np.isfinite(pixels).all(-1).sum(1)
        known = (np.isfinite(truth[:, :_COUNT]).all(-1).sum(1) >= _MIN_KNOWN) & (
            inside >= _MIN_INSIDE
        )
        pixels[~known] = np.nan
        body = slice(_COUNT)
        with tempfile.TemporaryDirectory() as scratch:
            graph = graph_landmarks(video, chosen.mediapipe_python, chosen.graphs or Path(scratch))
            both = [our_joints(video, pixels, options, Path(scratch) / video.stem), graph]
        followed = [is_followed(found[:, body], pixels) for _, found in both]
        use = followed[0] & followed[1]
        row = [100 * np.mean(each[known]) for each in followed]
        row += [v for joints, _ in both for v in errors_mm(joints[:, body], seen[:, body], use)]
        row.append(errors_mm(both[0][0][:, body], seen[:, body], followed[0])[0])
        rows.append(row)
        feet.append([v for joints, _ in both for v in foot_errors(joints, seen, use)])
        print(_line(video.stem, row))
    print(_line("mean of views", np.nanmean(rows, axis=0).tolist()))
    if np.isfinite(feet).any():
        print(f"{'feet':14}{'mm: ours  MediaPipe':>24}{'degrees: ours  MediaPipe':>28}")
        for name, (mm, angle, their_mm, their_angle) in zip(
            [*(f"view {n}" for n in range(1, len(feet) + 1)), "mean of views"],
            [*feet, np.nanmean(feet, axis=0)],
            strict=True,
        ):
            print(f"{name:14}{mm:13.1f}{their_mm:11.1f}{angle:17.1f}{their_angle:11.1f}")


def project_joints(truth: Floats, camera: dict[str, Any]) -> tuple[Floats, Floats]:
    """Joints (T, 16, 3) in a camera's axes, and the limbs' (T, 12, 2) px, NaN outside."""
    rotation, _ = cv2.Rodrigues(np.array(camera["rotation"]))
    seen = truth @ rotation.T + np.array(camera["translation"])
    lens = np.array(camera["matrix"]), np.array(camera["distortions"])
    pixels, _ = cv2.projectPoints(seen.reshape(-1, 3), np.zeros(3), np.zeros(3), *lens)
    pixels = pixels.reshape(len(truth), -1, 2)[:, :_COUNT]
    in_front = seen[:, :_COUNT, 2] > 0
    inside = ((pixels >= 0) & (pixels < camera["size"])).all(-1) & in_front
    return seen, np.where(inside[..., None], pixels, np.nan)


def graph_landmarks(video: Path, python: str, folder: Path) -> tuple[Floats, Floats]:
    """What `run_graph` writes of a video into a folder, where it is read if it is there."""
    file = folder / f"{video.stem}_with_feet.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            python, "-m", "benchmarks.multiview", str(video), "--graph-into", str(file.resolve()),
        ]  # fmt: skip
        subprocess.run(
            command, check=True, cwd=Path(__file__).parents[1], stderr=subprocess.DEVNULL
        )
    with np.load(file) as graph:
        return graph["joints"], graph["pixels"]


def _line(name: str, row: list[float]) -> str:
    ours, theirs, pa, velocity, their_pa, their_velocity, all_pa = row
    errors = "".join(
        f"{a:8.1f}{b:9.1f}{a / b:7.2f}" for a, b in ((pa, their_pa), (velocity, their_velocity))
    )
    return f"{name:14}{ours:6.0f} %{theirs:8.0f} %{errors}{all_pa:12.1f}"


def errors_mm(joints: Floats, truth: Floats, use: Floats) -> tuple[float, float]:
    """PA-MPJPE in mm and MPJVE in mm per frame of the limbs.

    Args:
        joints: (T, 12, 3) metres.
        truth: (T, 12, 3) metres, NaN where unknown.
        use: (T,) bool, the frames that count; velocities need two neighbouring ones and are
            relative to the middle of the hips, or of the shoulders where the hips are unknown.

    Returns:
        Both, NaN where there are no two neighbouring frames.
    """
    from train.metrics import p_mpjpe

    if not (use[1:] & use[:-1]).any():
        return np.nan, np.nan
    known = np.isfinite(truth).all(-1)
    aligned = [
        p_mpjpe(joints[None, t, known[t]], truth[None, t, known[t]]) for t in np.flatnonzero(use)
    ]
    has_hips = known[:, _HIPS].all(1)
    steps = [
        np.diff(points - _root(points, has_hips)[:, None], axis=0) for points in (joints, truth)
    ]
    same_root = use[1:] & use[:-1] & (has_hips[1:] == has_hips[:-1])
    velocity = np.linalg.norm(steps[0] - steps[1], axis=-1)[same_root]
    return 1000 * float(np.mean(aligned)), 1000 * float(np.nanmean(velocity))


def foot_errors(joints: Floats, truth: Floats, use: Floats) -> tuple[float, float]:
    """Errors of heels and toes once the limbs are aligned, in mm and in degrees.

    Args:
        joints: (T, 16, 3) metres.
        truth: (T, 16, 3) metres, NaN where unknown.
        use: (T,) bool, the frames that count.

    Returns:
        The mean distance, mm, and the median angle of heel-to-toe directions, degrees; NaN where
        either side has no feet.
    """
    from train.metrics import procrustes_align

    distances, angles = [np.zeros(0)], [np.zeros(0)]
    for t in np.flatnonzero(use):
        known = np.isfinite(truth[t, :_COUNT]).all(-1).nonzero()[0]
        feet = np.arange(_COUNT, truth.shape[1])
        # The alignment of the known limbs, applied to the feet: solve for it on the limbs' images.
        aligned = procrustes_align(joints[None, t, known], truth[None, t, known])[0]
        move = np.linalg.lstsq(np.c_[joints[t, known], np.ones(len(known))], aligned, rcond=None)[0]
        moved = np.c_[joints[t, feet], np.ones(len(feet))] @ move
        distances.append(np.linalg.norm(moved - truth[t, feet], axis=-1))
        ours, true = (
            points[[row - _COUNT for row in _TOES]] - points[[row - _COUNT for row in _HEELS]]
            for points in (moved, truth[t, feet])
        )
        norms = np.linalg.norm(ours, axis=-1) * np.linalg.norm(true, axis=-1)
        angles.append(np.degrees(np.arccos(((ours * true).sum(-1) / norms).clip(-1, 1))))
    known_distances, known_angles = np.concatenate(distances), np.concatenate(angles)
    if not np.isfinite(known_distances).any():
        return np.nan, np.nan
    return 1000 * float(np.nanmean(known_distances)), float(np.nanmedian(known_angles))


def _root(points: Floats, has_hips: Floats) -> Floats:
    """(T, 3) the middle of the hips where they are known, of the shoulders elsewhere."""
    hips, shoulders = (points[:, pair].mean(1) for pair in (_HIPS, _SHOULDERS))
    return np.where(has_hips[:, None], hips, shoulders)


def is_followed(found: Floats, truth: Floats) -> Floats:
    """(T,) whether points (T, 12, 2) lie on the true ones, by those that are known on both sides.

    They are to be half of the true ones, and their mean distance below `_FOLLOWED`.
    """
    distance = np.linalg.norm(found - truth, axis=-1)
    count, known = np.isfinite(distance).sum(1), np.isfinite(truth).all(-1).sum(1)
    low, high = (np.where(np.isnan(truth), other, truth) for other in (np.inf, -np.inf))
    height = np.where(known, (high.max(1) - low.min(1)).max(-1), 0.0)
    is_near = np.nansum(distance, axis=1) < _FOLLOWED * height * count
    return np.asarray(is_near & (count > 0) & (2 * count >= known))


def our_joints(
    video: Path, pixels: Floats, options: dict[str, str], output: Path
) -> tuple[Floats, Floats]:
    """Our limbs of the track that follows the true person longest.

    Args:
        video: The clip.
        pixels: (T, 12, 2) where the true joints are seen, NaN where they are not.
        options: Our pipeline's, by name.
        output: Folder for our results.

    Returns:
        Joints (T, 16, 3) m and the limbs' keypoints (T, 12, 2) px, NaN where the person is not
        followed.
    """
    from core.skeletons import H36M_21
    from lifter.reprojection import LIMBS_IN, LIMBS_OUT
    from pipeline.config import PipelineConfig
    from pipeline.run import process_video

    process_video(video, PipelineConfig.from_flat(**options, render=False), output)
    with np.load(output / "poses.npz") as poses:
        index, tracks = poses["frame_index"], poses["track_id"]
        points, joints = poses["keypoints_2d"][:, LIMBS_IN], poses["joints_camera_m"]
    feet = H36M_21.indices(("l_heel", "l_toe", "r_heel", "r_toe"))
    if joints.shape[1] < len(H36M_21):  # of a lifter without feet
        joints = np.pad(joints, ((0, 0), (0, 4), (0, 0)), constant_values=np.nan)
    joints = joints[:, [*LIMBS_OUT, *feet]]
    near = is_followed(points, pixels[index])
    mine = tracks == max(np.unique(tracks), key=lambda track: near[tracks == track].sum())
    found = np.full((len(pixels), 16, 3), np.nan), np.full((len(pixels), 12, 2), np.nan)
    found[0][index[mine]], found[1][index[mine]] = joints[mine], points[mine]
    return found


def run_graph(video: Path, file: Path) -> None:
    """Write MediaPipe's world landmarks (T, 16, 3) m, and them in the picture, px."""
    import mediapipe as mp

    graph = mp.solutions.pose.Pose(static_image_mode=False, model_complexity=1)
    limbs = [
        mp.solutions.pose.PoseLandmark[f"{side}_{limb}".upper()]
        for side in ("left", "right")
        for limb in _LIMBS
    ]
    limbs += [
        mp.solutions.pose.PoseLandmark[f"{side}_{part}".upper()]
        for side in ("left", "right")
        for part in ("heel", "foot_index")
    ]
    joints, pixels = [], []
    for rgb in frames(str(video)):
        found = graph.process(rgb)
        if found.pose_landmarks is None:
            joints.append(np.full((16, 3), np.nan))
            pixels.append(np.full((16, 2), np.nan))
            continue
        height, width = rgb.shape[:2]
        world, seen = found.pose_world_landmarks.landmark, found.pose_landmarks.landmark
        joints.append(np.array([(world[i].x, world[i].y, world[i].z) for i in limbs]))
        pixels.append(np.array([(seen[i].x * width, seen[i].y * height) for i in limbs]))
    np.savez(file, joints=np.array(joints), pixels=np.array(pixels))


def read_trc(path: Path) -> Floats:
    """Limbs, heels and toes (T, 16, 3), left side first, in the calibration's axes.

    A .trc has y, z, x. Feet are NaN where it has none.
    """
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    names = [name for name in lines[3][2:] if name.strip()]
    rows = np.array(
        [
            [float(x or "nan") for x in line[2 : 2 + 3 * len(names)]]
            for line in lines[5:]
            if len(line) > 2
        ]
    )
    wanted = [f"{side}{limb.title()}" for side in "LR" for limb in _LIMBS]
    wanted += [f"{side}{part}" for side in "LR" for part in ("Heel", "BigToe")]
    points = rows.reshape(len(rows), len(names), 3)[..., [2, 0, 1]]
    missing = np.full((len(rows), 3), np.nan)
    return np.stack([points[:, names.index(n)] if n in names else missing for n in wanted], 1)


if __name__ == "__main__":
    run_benchmark(main)
