"""Captured motion as a test of a lifter: filmed, detected with errors, lifted, compared."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from core.camera import intrinsics_from_fov, project
from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21
from core.types import CameraPoses, Floats, Intrinsics, LifterInput
from lifter.predict import Lifter
from lifter.reprojection import LIMBS_OUT
from train.metrics import mean_velocity_error, mpjpe, n_mpjpe, p_mpjpe, procrustes_align
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
    "wrist": 0.146, "heel": 0.054, "toe": 0.118,
}  # fmt: skip
_HEELS, _TOES = (H36M_21.indices((f"l_{part}", f"r_{part}")) for part in ("heel", "toe"))
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


def clip_errors(
    lifter: Lifter, truth: Floats, noise: float, seed: int, with_feet: bool = True
) -> dict[str, float]:
    """Lift a filmed clip that a detector saw with errors, and compare.

    Args:
        lifter: What to measure.
        truth: (T, 22, 3) `MOCAP_JOINTS` in camera space, metres.
        noise: Strength of the detector's errors.
        seed: Decides them.
        with_feet: Whether the detector sees heels and toes.

    Returns:
        Errors by their names in mm, those of velocities in mm per frame and of the feet's
        directions in degrees; "foot skate" is NaN where feet never stand. All but those of the feet
        are of Human3.6M-17.
    """
    sequence, intrinsics = detected(truth, lifter.spec.fps, noise, seed, with_feet)
    return _compare(lifter.lift(sequence, intrinsics), truth[:, : len(H36M_21)])


def detected(
    truth: Floats, fps: float, noise: float, seed: int, with_feet: bool = True
) -> tuple[LifterInput, Intrinsics]:
    """What a detector says of a filmed clip, and the camera; arguments as for `clip_errors`."""
    intrinsics = intrinsics_from_fov(_WIDTH, _HEIGHT, math.radians(_FOV_DEG), "given")
    joints = torch.from_numpy(truth)
    # Feet have random numbers of their own: all else is seen the same without them.
    body, feet = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    counts = len(COCO_17), len(COCO_21) - len(COCO_17)
    bias = [rng.standard_normal((1, 1, n, 3)) for rng, n in zip((body, feet), counts, strict=True)]
    shifts = torch.from_numpy(np.concatenate(bias, 2) * noise)
    points = coco_points(joints[None], pelvis_frame(joints)[None], shifts)[0].numpy()
    sigma = np.split(np.array(keypoint_error_m()), [len(COCO_17)])
    errors, drops = [], []
    for rng, own in zip((body, feet), sigma, strict=True):
        errors.append(detector_errors(len(points), own, rng))
        drops.append(_dropped(len(points), len(own), noise, rng))
    points[..., :2] += noise * np.concatenate(errors, 1)
    scores = np.where(np.concatenate(drops, 1), 0.0, PLAIN_SCORE)
    if not with_feet:
        scores[:, len(COCO_17) :] = 0.0
    points[scores == 0] = np.nan
    times = np.arange(len(points)) / fps
    keypoints = bridge_gaps(project(points, intrinsics))
    no_3d = np.full_like(points, np.nan)
    return LifterInput(times, keypoints, scores, no_3d, fps, COCO_21), intrinsics


def detector_errors(frames: int, sigma_m: Floats, rng: np.random.Generator) -> Floats:
    """A detector's errors: fast jitter with rare outliers, and slow wandering.

    The fast part is that of `synthesis.detector`. The slow part is white noise smoothed by a
    Gaussian of σ frames, whose variance is 1 / (2 √π σ), and scaled to variance 1.

    Args:
        frames: T.
        sigma_m: (K,) the slow error's standard deviation of each keypoint, metres.
        rng: Decides them.

    Returns:
        (frames, K, 2) metres at the person.
    """
    sigma = sigma_m[:, None]
    shape = (frames, len(sigma_m), 2)
    fast = (
        FAST_SHARE
        * rng.standard_normal(shape)
        * np.where(rng.random(shape[:2]) < OUTLIER_CHANCE, OUTLIER_FACTOR, 1.0)[..., None]
    )
    white = rng.standard_normal((frames + 2 * _MARGIN, *shape[1:]))
    slow = gaussian_filter1d(white, _SLOW_FRAMES, axis=0)[_MARGIN:-_MARGIN]
    return np.asarray((fast + slow * math.sqrt(2 * math.sqrt(math.pi) * _SLOW_FRAMES)) * sigma)


def _dropped(
    frames: int, keypoints: int, noise: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(T, K) bool: blocks of frames in which a keypoint is missing."""
    blocks = rng.random((frames // _DROP_FRAMES + 1, keypoints)) < _DROP_SHARE * noise
    return blocks.repeat(_DROP_FRAMES, axis=0)[:frames]


def _compare(poses: CameraPoses, truth: Floats) -> dict[str, float]:
    """All errors of lifted poses against true joints (T, 21, 3) in camera space."""
    whole = truth - truth[:, :1]
    target, predicted = (joints[:, : len(H36M_17)] for joints in (whole, poses.joints_m))
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
    in_mm = {name: float(value) * 1000 for name, value in errors.items()}
    return in_mm | (_foot_errors(poses.joints_m, whole) if poses.skeleton == H36M_21 else {})


def _foot_errors(predicted: Floats, target: Floats) -> dict[str, float]:
    """Errors of heels and toes of joints (T, 21, 3) from the pelvis.

    "PA-feet" is their distance after `procrustes_align` of all 21 joints, mm; "foot direction" the
    median angle between lifted and true heel-to-toe directions, degrees, unaligned.
    """
    aligned = procrustes_align(predicted, target)
    directions = [joints[:, _TOES] - joints[:, _HEELS] for joints in (predicted, target)]
    a, b = (each / np.linalg.norm(each, axis=-1, keepdims=True) for each in directions)
    angles = np.degrees(np.arccos((a * b).sum(-1).clip(-1, 1)))
    off = np.linalg.norm(aligned - target, axis=-1)[:, [*_HEELS, *_TOES]]
    return {"PA-feet": float(off.mean()) * 1000, "foot direction": float(np.median(angles))}


def foot_skate(predicted: Floats, truth: Floats) -> float:
    """How far ankles slide while they stand in truth.

    The mean of ‖Δx̂_t - Δx_t‖ over frames and ankles with ‖Δx_t‖ < 3 mm, Δ being the difference of
    neighbouring frames.

    Args:
        predicted: (T, J, 3) metres.
        truth: (T, J, 3) metres; both begin with Human3.6M-17.

    Returns:
        Metres per frame; NaN if no ankle ever stands.
    """
    ankles = H36M_17.indices(("l_ankle", "r_ankle"))
    moved, really = (np.diff(joints[:, ankles], axis=0) for joints in (predicted, truth))
    standing = np.linalg.norm(really, axis=-1) < _STILL_M
    if not standing.any():
        return math.nan
    return float(np.linalg.norm(moved - really, axis=-1)[standing].mean())
