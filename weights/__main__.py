"""`python -m weights`: what the manifest knows, fetch it, check it."""

import sys

from core.errors import WeightsError, refusal
from core.options import Parser
from weights.store import Store


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 a file is wrong, 2 the command line is wrong.
    """
    parser = Parser(prog="python -m weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every file the manifest knows, and whether it is here")
    fetch = commands.add_parser(
        "fetch", help="fetch files that are not here yet, and print where they lie"
    )
    fetch.add_argument("names", nargs="+", metavar="NAME")
    commands.add_parser("verify", help="check the sha256 of every file that is here")
    chosen = parser.parse_args(arguments)

    store = Store()
    try:
        if chosen.command == "list":
            return _list(store)
        return _fetch(store, chosen.names) if chosen.command == "fetch" else _verify(store)
    except OSError as error:
        print(refusal(error) or error, file=sys.stderr)
        return 1


def _list(store: Store) -> int:
    """Print every file of the manifest."""
    for entry in store.entries.values():
        here = "here" if store.path(entry).is_file() else "not fetched"
        size = f"{entry.size / 1e6:.1f} MB" if entry.size else "size unknown"
        print(f"{entry.name:34} {here:12} {size:>12}  {entry.licence:14} {entry.about}")
    return 0


def _fetch(store: Store, names: list[str]) -> int:
    """Print the path of each file, fetched if need be."""
    failed = False
    for name in names:
        try:
            print(store.resolve(name))
        except WeightsError as error:
            print(error, file=sys.stderr)
            failed = True
    return int(failed)


def _verify(store: Store) -> int:
    """Check the files that are here."""
    failed = False
    for entry in store.entries.values():
        if not store.path(entry).is_file():
            print(f"{entry.name}: not fetched")
            continue
        try:
            store.verify(entry)
            print(f"{entry.name}: ok")
        except WeightsError as error:
            print(error, file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
