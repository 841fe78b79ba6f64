"""What benchmarks' command lines share: whatever is wrong with one is a line and exit status 2.

parser.add_argument("clip", type=existing)
parser.add_argument("--runs", type=positive(int), default=5)
...
if __name__ == "__main__":
    run_benchmark(main)
"""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from core.errors import UsageError, Video3DError

Number = TypeVar("Number", int, float)


def existing(text: str) -> Path:
    """A file or folder that is there."""
    path = Path(text)
    if not path.exists():
        raise ArgumentTypeError(f"{text}: no such file or folder")
    return path


def positive(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    """Numbers above 0, of `int` or `float`."""

    def parsed(text: str) -> Number:
        try:
            number = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is no number") from None
        if not 0 < number < float("inf"):
            raise ArgumentTypeError(f"{text} is not above 0")
        return number

    return parsed


def run_benchmark(main: Callable[[], int | None]) -> NoReturn:
    """Run a benchmark and exit: an input that cannot be used is a line and status 2."""
    try:
        sys.exit(main())
    except Video3DError as error:
        text = error.as_flags() if isinstance(error, UsageError) else str(error)
        print(f"error: {text}", file=sys.stderr)
        sys.exit(2)
