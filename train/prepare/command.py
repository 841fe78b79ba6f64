"""`python -m train prepare …`: bring data sets into the archives that training reads.

A new command is a `Command` in the `COMMANDS` of a module beside this one, and a new module's name
stands in `_MODULES`.
"""

import argparse
from collections.abc import Sequence
from importlib import import_module

from train.prepare.base import Command

_MODULES = ("h36m", "humaneva", "custom")


def main(arguments: Sequence[str]) -> int:
    """Run one preparation; returns the exit status."""
    commands: dict[str, Command] = {
        command.name: command
        for module in _MODULES
        for command in import_module(f"train.prepare.{module}").COMMANDS
    }
    parser = argparse.ArgumentParser(
        "python -m train prepare", description=__doc__.partition("\n")[0]
    )
    parsers = parser.add_subparsers(dest="command", required=True)
    for command in commands.values():
        command.add_to(parsers)
    flags = vars(parser.parse_args(arguments))
    del flags["debug"]  # the caller's concern
    commands[flags.pop("command")].run(**flags)
    return 0
