"""How many threads the libraries that compute may use in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import torch


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads inside the block, and as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def limit_threads(count: int) -> None:
    """Let torch and OpenCV use `count` threads each, for the rest of the process.

    LiteRT's threads are an option of its detector.
    """
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
