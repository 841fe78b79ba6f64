"""Directions and rotations as arrays: unit vectors, frames, arcs, quaternions, Euler angles, bends.

Rotations are matrices (…, 3, 3), quaternions w x y z, angles radians.
"""

import numpy as np

from core.types import Floats

_AFTER, _BEFORE = [1, 2, 0], [2, 0, 1]  # each axis, in a right-handed system


def unit_vectors(vectors: Floats) -> Floats:
    """Scale vectors (…, 3) to length 1; vectors shorter than 1e-9 stay near 0."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def cross(a: Floats, b: Floats) -> Floats:
    """The cross product of vectors (…, 3): `np.cross`, in a fraction of its time for few."""
    return np.asarray(a[..., _AFTER] * b[..., _BEFORE] - a[..., _BEFORE] * b[..., _AFTER])


def frames_of(first: Floats, first_axis: str, second: Floats, second_axis: str) -> Floats:
    """Rotations (T, 3, 3) whose columns are axes: the first as given, the second made square to it.

    Args:
        first: (T, 3) of any length.
        first_axis: Which column it is, "x", "y" or "z".
        second: (T, 3) of any length.
        second_axis: Likewise.
    """
    first = unit_vectors(first)
    second = unit_vectors(second - (second * first).sum(-1, keepdims=True) * first)
    i, j = "xyz".index(first_axis), "xyz".index(second_axis)
    columns = {i: first, j: second, 3 - i - j: np.cross(first, second) * _handedness(i, j)}
    return np.stack([columns[axis] for axis in range(3)], -1)


def shortest_arcs(start: Floats, end: Floats) -> Floats:
    """Shortest rotations between unit vectors: I + [v] + [v]² / (1 + c), v = a × b, c = a · b.

    Between opposite vectors, where any half turn is as short, it is one about an axis square to a.

    Args:
        start: a, (3,) or (T, 3).
        end: b, (3,) or (T, 3).

    Returns:
        (3, 3) or (T, 3, 3).
    """
    cosine = (start * end).sum(-1)[..., None, None]
    matrix = cross_matrix(np.cross(start, end))
    arcs = np.eye(3) + matrix + matrix @ matrix / np.maximum(1 + cosine, 1e-9)
    square = unit_vectors(np.cross(start, np.eye(3)[np.argmin(np.abs(start), -1)]))
    half_turns = 2 * square[..., :, None] * square[..., None, :] - np.eye(3)
    return np.where(cosine < -1 + 1e-7, half_turns, arcs)


def bend_two_bones(
    first_m: Floats | float,
    second_m: Floats | float,
    way_m: Floats,
    longest_m: Floats | float,
    side: Floats,
) -> tuple[Floats, Floats]:
    """Two-bone inverse kinematics: bend two bones in a row until they end where they should.

    By the law of cosines: with lengths a, b and distance c to the end, the joint between them lies
    x = (a² - b² + c²) / (2c) along the way and h = √(a² - x²) beside it. Where c is out of reach,
    the end lies on the way, as far as the bones allow.

    Args:
        first_m: a, (…, 1) metres.
        second_m: b, (…, 1) metres.
        way_m: (…, 3) from the first bone's beginning to where the second one should end.
        longest_m: (…, 1) to which the two are stretched.
        side: (…, 3) towards which they bend; what of it lies along the way does not count.

    Returns:
        Joint between them and end, (…, 3) metres each, from the first bone's beginning.
    """
    distance = np.maximum(np.linalg.norm(way_m, axis=-1, keepdims=True), 1e-9)
    along = way_m / distance
    reach = np.clip(distance, np.abs(first_m - second_m) + 1e-6, longest_m)  # c
    share = (first_m**2 - second_m**2 + reach**2) / (2 * reach)  # x
    aside = np.sqrt(np.maximum(first_m**2 - share**2, 0.0))  # h
    bend = unit_vectors(side - (side * along).sum(-1, keepdims=True) * along)
    return share * along + aside * bend, reach * along


def aligning_rotation(points: Floats, targets: Floats, weights: Floats | float = 1.0) -> Floats:
    """Rotation R that minimises Σ w |R p - q|² (Kabsch, Acta Crystallographica, 1976).

    Args:
        points: p (N, 3).
        targets: q (N, 3).
        weights: w (N,).

    Returns:
        (3, 3).
    """
    u, _, vt = np.linalg.svd((np.reshape(weights, (-1, 1)) * points).T @ targets)
    return np.asarray((u * [1, 1, np.sign(np.linalg.det(u @ vt))] @ vt).T)


def turns_about(axis: Floats, angle: Floats) -> Floats:
    """Rotations (T, 3, 3) about unit vectors (T, 3) by angles (T,): Rodrigues' formula."""
    matrix = cross_matrix(axis)
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.asarray(np.eye(3) + sine * matrix + (1 - cosine) * matrix @ matrix)


