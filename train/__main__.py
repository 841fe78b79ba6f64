"""`python -m train`: train, evaluate and draw as VideoPose3D does, or one of `COMMANDS`."""

import sys
from collections.abc import Sequence
from importlib import import_module

from core.errors import UsageError, Video3DError, refusal

COMMANDS = {
    "wild": "train.wild.run",
    "validate": "train.wild.validate",
    "calibrate": "train.wild.calibration",
    "film": "train.wild.people.film",
    "pack": "train.wild.motion.pack",
    "prepare": "train.prepare.command",
}
"""Sub-command → the module whose `main` runs it; only that one is imported."""
_PUBLISHED = "train.reproduce.command"


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status."""
    try:
        return run(arguments)
    except (Video3DError, OSError) as error:
        text = refusal(error) if isinstance(error, OSError) else str(error)
        if "--debug" in arguments or text is None:
            raise
        if isinstance(error, UsageError):
            text = error.as_flags()
        print(f"error: {text}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status.

    Raises:
        Video3DError: It went wrong.
    """
    if arguments and arguments[0] in COMMANDS:
        module, rest = COMMANDS[arguments[0]], arguments[1:]
    else:
        module, rest = _PUBLISHED, arguments
    status: int = import_module(module).main(rest)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
