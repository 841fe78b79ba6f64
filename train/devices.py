"""The device that training computes on, and whether bf16 pays there."""

import os

import torch

from core.errors import UsageError


def usable_device(name: str) -> torch.device:
    """The device of `--device`.

    Args:
        name: A name that torch knows, or `auto`: the GPU of this process (`LOCAL_RANK` under
            `torchrun`) if there is one, else the CPU.

    Raises:
        UsageError: torch cannot allocate memory there.
    """
    if name == "auto":
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: not usable ({str(error).splitlines()[0]})") from error
    return torch.device(name)


def fast_bf16(device: torch.device, channels: int) -> bool:
    """Whether a network trains faster in bf16 than in fp32.

    Args:
        device: Where it is trained: a GPU or a CPU with bf16 instructions of its own.
        channels: The network's hidden channels. On CPUs, products of narrow layers are too small to
            gain.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(channels >= 256 and supported())
