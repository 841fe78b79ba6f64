"""Random tensors of one generator, and rotations of many vectors at once."""

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
    """(…, 3, 3) times (…, 3), summed column by column: faster than millions of tiny products."""
    x, y, z = vectors[..., :1], vectors[..., 1:2], vectors[..., 2:]
    turned: Tensor = matrix[..., 0] * x + matrix[..., 1] * y + matrix[..., 2] * z
    return turned
