"""The device that training computes on, whether bf16 pays there, and its memory on CPUs."""

import ctypes
import os
import sys

import torch

from core.errors import UsageError

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h


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


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for the next step of a training.

    glibc returns large blocks to the system, which then clears every page anew: a third of the time
    of steps whose activations fill megabytes. Other C libraries are left as they are.
    """
    if sys.platform != "linux":
        return
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_M_MMAP_MAX, 0)  # no block is a mapping of its own, which ends when it is freed
        adjust(_M_TRIM_THRESHOLD, 2**31 - 1)
