"""Random tensors of one generator, and rotations of many vectors at once."""

from collections.abc import Sequence

import torch
from torch import Tensor


class RandomTensors:
    """Draws tensors on the generator's device; every draw moves the generator on."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.device = generator.device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Numbers in `low`…`high`."""
        return torch.rand(shape, generator=self.generator, device=self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        """Numbers of mean 0 and variance 1."""
        return torch.randn(shape, generator=self.generator, device=self.device)

    def chance(self, share: float, *shape: int) -> Tensor:
        """Bools that are true with probability `share`."""
        return self.uniform(*shape) < share

    def index(self, high: int, *shape: int) -> Tensor:
        """Integers from 0 to below `high`."""
        return torch.randint(high, shape, generator=self.generator, device=self.device)

    def permutation(self, size: int) -> Tensor:
        """The integers below `size` in random order."""
        return torch.randperm(size, generator=self.generator, device=self.device)


def rotation_from_vector(vector: Tensor) -> Tensor:
    """Rotation matrices of rotation vectors, by Rodrigues' formula.

    R = I + sin θ [k]× + (1 - cos θ) [k]×², with the angle θ = ‖v‖ and the axis k = v / θ.

    Args:
        vector: (B, 3) axis times angle, radians.

    Returns:
        (B, 3, 3).
    """
    angle = vector.norm(dim=-1)[:, None, None].clamp(min=1e-8)
    x, y, z = (vector / angle[:, 0]).unbind(-1)
    zero = torch.zeros_like(x)
    k = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)  # [k]×
    turned: Tensor = (
        torch.eye(3, device=vector.device) + angle.sin() * k + (1 - angle.cos()) * (k @ k)
    )
    return turned


def apply_matrices(matrix: Tensor, vectors: Tensor) -> Tensor:
    """(…, 3, 3) times (…, 3), component by component: faster than millions of tiny products.

    Args:
        matrix: (B, T, N, 3, 3); B, T or N may be 1, here and in `vectors`.
        vectors: (B, T, N, 3).

    Returns:
        (B, T, N, 3), in memory as `empty_points` has it.
    """
    sizes = [max(two) for two in zip(matrix.shape[:3], vectors.shape[:3], strict=True)]
    turned = empty_points([*sizes, 3], vectors)
    x, y, z = vectors.unbind(-1)
    for component, row in zip(turned.unbind(-1), matrix.unbind(-2), strict=True):
        torch.mul(row[..., 0], x, out=component)
        component.addcmul_(row[..., 1], y).addcmul_(row[..., 2], z)
    return turned


def empty_points(shape: Sequence[int], like: Tensor) -> Tensor:
    """(B, T, N, D) to be filled, of the type of `like`; in memory (N, D, B, T).

    All windows' frames of a point's component are one row, and so are those of what is broadcast to
    points: torch does arithmetic on long rows. Its results keep the order.
    """
    size, frames, points, components = shape
    return like.new_empty(points, components, size, frames).permute(2, 3, 0, 1)


def as_points(vectors: Tensor) -> Tensor:
    """(B, T, N, D), in memory as `empty_points` has it."""
    return empty_points(vectors.shape, vectors).copy_(vectors)


def cross(a: Tensor, b: Tensor) -> Tensor:
    """a × b of vectors (B, T, 3)."""
    (x, y, z), (u, v, w) = a.unbind(-1), b.unbind(-1)
    return torch.stack([y * w - z * v, z * u - x * w, x * v - y * u]).movedim(0, -1)


def lengths(vectors: Tensor) -> Tensor:
    """(…, 1) of vectors (…, 3), for which `norm` takes ten times longer."""
    return vectors.square().sum(-1, keepdim=True).sqrt()
