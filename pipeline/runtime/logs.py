"""Log lines on stderr, as text or as JSON, each with the run's id.

LOG.warning("%s: no sound", clip, extra={"clip": clip})
"""

import json
import logging
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LOG = logging.getLogger("video3d")

LEVELS = ("debug", "info", "warning", "error")

_WORDS = {
    logging.ERROR: "failed",
    logging.WARNING: "warning",
    logging.INFO: "info",
    logging.DEBUG: "debug",
}


@dataclass(frozen=True)
class LogOptions:
    """How all processes of a run log."""

    level: str = "warning"
    """The least of `LEVELS` that is shown."""
    as_json: bool = False
    """Whether lines are JSON objects."""
    run_id: str = field(default_factory=lambda: secrets.token_hex(4))
    """Marks the lines of this run."""


def start_logging(options: LogOptions) -> None:
    """Send this process's log to stderr.

    Args:
        options: Level, format and run id.
    """
    handler = _Stderr()
    handler.setFormatter(_Json(options.run_id) if options.as_json else _Text(options.run_id))
    LOG.handlers[:] = [handler]
    LOG.setLevel(options.level.upper())
    LOG.propagate = False


def counted(number: int, one: str, several: str) -> str:
    """A number with its noun: "1 frame", "2 frames"."""
    return f"{number} {one if number == 1 else several}"


def printable(text: object) -> str:
    """Spell out control characters and undecodable bytes, which names of files may hold."""
    return "".join(
        character if character.isprintable() else _escaped(character) for character in str(text)
    )


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # how Python carries a byte of a name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


class _Text(logging.Formatter):
    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_WORDS[record.levelno]}: {printable(record.getMessage())} [{self._run_id}]"
        trace = getattr(record, "trace", "")
        return f"{line}\n{trace.rstrip()}" if trace else line


class _Json(logging.Formatter):
    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "run": self._run_id,
            "process": record.process,
            "message": record.getMessage(),
        }
        line |= {
            name: str(getattr(record, name))
            for name in ("clip", "trace")
            if getattr(record, name, "")
        }
        return json.dumps(line)


class _Stderr(logging.Handler):
    """Writes each record at once, above the progress bars where there are any."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm  # takes a while to load

        tqdm.write(self.format(record), file=sys.stderr)
