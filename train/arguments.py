"""Flags and checks that the command lines of training share."""

import argparse
from pathlib import Path

from core.errors import UsageError


def add_motion(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """Add `--mocap`, which is absent from what is parsed where it is not given."""
    _add_list(parser, "--mocap", "folders, archives or files of motion", Path, required)


def add_shots(parser: argparse.ArgumentParser) -> None:
    """Add `--shots`, which is absent from what is parsed where it is not given."""
    _add_list(parser, "--shots", "folders of `python -m train film`", Path)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add `--recipe`, which is absent from what is parsed where it is not given."""
    _add_list(parser, "--recipe", "change fields of the recipe", str, metavar="FIELD=X")


def _add_list(
    parser: argparse.ArgumentParser,
    flag: str,
    text: str,
    kind: type,
    required: bool = False,
    metavar: str | None = None,
) -> None:
    parser.add_argument(
        flag, nargs="+", type=kind, help=text, required=required, metavar=metavar,
        default=argparse.SUPPRESS,
    )  # fmt: skip


def filter_widths(flag: str, text: str) -> tuple[int, ...]:
    """The filter widths of a network, from a command line.

    Args:
        flag: The flag that `text` was given to, for the error message.
        text: Numbers separated by comma, such as `3,3,3`.

    Raises:
        UsageError: `text` holds something other than odd positive numbers.
    """
    try:
        widths = tuple(int(width) for width in text.split(","))
    except ValueError:
        widths = (0,)
    if any(width < 1 or width % 2 == 0 for width in widths):
        raise UsageError(f"{flag} {text}: expected odd numbers separated by comma, such as 3,3,3")
    return widths


def refuse_below(least: float, options: object, *names: str) -> None:
    """Check that options are large enough.

    Args:
        least: The smallest value that is allowed.
        options: The object whose attributes are checked.
        names: The attributes; the flag of `batch_size` is `--batch-size`.

    Raises:
        UsageError: One of them is less than `least`, or NaN; the message names its flag.
    """
    for name in names:
        if not getattr(options, name) >= least:
            raise UsageError(
                f"--{name.replace('_', '-')} {getattr(options, name):g}: expected {least:g} or more"
            )
