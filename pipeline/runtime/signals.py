"""SIGTERM ends a process as an exception does: what is half-made is cleared away."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

AGAIN_AFTER_S = 0.05


def end_on_sigterm() -> None:
    """From now on SIGTERM raises `SystemExit` with the status that shells expect, wherever the main thread is."""
    signal.signal(signal.SIGTERM, _leave)
    sys.unraisablehook = _again_or_told


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _again_or_told(unraisable: Any) -> None:
    """Python swallows what is raised while it deletes an object: a signal that came then is sent again."""
    if isinstance(unraisable.exc_value, SystemExit):
        threading.Timer(AGAIN_AFTER_S, os.kill, (os.getpid(), signal.SIGTERM)).start()
    else:
        sys.__unraisablehook__(unraisable)
