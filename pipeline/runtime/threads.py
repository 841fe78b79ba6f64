"""How many threads the libraries that compute may use in this process."""

import cv2


def limit_threads(count: int) -> None:
    """Let OpenCV use `count` threads for the rest of the process.

    NumPy and torch follow the variable OMP_NUM_THREADS, which a worker is started with; LiteRT's
    threads are an option of its detector.
    """
    cv2.setNumThreads(count)
