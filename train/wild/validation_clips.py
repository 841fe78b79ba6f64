"""Captured motion as a test of a lifter: filmed, detected with errors, lifted, compared."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from core.camera import intrinsics_from_fov, project
from core.skeletons import COCO_17, H36M_17
from core.types import CameraPoses, Floats, LifterInput
from lifter.predict import Lifter
from lifter.reprojection import LIMBS_OUT
from train.metrics import mean_velocity_error, mpjpe, n_mpjpe, p_mpjpe
from train.motion_data import bridge_gaps
from train.wild.motion.bank import BONES, PARENTS, pelvis_frame
from train.wild.motion.mocap import MOCAP_JOINTS, MotionClip
from train.wild.synthesis.detector import (
    FAST_SHARE,
    OUTLIER_CHANCE,
    OUTLIER_FACTOR,
    PLAIN_SCORE,
    keypoint_error_m,
)
from train.wild.synthesis.keypoints import coco_points

_WIDTH, _HEIGHT, _FOV_DEG, _DISTANCE_M = 1920, 1080, 55.0, 5.0
_ADULT_M = 1.70
# An adult's bones as shares of stature, each named by its lower joint. Limbs: Drillis and Contini,
# "Body segment parameters", 1966.
_SHARES = {
    "hip": 0.053, "knee": 0.245, "ankle": 0.246, "spine": 0.155, "thorax": 0.155,
    "neck_base": 0.055, "head_top": 0.10, "nose": 0.07, "shoulder": 0.11, "elbow": 0.186,
    "wrist": 0.146,
}  # fmt: skip
_STILL_M = 0.003  # per frame: the most that a standing foot moves
_SLOW_FRAMES = 5.0  # standard deviation of the slow error's smoothing
_MARGIN = 30  # frames, beyond which that smoothing does not reach
_DROP_FRAMES, _DROP_SHARE = 10, 0.02  # gaps in which a keypoint is missing, at noise 1


def on_human_bones(clip: MotionClip) -> MotionClip:
    """The same motion by an adult: every bone keeps its direction and gets an adult's length."""
    joints = clip.joints_m.copy()
    for joint in BONES:
        bone = clip.joints_m[:, joint] - clip.joints_m[:, PARENTS[joint]]
        length = _ADULT_M * _SHARES[MOCAP_JOINTS[joint].removeprefix("l_").removeprefix("r_")]
        joints[:, joint] = joints[:, PARENTS[joint]] + bone * (
            length / np.linalg.norm(bone, axis=-1, keepdims=True)
        )
    return MotionClip(clip.name, clip.fps, joints)


def film(clip: MotionClip, fps: float, pitch_deg: float, yaw_deg: float) -> Floats:
    """A clip in the space of a fixed camera that looks at the middle of the performance.

    Args:
        clip: The motion.
        fps: Frames per second to resample to, linearly.
        pitch_deg: Of the camera; positive looks down.
        yaw_deg: Of the performance before the camera.

    Returns:
        (T, 22, 3) `MOCAP_JOINTS`, metres.
    """
    step = clip.fps / fps
    times = np.arange(0, len(clip.joints_m) - 1, step)
    low = times.astype(int)
    weight = (times - low)[:, None, None]
    joints = clip.joints_m[low] * (1 - weight) + clip.joints_m[low + 1] * weight
    upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # z up → y down
    turn = Rotation.from_euler("x", pitch_deg, degrees=True).as_matrix() @ upright
    turn = turn @ Rotation.from_euler("z", yaw_deg, degrees=True).as_matrix()
    return np.asarray((joints - joints[:, 0].mean(0)) @ turn.T + [0, 0, _DISTANCE_M])


