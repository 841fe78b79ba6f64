"""`python -m train prepare …`: bring data sets into the archives that training reads.

A new command is a `Command` in the `COMMANDS` of a module beside this one, and a new module's name
stands in `_MODULES`.
"""

from collections.abc import Sequence
from importlib import import_module

from core.limits import memory_limited
from core.options import Parser
from train.prepare.base import Command

_MODULES = ("h36m", "humaneva", "custom")
MAX_MEMORY_BYTES = 8 << 30
"""Of a preparation: the libraries that read MATLAB's, CDF's and HDF5's files believe them."""


def main(arguments: Sequence[str]) -> int:
    """Run one preparation; returns the exit status."""
    commands: dict[str, Command] = {
        command.name: command
        for module in _MODULES
        for command in import_module(f"train.prepare.{module}").COMMANDS
    }
    parser = Parser("python -m train prepare", description=__doc__.partition("\n")[0])
    parsers = parser.add_subparsers(dest="command", required=True)
    for command in commands.values():
        command.add_to(parsers)
    flags = vars(parser.parse_args(arguments))
    del flags["debug"]  # the caller's concern
    with memory_limited(MAX_MEMORY_BYTES):
        commands[flags.pop("command")].run(**flags)
    return 0