def quaternions(rotations: Floats) -> Floats:
    """Rotations (…, 3, 3) as unit quaternions (…, 4), w x y z; which of ±q is not said.

    Each is read from the largest of its four squares (Shepperd, "Quaternion from rotation matrix",
    1978).
    """
    m = np.moveaxis(rotations, (-2, -1), (0, 1))
    x, y, z = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    yz, zx, xy = m[2, 1] + m[1, 2], m[0, 2] + m[2, 0], m[1, 0] + m[0, 1]
    a, b, c = m[0, 0], m[1, 1], m[2, 2]
    rows = ((1 + a + b + c, x, y, z), (x, 1 + a - b - c, xy, zx), (y, xy, 1 - a + b - c, yz),
            (z, zx, yz, 1 - a - b + c))  # fmt: skip
    multiples = np.moveaxis(np.array(rows), (0, 1), (-2, -1))  # (…, 4, 4): 4 q_i q
    squares = np.einsum("...ii->...i", multiples)
    largest = np.argmax(squares, -1)[..., None, None]
    chosen = np.take_along_axis(multiples, largest, -2)[..., 0, :]
    return np.asarray(chosen / np.linalg.norm(chosen, axis=-1, keepdims=True))


def from_quaternions(quaternions: Floats) -> Floats:
    """Rotations (…, 3, 3) of quaternions (…, 4), w x y z, of any length but 0."""
    q = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    matrix = cross_matrix(q[..., 1:])
    return np.asarray(np.eye(3) + 2 * q[..., :1, None] * matrix + 2 * matrix @ matrix)


def rotation_vectors(rotations: Floats) -> Floats:
    """Rotations (…, 3, 3) as axis times angle (…, 3), by angles of at most half a turn."""
    q = quaternions(rotations)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, np.abs(q[..., :1]))
    return np.asarray(np.copysign(1.0, q[..., :1]) * unit_vectors(q[..., 1:]) * angle)


def from_rotation_vectors(vectors: Floats) -> Floats:
    """Rotations (…, 3, 3) of axes times angles (…, 3)."""
    half = np.linalg.norm(vectors, axis=-1, keepdims=True) / 2
    return from_quaternions(
        np.concatenate([np.cos(half), np.sin(half) * unit_vectors(vectors)], axis=-1)
    )


def euler_angles(rotations: Floats, order: str, before: Floats | None = None) -> Floats:
    """Tait-Bryan angles of rotations, turned about the axes that move along.

    R = R_i(a) R_j(b) R_k(c) for the order "ijk". There are two such triples of any rotation; a
    sequence takes those that change least from frame to frame, also through gimbal lock (b = ±90°)
    and beyond a half turn.

    Args:
        rotations: (T, …, 3, 3).
        order: Of the three axes, "ZXY" say.
        before: (…, 3) the angles of the frame before the first one, to go on from.

    Returns:
        (T, …, 3) radians, in the order of `order`.
    """
    i, j, k = ("XYZ".index(axis) for axis in order)
    sign = _handedness(i, j)
    middle = np.arcsin(np.clip(sign * rotations[..., i, k], -1.0, 1.0))
    first = np.arctan2(-sign * rotations[..., j, k], rotations[..., k, k])
    last = np.arctan2(-sign * rotations[..., i, j], rotations[..., i, i])
    angles = np.stack([first, middle, last], -1)
    if before is not None:
        angles = np.concatenate([before[None], angles])
    other = np.stack([angles[..., 0] + np.pi, np.pi - angles[..., 1], angles[..., 2] + np.pi], -1)
    same_step = np.abs(_wrapped(np.diff(angles, axis=0))).sum(-1)
    other_step = np.abs(_wrapped(other[1:] - angles[:-1])).sum(-1)
    changes = np.concatenate([np.zeros((1, *same_step.shape[1:]), bool), other_step < same_step])
    takes_other = np.cumsum(changes, 0) % 2 == 1
    chosen = np.unwrap(np.where(takes_other[..., None], other, angles), axis=0)
    return np.asarray(chosen if before is None else chosen[1:])


def _wrapped(angles: Floats) -> Floats:
    """The same angles in -π…π."""
    return np.asarray((angles + np.pi) % (2 * np.pi) - np.pi)


def cross_matrix(v: Floats) -> Floats:
    """[v] of vectors (…, 3): [v] u = v × u."""
    matrix = np.zeros((*v.shape, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        matrix[..., k, j], matrix[..., j, k] = v[..., i], -v[..., i]
    return matrix


def _handedness(i: int, j: int) -> float:
    """1 where axes i and j follow each other (x y, y z, z x), else -1."""
    return 1.0 if (j - i) % 3 == 1 else -1.0
