"""Write finished results in more formats: `python -m pipeline.export output/clip --to npz`."""

import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from core.errors import OutputError, UsageError, Video3DError, refusal
from core.options import Parser, add_flags, comma_separated
from pipeline.export.base import ExportOptions, add_exports, exporters, require_known
from pipeline.results.locks import locked
from pipeline.results.result import load_result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, 1 (a result failed) or 2 (the line is wrong)."""
    formats = "; ".join(f"{name}: {exporter.about}" for name, exporter in exporters().items())
    parser = Parser(prog="python -m pipeline.export", description=__doc__)
    parser.add_argument(
        "results", nargs="+", type=Path, metavar="RESULT", help="a folder of results"
    )
    parser.add_argument("--to", required=True, metavar="FORMAT[,…]", help=formats)
    add_flags(parser, (entry for entry in fields(ExportOptions) if entry.name != "export"))
    given = vars(parser.parse_args(arguments))
    results, to = given.pop("results"), given.pop("to")
    try:
        options = ExportOptions(**given)
        names = require_known((*comma_separated(to), *options.added))
    except UsageError as error:
        parser.error(f"--to: {error}")
    failed = False
    for folder in results:
        try:
            with locked(folder) as is_ours:
                if not is_ours:
                    raise OutputError(f"{folder}: another run is at work on it")
                written = add_exports(load_result(folder), names, options)
            print(f"{folder}: {', '.join(written)}")
        except (Video3DError, OSError) as error:
            print(f"failed: {refusal(error) or error}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
