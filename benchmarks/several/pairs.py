"""Every pair of views of a trial, without calibration, against joints triangulated from all.

Reads what Pose2Sim keeps of a trial: a folder of synchronous videos, the joints of one person
(`.trc`) and the cameras (`.toml`), videos and cameras in the order of their names:

    python -m benchmarks.several.pairs VIDEOS FILE.trc CAMERAS.toml --singles FOLDER

`--singles` keeps the results of each view alone, which are made where they are not there. Errors
are PA-MPJPE of the twelve limb joints in mm, over frames in which six of them are known: of the
better of the views alone, of the views together, and the difference. Beside them, for the cameras
that people gave: the largest errors of rotation and of the direction of the baseline, degrees, and
of the focal length, %. The last column is MPJPE without alignment with the calibration given, the
world being that of the calibration.
"""

import argparse
import json
import tomllib
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.multiview import is_followed, project_joints, read_trc
from core.errors import InputError
from core.options import Parser
from core.skeletons import BY_NAME, COCO_21
from core.types import CameraPoses, Floats, Intrinsics
from detectors.choice import DEFAULT_DETECTOR
from lifter.reprojection import LIMBS_IN, LIMBS_OUT
from pipeline.config import PipelineConfig
from pipeline.multiview.calibration import calibrate
from pipeline.multiview.calibration_files.read import read_cameras
from pipeline.multiview.cameras import to_shared
from pipeline.multiview.scene import Calibration, Camera, FusedPerson, Sighting, View
from pipeline.multiview.triangulation import triangulate
from pipeline.run import process_video
from testkit.command_lines import existing, run_benchmark
from testkit.made.several_views import camera_errors
from train.metrics import p_mpjpe

_MIN_KNOWN = 6


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=existing, help="folder of synchronous videos")
    parser.add_argument("trc", type=existing, help="true joints, a row per frame of the videos")
    parser.add_argument("cameras", type=existing, help="calibration")
    parser.add_argument("--singles", type=Path, required=True, help="folder for single views")
    parser.add_argument("--detector", default=DEFAULT_DETECTOR, help="of single views")
    chosen = parser.parse_args()
    truth = read_trc(chosen.trc)
    known = [
        camera
        for name, camera in sorted(tomllib.loads(chosen.cameras.read_text()).items())
        if name != "metadata"
    ]
    videos = sorted(chosen.videos.glob("*.mp4"))
    views = [single_view(video, chosen.singles / video.stem, chosen.detector) for video in videos]
    fps = json.loads((chosen.singles / videos[0].stem / "report.json").read_text())["video"]["fps"]
    own = [_follower(view, truth, camera) for view, camera in zip(views, known, strict=True)]
    cameras = read_cameras(
        chosen.cameras, [view.name for view in views], [(view.width, view.height) for view in views]
    )
    print(f"{'views':12}{'better alone':>14}{'together':>10}{'change':>8}{'rotation':>10}"
          f"{'baseline':>10}{'focal':>8}{'given':>8}")  # fmt: skip
    rows = []
    numbers = range(len(views))
    for together in [*combinations(numbers, 2), *([tuple(numbers)] if len(views) > 2 else [])]:
        row = _row([views[n] for n in together], [cameras[n] for n in together],
                   [own[n] for n in together], truth, fps)  # fmt: skip
        rows.append(row)
        print(f"{' '.join(str(n + 1) for n in together):12}{_line(row)}", flush=True)
    pairs = rows[: len(list(combinations(numbers, 2)))]
    print(f"{'mean, pairs':12}{_line(np.nanmean(pairs, axis=0).tolist())}")


