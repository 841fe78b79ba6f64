"""Where training computes."""

import os

import torch

from core.errors import UsageError


def usable_device(name: str) -> torch.device:
    """What `--device` names, `auto` being this process' GPU if there is one; `UsageError` if torch cannot use it."""
    if name == "auto":
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: not usable ({str(error).splitlines()[0]})") from error
    return torch.device(name)


def fast_bf16(device: torch.device, channels: int) -> bool:
    """Whether bf16 products are so much faster on this device that a network of so many channels gains."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(channels >= 256 and supported())
