"""SIGTERM ends a process as an exception does, so that half-made files are deleted."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

RESEND_AFTER_S = 0.05


def end_on_sigterm() -> None:
    """Make SIGTERM raise `SystemExit` in the main thread, with the status shells expect (143)."""
    signal.signal(signal.SIGTERM, _exit)
    sys.unraisablehook = _resend_or_report


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _resend_or_report(unraisable: Any) -> None:
    """Send the signal again where Python swallowed its `SystemExit`, as it does in `__del__`."""
    if isinstance(unraisable.exc_value, SystemExit):
        threading.Timer(RESEND_AFTER_S, os.kill, (os.getpid(), signal.SIGTERM)).start()
    else:
        sys.__unraisablehook__(unraisable)
