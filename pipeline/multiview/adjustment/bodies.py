"""Sightings → the arrays of `bundle.Body`: one person's keypoints and lifts in all views."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.rotations import unit_vectors
from core.skeletons import Skeleton
from core.types import Floats
from pipeline.lifting.resampling import to_frame_times
from pipeline.multiview.adjustment.problem import MIN_DEPTH_M, Body, Links
from pipeline.multiview.adjustment.terms import KEYPOINT_M
from pipeline.multiview.cameras import undistorted_rays
from pipeline.multiview.scene import Camera, Sighting

_UNSURE = 3.0  # by how much a keypoint of score 0 is less sure than one of score 1, which adds 1
_FOOT_WEIGHT = 0.3  # keypoints of feet are seen on the shoe, joints lie on the sole
_PELVIS_WEIGHT = 0.1  # beside the hips'
_OWN_SHARE = 0.7  # least share of a link in the 68 % radius of its lower joint
_DEFAULT_LINK_M = 0.08  # of lifters that do not say
_DISAGREE_M, _DISAGREE = 0.15, 1.5  # spread of a shape over views: at all, and beside the usual
_MIN_SEEN = 1.5  # weights of keypoints from which a root can be found
_CROSS_LINKS = (("l_hip", "r_hip"), ("l_shoulder", "r_shoulder"), ("l_heel", "l_toe"),
                ("r_heel", "r_toe"))  # fmt: skip


@cache
def body_links(skeleton: Skeleton) -> Links:
    """The bones of a skeleton, by their lower joints, and what else is rigid."""
    ends = [*skeleton.bones, *((skeleton.index(a), skeleton.index(b)) for a, b in _CROSS_LINKS
                               if a in skeleton.joints)]  # fmt: skip
    mirror = skeleton.flip_order
    keys = [min(_sorted(p, c), _sorted(mirror[p], mirror[c])) for p, c in ends]
    names = sorted(set(keys))
    return Links(np.array(ends), np.array([names.index(key) for key in keys]))


def _sorted(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)


@cache
def keypoint_joints(keypoints: Skeleton, joints: Skeleton) -> tuple[list[int], list[int]]:
    """Indices of keypoints and of the joints that they lie on."""
    pairs = [
        (index, joints.index(name))
        for index, name in enumerate(map(_joint_name, keypoints.joints))
        if name in joints.joints
    ]
    return [k for k, _ in pairs], [j for _, j in pairs]


def _joint_name(keypoint: str) -> str:
    return keypoint.replace("left_", "l_").replace("right_", "r_").replace("big_", "")


def keypoint_weights(scores: Floats) -> Floats:
    """Weights 1/(1 + c (1 - s))² of keypoints with scores s; 0 for 0."""
    return np.where(scores > 0, 1 / (1 + _UNSURE * (1 - scores)) ** 2, 0.0)


def body_of(
    sightings: Sequence[Sequence[Sighting]],
    frames: NDArray[np.int64],
    cameras: Sequence[Camera],
    skeleton: Skeleton,
) -> tuple[Body, Floats]:
    """Arrays of one person.

    Args:
        sightings: Of each view, the person's tracks.
        frames: (T,) the shared frames that are wanted.
        cameras: (V,) as far as known; only lenses are used.
        skeleton: Of the joints.

    Returns:
        The body, and the lifted joints (V, T, J, 3) metres in camera axes, NaN where there are
        none.
    """
    views, count, joints = len(sightings), len(frames), len(skeleton)
    links = body_links(skeleton)
    parents, children = links.ends.T
    points = np.zeros((views, count, joints, 2))
    weights = np.zeros((views, count, joints))
    lifted = np.full((views, count, joints, 3), np.nan)
    radius = np.full((views, count, len(links.ends)), _DEFAULT_LINK_M)
    for view, (tracks, camera) in enumerate(zip(sightings, cameras, strict=True)):
        for track in tracks:
            _, at, own = np.intersect1d(frames, track.frames, return_indices=True)
            keypoints, targets = keypoint_joints(track.keypoint_skeleton, skeleton)
            rays = undistorted_rays(track.keypoints_xy[own][:, keypoints], camera)
            weight = keypoint_weights(track.scores[own][:, keypoints])
            is_seen = np.asarray(np.isfinite(rays).all(-1))
            rays, weight = np.where(is_seen[..., None], rays, 0.0), np.where(is_seen, weight, 0.0)
            shape = track.poses.joints_m[own]
            root = _root_on_rays(shape[:, targets], rays, weight, track.poses.root_m[own])
            points[view, at[:, None], targets] = rays * camera.intrinsics.fx
            weights[view, at[:, None], targets] = weight
            lifted[view, at] = shape + root[:, None]
            sigma = track.poses.sigma_m[own] ** 2
            own_radius = np.sqrt(
                np.maximum(
                    sigma[:, children] - sigma[:, parents], _OWN_SHARE**2 * sigma[:, children]
                )
            )
            radius[view, at] = np.where(np.isfinite(own_radius), own_radius, _DEFAULT_LINK_M)
    feet = [joint for joint, name in enumerate(skeleton.joints) if name[2:] in ("heel", "toe")]
    weights[..., feet] *= _FOOT_WEIGHT
    # The pelvis is the middle of the hips
    hips = skeleton.indices(("l_hip", "r_hip"))
    points[..., 0, :] = points[..., hips, :].mean(-2)
    weights[..., 0] = _PELVIS_WEIGHT * weights[..., hips].min(-1)

    ways = lifted[:, :, children] - lifted[:, :, parents]
    spans = np.linalg.norm(ways, axis=-1).reshape(-1, len(links.ends))
    root = np.nan_to_num(lifted[:, :, 0], nan=1.0)
    focals = np.array([camera.intrinsics.fx for camera in cameras])
    body = Body(
        points,
        weights,
        KEYPOINT_M * focals[:, None] / root[..., 2].clip(MIN_DEPTH_M),
        np.nan_to_num(ways),
        radius,
        np.isfinite(ways).all(-1).astype(float),
        unit_vectors(root),
        np.array([np.log(np.nanmedian(spans[:, links.groups == g])) for g in range(links.lengths)]),
    )
    return body, lifted


def _root_on_rays(shape: Floats, rays: Floats, weights: Floats, otherwise: Floats) -> Floats:
    """The root from which a shape is seen on its rays, frame by frame, by linear least squares.

    A joint X at root t lies on the ray (u, v, 1) when t_x - u t_z = u X_z - X_x, and so for y.

    Args:
        shape: (T, N, 3) metres from the root.
        rays: (T, N, 2) x/z and y/z.
        weights: (T, N).
        otherwise: (T, 3) metres, where too few joints are seen or the answer is behind the camera.

    Returns:
        (T, 3) metres in camera axes.
    """
    one, none = np.ones_like(weights), np.zeros_like(weights)
    rows = np.stack(
        [np.stack([one, none, -rays[..., 0]], -1), np.stack([none, one, -rays[..., 1]], -1)], -2
    )  # (T, N, 2, 3)
    right = rays * shape[..., 2:] - shape[..., :2]
    matrix = np.einsum("tn,tnij,tnik->tjk", weights, rows, rows)
    vector = np.einsum("tn,tnij,tni->tj", weights, rows, right)
    is_determined = weights.sum(1) > _MIN_SEEN
    matrix[~is_determined] = np.eye(3)
    root = np.linalg.solve(matrix + 1e-9 * np.eye(3), vector[..., None])[..., 0]
    is_determined &= root[:, 2] > MIN_DEPTH_M
    return np.where(is_determined[:, None], root, otherwise)


def mean_joints(lifted: Floats, rotations: Floats, translations: Floats) -> Floats:
    """Where views together see joints: the mean of their lifts, in shared axes.

    In frames in which the shapes of two views disagree much more than usual, one of them takes
    left for right, say; there the shape is interpolated from the frames around.

    Args:
        lifted: (V, T, J, 3) metres in camera axes, NaN where there are none.
        rotations: (V, 3, 3) of the cameras.
        translations: (V, 3) metres.

    Returns:
        (T, J, 3) metres; 0 where no view has a lift.
    """
    shared = (lifted - translations[:, None, None]) @ rotations[:, None]
    known = np.asarray(np.isfinite(shared).all((2, 3)))[..., None, None]
    count = known.sum(0).clip(1)
    joints = np.where(known, shared, 0.0).sum(0) / count
    root, shape = joints[:, :1], joints - joints[:, :1]
    offsets = np.where(known, shared - shared[:, :, :1] - shape, 0.0)
    spread = np.sqrt((offsets**2).sum((0, 2, 3)) / count[:, 0, 0] / lifted.shape[2])
    agrees = spread <= max(_DISAGREE_M, _DISAGREE * float(np.median(spread)))
    frames = np.arange(float(len(joints)))
    return np.asarray(root + to_frame_times(shape[agrees], frames[agrees], frames))


def bone_lengths_m(lengths_m: Floats, skeleton: Skeleton) -> Floats:
    """(J,) metres by the lower joint of each bone, of the lengths (groups,) of `body_links`."""
    links = body_links(skeleton)
    bones = len(skeleton.bones)
    by_joint = np.zeros(len(skeleton))
    by_joint[links.ends[:bones, 1]] = lengths_m[links.groups[:bones]]
    return by_joint