def single_view(video: Path, folder: Path, detector: str = DEFAULT_DETECTOR) -> View:
    """A video's view from the result of this video alone, which is made if it is not there."""
    if not (folder / "poses.npz").exists():
        process_video(video, PipelineConfig.from_flat(render=False, detector=detector), folder)
    with np.load(folder / "poses.npz") as file:
        poses = dict(file)
    metadata = json.loads(str(poses["metadata_json"]))
    lens, info = Intrinsics(**metadata["intrinsics"]), metadata["video"]
    skeleton = BY_NAME[metadata["skeletons"]["joints"]["name"]]
    sightings = []
    for track_id in np.unique(poses["track_id"]):
        rows = {name: poses[name][poses["track_id"] == track_id] for name in (
            "frame_index", "keypoints_2d", "keypoint_scores", "observed", "joints_camera_m",
            "root_camera_m", "joint_sigma_m")}  # fmt: skip
        sightings.append(
            Sighting(
                int(track_id),
                rows["frame_index"],
                rows["keypoints_2d"].astype(float),
                np.where(rows["observed"], rows["keypoint_scores"], 0.0),
                COCO_21,
                CameraPoses(
                    rows["joints_camera_m"].astype(float), rows["root_camera_m"].astype(float),
                    skeleton, rows["joint_sigma_m"].astype(float),
                ),
            )
        )  # fmt: skip
    return View(video.stem, info["width"], info["height"], lens, tuple(sightings))


def _follower(view: View, truth: Floats, camera: dict[str, Any]) -> Sighting:
    """The track that follows the true person longest."""
    _, pixels = project_joints(truth, camera)
    return max(
        view.sightings,
        key=lambda track: is_followed(track.keypoints_xy[:, LIMBS_IN], pixels[track.frames]).sum(),
    )


def _row(
    views: list[View], cameras: list[Camera], own: list[Sighting], truth: Floats, fps: float
) -> list[float]:
    """The better alone, together, change, rotation, baseline, focal, given."""
    alone = min(_aligned_mm(track.poses.joints_m, track.frames, truth) for track in own)
    found = calibrate(views, fps)
    fused = _fused(found, views, own, fps)
    together = _aligned_mm(fused.poses.joints_m, fused.frames, truth)
    return [alone, together, together - alone, *camera_errors(found.cameras, cameras),
            _given_mm(views, cameras, own, truth, fps)]  # fmt: skip


def _given_mm(
    views: list[View], cameras: list[Camera], own: list[Sighting], truth: Floats, fps: float
) -> float:
    """MPJPE in mm with known cameras; NaN where no person is seen by two of them."""
    try:
        given = calibrate(views, fps, cameras=cameras)
    except InputError:
        return np.nan
    world = _fused(given, views, own, fps)
    joints = world.poses.joints_m + world.poses.root_m[:, None]
    errors = np.linalg.norm(
        to_shared(joints, cameras[0])[:, LIMBS_OUT] - truth[world.frames, : len(LIMBS_OUT)], axis=-1
    )
    return 1000 * float(np.nanmean(errors))


def _fused(
    calibration: Calibration, views: list[View], own: list[Sighting], fps: float
) -> FusedPerson:
    """The person whom most of the given tracks follow."""
    person = max(
        calibration.people,
        key=lambda person: sum(
            track.track_id in ids for track, ids in zip(own, person.track_ids, strict=True)
        ),
    )
    sightings = [
        [track for track in view.sightings if track.track_id in ids]
        for view, ids in zip(views, person.track_ids, strict=True)
    ]
    return triangulate(calibration, person, sightings, fps)


def _aligned_mm(joints: Floats, frames: NDArray[np.int64], truth: Floats) -> float:
    """PA-MPJPE of the limbs in mm over frames in which enough of them are known."""
    limbs, true = joints[:, LIMBS_OUT], truth[frames, : len(LIMBS_OUT)]
    known = np.asarray(np.isfinite(true).all(-1))
    return 1000 * float(
        np.mean([
            p_mpjpe(limbs[None, t, known[t]], true[None, t, known[t]])
            for t in np.flatnonzero(known.sum(1) >= _MIN_KNOWN)
        ])
    )  # fmt: skip


def _line(row: list[float]) -> str:
    alone, together, change, turn, way, focal, given = row
    return (f"{alone:14.1f}{together:10.1f}{change:+8.1f}{turn:9.1f}°{way:9.1f}°{focal:7.0f}%"
            f"{given:8.1f}")  # fmt: skip


if __name__ == "__main__":
    run_benchmark(main)