def clip_errors(lifter: Lifter, truth: Floats, noise: float, seed: int) -> dict[str, float]:
    """Lift a filmed clip that a detector saw with errors, and compare.

    Args:
        lifter: What to measure.
        truth: (T, 22, 3) `MOCAP_JOINTS` in camera space, metres.
        noise: Strength of the detector's errors.
        seed: Decides them.

    Returns:
        Errors by their names in mm, those of velocities in mm per frame; "foot skate" is NaN where
        feet never stand.
    """
    rng = np.random.default_rng(seed)
    intrinsics = intrinsics_from_fov(_WIDTH, _HEIGHT, math.radians(_FOV_DEG), "given")
    bias = torch.from_numpy(rng.standard_normal((1, 1, len(COCO_17), 3)) * noise)
    joints = torch.from_numpy(truth)
    points = coco_points(joints[None], pelvis_frame(joints)[None], bias)[0].numpy()
    points[..., :2] += noise * detector_errors(len(points), rng)
    scores = np.where(_dropped(len(points), noise, rng), 0.0, PLAIN_SCORE)
    points[scores == 0] = np.nan
    times = np.arange(len(points)) / lifter.spec.fps
    no_3d = np.full_like(points, np.nan)
    keypoints = bridge_gaps(project(points, intrinsics))
    sequence = LifterInput(times, keypoints, scores, no_3d, lifter.spec.fps, COCO_17)
    return _compare(lifter.lift(sequence, intrinsics), truth[:, : len(H36M_17)])


def detector_errors(frames: int, rng: np.random.Generator) -> Floats:
    """A detector's errors: fast jitter with rare outliers, and slow wandering.

    The fast part is that of `synthesis.detector`. The slow part is white noise smoothed by a
    Gaussian of σ frames, whose variance is 1 / (2 √π σ), and scaled to variance 1.

    Returns:
        (frames, 17, 2) metres at the person.
    """
    sigma = np.array(keypoint_error_m())[:, None]
    shape = (frames, len(COCO_17), 2)
    fast = (
        FAST_SHARE
        * rng.standard_normal(shape)
        * np.where(rng.random(shape[:2]) < OUTLIER_CHANCE, OUTLIER_FACTOR, 1.0)[..., None]
    )
    white = rng.standard_normal((frames + 2 * _MARGIN, *shape[1:]))
    slow = gaussian_filter1d(white, _SLOW_FRAMES, axis=0)[_MARGIN:-_MARGIN]
    return np.asarray((fast + slow * math.sqrt(2 * math.sqrt(math.pi) * _SLOW_FRAMES)) * sigma)


def _dropped(frames: int, noise: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(T, 17) bool: blocks of frames in which a keypoint is missing."""
    blocks = rng.random((frames // _DROP_FRAMES + 1, len(COCO_17))) < _DROP_SHARE * noise
    return blocks.repeat(_DROP_FRAMES, axis=0)[:frames]


def _compare(poses: CameraPoses, truth: Floats) -> dict[str, float]:
    """All errors of lifted poses against true joints (T, 17, 3) in camera space, in mm."""
    target = truth - truth[:, :1]
    predicted = poses.joints_m
    lengths = np.stack(
        [np.linalg.norm(predicted[:, a] - predicted[:, b], axis=-1) for a, b in H36M_17.bones], 1
    )
    errors = {
        "MPJPE": mpjpe(predicted, target),
        "PA-MPJPE": p_mpjpe(predicted, target),
        "N-MPJPE": n_mpjpe(predicted, target),
        "MPJVE": mean_velocity_error(predicted, target),
        "limbs": mpjpe(predicted[:, LIMBS_OUT], target[:, LIMBS_OUT]),
        "PA-limbs": p_mpjpe(predicted[:, LIMBS_OUT], target[:, LIMBS_OUT]),
        "root": np.linalg.norm(poses.root_m - truth[:, 0], axis=-1).mean(),
        "bone spread": lengths.std(0).mean(),
        "foot skate": foot_skate(poses.joints_m + poses.root_m[:, None], truth),
    }
    return {name: float(value) * 1000 for name, value in errors.items()}


def foot_skate(predicted: Floats, truth: Floats) -> float:
    """How far ankles slide while they stand in truth.

    The mean of ‖Δx̂_t - Δx_t‖ over frames and ankles with ‖Δx_t‖ < 3 mm, Δ being the difference of
    neighbouring frames.

    Args:
        predicted: (T, 17, 3) metres.
        truth: (T, 17, 3) metres.

    Returns:
        Metres per frame; NaN if no ankle ever stands.
    """
    ankles = H36M_17.indices(("l_ankle", "r_ankle"))
    moved, really = (np.diff(joints[:, ankles], axis=0) for joints in (predicted, truth))
    standing = np.linalg.norm(really, axis=-1) < _STILL_M
    if not standing.any():
        return math.nan
    return float(np.linalg.norm(moved - really, axis=-1)[standing].mean())
