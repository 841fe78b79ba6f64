"""Left and right across views: a view that takes one for the other disagrees with the rest.

For each view, frame and half of the body, keypoints count as exchanged where they lie clearly
nearer to the images of the other side's joints. What was lifted from such a view is of a person who
faces the other way; it counts for nothing in these frames.
"""

from dataclasses import replace

import numpy as np

from core.skeletons import Skeleton
from core.types import Floats
from pipeline.multiview.adjustment.bodies import body_links
from pipeline.multiview.adjustment.problem import Body, State, reprojected, robust

_HALVES = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "heel", "toe"))
_MARGIN = 3.0  # by which the mean loss of a keypoint has to fall
_LEAST = 1e-6  # weight


def with_sides_corrected(
    body: Body, state: State, person: int, skeleton: Skeleton, width: float
) -> Body:
    """Exchange left and right where that fits better.

    Args:
        body: One person.
        state: Cameras and joints.
        person: The body's index there.
        skeleton: The joints'.
        width: τ of the robust loss.

    Returns:
        The body with keypoints exchanged.
    """
    images = reprojected(state, state.joints[person])
    weight = body.point_weights[..., None]
    offset = (weight * (images - body.points)).sum(2, keepdims=True)
    images = images - offset / weight.sum(2, keepdims=True).clip(_LEAST)  # sides, not places
    points, weights = body.points.copy(), body.point_weights.copy()
    lifts = body.lifted_weights.copy()
    ends = body_links(skeleton).ends
    for half in _HALVES:
        joints = np.array([joint for joint, name in enumerate(skeleton.joints) if name[2:] in half])
        other = np.array(skeleton.flip_order)[joints]
        as_seen, exchanged = (
            (
                body.point_weights[..., joints]
                * _loss(images[:, :, order] - body.points[:, :, joints], body.point_px, width)
            ).sum(-1)
            for order in (joints, other)
        )  # (V, T)
        total = body.point_weights[..., joints].sum(-1)
        is_wrong = as_seen - exchanged > _MARGIN * total + _LEAST
        points[:, :, joints] = np.where(
            is_wrong[..., None, None], points[:, :, other], points[:, :, joints]
        )
        weights[:, :, joints] = np.where(
            is_wrong[..., None], weights[:, :, other], weights[:, :, joints]
        )
        lifts[:, :, np.isin(ends, joints).any(1)] *= ~is_wrong[..., None]
    return replace(body, points=points, point_weights=weights, lifted_weights=lifts)


def _loss(offsets: Floats, scale_px: Floats, width: float) -> Floats:
    """ρ of offsets (V, T, N, 2) px with their scale (V, T)."""
    return robust(((offsets / scale_px[..., None, None]) ** 2).sum(-1), width)[0]
