"""The description of a preparation command; the modules of this package make them."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def name_flag(parser: argparse.ArgumentParser) -> None:
    """Add the flag of commands that make archives of 2D keypoints."""
    parser.add_argument(
        "--name",
        required=True,
        metavar="NAME",
        help="the detections' name, for -k; for 2d-h36m and 2d-humaneva it tells their program: "
        "cpn, detectron or sh",
    )


@dataclass(frozen=True)
class Command:
    """A sub-command of `python -m train prepare`."""

    name: str
    run: Callable[..., None]
    """Called with the flags' values by name: `source`, `data_dir`, `overwrite` and those that
    `add_flags` adds."""
    help: str
    """The input that it reads."""
    add_flags: Callable[[argparse.ArgumentParser], None] | None = None
    """Adds the command's own flags."""
    many_sources: bool = False
    """Whether `source` is a list of paths."""

    def add_to(self, commands: "argparse._SubParsersAction[Any]") -> None:
        """Add a parser for this command's flags."""
        parser = commands.add_parser(self.name, help=self.help, description=self.help)
        nargs = "+" if self.many_sources else None
        parser.add_argument("source", type=Path, nargs=nargs, metavar="SOURCE")
        parser.add_argument(
            "--data-dir", type=Path, default=Path("data"), metavar="DIR", help="where archives go"
        )
        parser.add_argument(
            "--overwrite", action="store_true", help="replace archives that are there"
        )
        parser.add_argument(
            "--debug", action="store_true", help="show the whole traceback of an error"
        )
        if self.add_flags is not None:
            self.add_flags(parser)
