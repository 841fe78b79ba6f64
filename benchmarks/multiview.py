"""Our 3D and MediaPipe's world landmarks (Full) against joints triangulated from several views.

Reads what Pose2Sim keeps of a trial: a folder of videos, the triangulated joints of one person
(`.trc`) and the cameras (`.toml`), videos and cameras in the order of their names. MediaPipe needs
an environment of its own, because it wants numpy < 2:

    python3.11 -m venv ENV && ENV/bin/pip install mediapipe==0.10.21
    python -m benchmarks.multiview VIDEOS FILE.trc CAMERAS.toml --mediapipe-python ENV/bin/python

Errors are in mm over the twelve limb joints, MPJVE in mm per frame, over the frames in which both
follow that person.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import cv2
import numpy as np

from benchmarks.compare_mediapipe import frames
from core.types import Floats

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_FOLLOWED = 0.15
"""Largest mean distance of keypoints from the joints, in the person's heights in the picture."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", type=Path, help="folder of synchronous videos")
    parser.add_argument(
        "trc", type=Path, nargs="?", help="true joints, a row per frame of the videos"
    )
    parser.add_argument("cameras", type=Path, nargs="?", help="calibration")
    parser.add_argument(
        "--mediapipe-python", help="Python of an environment with mediapipe==0.10.21"
    )
    parser.add_argument("--lifter", default="lifter", help="name or path of our lifting network")
    # The part that runs in MediaPipe's environment.
    parser.add_argument("--graph-into", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.graph_into:
        run_graph(chosen.videos, chosen.graph_into)
    elif not (chosen.trc and chosen.cameras and chosen.mediapipe_python):
        parser.error("the .trc, the cameras and --mediapipe-python are needed")
    else:
        compare(chosen.videos, chosen.trc, chosen.cameras, chosen.mediapipe_python, chosen.lifter)


def compare(folder: Path, trc: Path, calibration: Path, mediapipe_python: str, lifter: str) -> None:
    """Print a row of errors for each view, and their mean."""
    truth = read_trc(trc)
    cameras = [
        c
        for name, c in sorted(tomllib.loads(calibration.read_text()).items())
        if name != "metadata"
    ]
    print(f"{'':14}{'followed':>18}{'PA-MPJPE':>24}{'MPJVE':>24}")
    print(f"{'':14}{'ours  MediaPipe':>18}" + f"{'ours  MediaPipe  ratio':>24}" * 2)
    rows = []
    for video, camera in zip(sorted(folder.glob("*.mp4")), cameras, strict=True):
        rotation, _ = cv2.Rodrigues(np.array(camera["rotation"]))
        seen = truth @ rotation.T + np.array(camera["translation"])
        lens = np.array(camera["matrix"]), np.array(camera["distortions"])
        pixels = cv2.projectPoints(seen.reshape(-1, 3), np.zeros(3), np.zeros(3), *lens)[0].reshape(
            -1, 12, 2
        )
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "graph.npz"
            command = [
                mediapipe_python, "-m", "benchmarks.multiview", str(video), "--graph-into",
                str(file),
            ]  # fmt: skip
            root = Path(__file__).parents[1]
            subprocess.run(command, check=True, cwd=root, stderr=subprocess.DEVNULL)
            graph = dict(np.load(file))
            both = [
                our_joints(video, pixels, lifter, Path(scratch) / video.stem),
                (graph["joints"], graph["pixels"]),
            ]
        height = np.ptp(pixels, axis=1).max(-1)
        followed = [
            np.linalg.norm(found - pixels, axis=-1).mean(1) < _FOLLOWED * height
            for _, found in both
        ]
        use = followed[0] & followed[1]
        row = [100 * np.mean(each) for each in followed]
        row += [value for joints, _ in both for value in errors_mm(joints, seen, use)]
        rows.append(row)
        print(_line(video.stem, row))
    print(_line("mean of views", np.nanmean(rows, axis=0).tolist()))


def _line(name: str, row: list[float]) -> str:
    ours, theirs, pa, velocity, their_pa, their_velocity = row
    errors = "".join(
        f"{a:8.1f}{b:9.1f}{a / b:7.2f}" for a, b in ((pa, their_pa), (velocity, their_velocity))
    )
    return f"{name:14}{ours:6.0f} %{theirs:8.0f} %{errors}"


def errors_mm(joints: Floats, truth: Floats, use: Floats) -> tuple[float, float]:
    """PA-MPJPE in mm and MPJVE in mm per frame of the limbs.

    Args:
        joints: (T, 12, 3) metres.
        truth: (T, 12, 3) metres.
        use: (T,) bool, the frames that count; velocities need two neighbouring ones and are
            relative to the middle of the hips.

    Returns:
        Both, NaN where there are no two neighbouring frames.
    """
    from train.metrics import mpjpe, p_mpjpe

    if not (use[1:] & use[:-1]).any():
        return np.nan, np.nan
    steps = [
        np.diff(points - points[:, [3, 9]].mean(1, keepdims=True), axis=0)
        for points in (joints, truth)
    ]
    moved, really = (step[use[1:] & use[:-1]] for step in steps)
    return 1000 * float(p_mpjpe(joints[use], truth[use])), 1000 * float(mpjpe(moved, really))


def our_joints(video: Path, pixels: Floats, lifter: str, output: Path) -> tuple[Floats, Floats]:
    """Our limbs of the person who is nearest to the truth.

    Args:
        video: The clip.
        pixels: (T, 12, 2) where the true joints are seen.
        lifter: Name or path of our lifting network.
        output: Folder for our results.

    Returns:
        Joints (T, 12, 3) m and keypoints (T, 12, 2) px, NaN where the person is not followed.
    """
    from lifter.reprojection import LIMBS_IN, LIMBS_OUT
    from pipeline.config import PipelineConfig
    from pipeline.run import process_video

    process_video(video, PipelineConfig.from_flat(lifter=lifter, render=False), output)
    with np.load(output / "poses.npz") as poses:
        index, tracks = poses["frame_index"], poses["track_id"]
        points, joints = poses["keypoints_2d"][:, LIMBS_IN], poses["joints_camera_m"][:, LIMBS_OUT]
    distance = np.linalg.norm(points - pixels[index], axis=-1).mean(1)
    mine = tracks == min(np.unique(tracks), key=lambda track: np.median(distance[tracks == track]))
    found = np.full((len(pixels), 12, 3), np.nan), np.full((len(pixels), 12, 2), np.nan)
    found[0][index[mine]], found[1][index[mine]] = joints[mine], points[mine]
    return found


def run_graph(video: Path, file: Path) -> None:
    """Write MediaPipe's world landmarks of the limbs (T, 12, 3) m, and them in the picture, px."""
    import mediapipe as mp

    graph = mp.solutions.pose.Pose(static_image_mode=False, model_complexity=1)
    limbs = [
        mp.solutions.pose.PoseLandmark[f"{side}_{limb}".upper()]
        for side in ("left", "right")
        for limb in _LIMBS
    ]
    joints, pixels = [], []
    for rgb in frames(str(video)):
        found = graph.process(rgb)
        if found.pose_landmarks is None:
            joints.append(np.full((12, 3), np.nan))
            pixels.append(np.full((12, 2), np.nan))
            continue
        height, width = rgb.shape[:2]
        world, seen = found.pose_world_landmarks.landmark, found.pose_landmarks.landmark
        joints.append(np.array([(world[i].x, world[i].y, world[i].z) for i in limbs]))
        pixels.append(np.array([(seen[i].x * width, seen[i].y * height) for i in limbs]))
    np.savez(file, joints=np.array(joints), pixels=np.array(pixels))


def read_trc(path: Path) -> Floats:
    """The limbs (T, 12, 3), left side first, in the calibration's axes: a .trc has y, z, x."""
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    names = [name for name in lines[3][2:] if name.strip()]
    rows = np.array(
        [
            [float(x or "nan") for x in line[2 : 2 + 3 * len(names)]]
            for line in lines[5:]
            if len(line) > 2
        ]
    )
    limbs = [names.index(f"{side}{limb.title()}") for side in "LR" for limb in _LIMBS]
    return rows.reshape(len(rows), len(names), 3)[:, limbs][..., [2, 0, 1]]


if __name__ == "__main__":
    sys.exit(main())
