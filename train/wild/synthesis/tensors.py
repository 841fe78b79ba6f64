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

    Returns:
        (…, 3), in memory as `by_component` has it.
    """
    x, y, z = vectors.unbind(-1)
    rows = [row[..., 0] * x + row[..., 1] * y + row[..., 2] * z for row in matrix.unbind(-2)]
    return by_component(rows)


def by_component(components: Sequence[Tensor]) -> Tensor:
    """(…, N, D) of D components (…, N), which stay rows of N numbers in memory.

    What is done to all vectors is then done to long rows; results keep that order.
    """
    return torch.stack(list(components), -2).transpose(-2, -1)


def by_joint(joints: Sequence[Tensor]) -> Tensor:
    """(…, N, D) of N joints (…, D), in memory as `by_component` has it."""
    return torch.stack(list(joints), -1).transpose(-2, -1)


def cross(a: Tensor, b: Tensor) -> Tensor:
    """a × b of vectors (…, 3)."""
    (x, y, z), (u, v, w) = a.unbind(-1), b.unbind(-1)
    return torch.stack([y * w - z * v, z * u - x * w, x * v - y * u], -1)


def lengths(vectors: Tensor) -> Tensor:
    """(…, 1) of vectors (…, 3), for which `norm` takes ten times longer."""
    return vectors.square().sum(-1, keepdim=True).sqrt()
