"""`csv`: tidy rows of text, and beside them what the columns are (W3C's CSV on the Web)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from pipeline.export.base import Exporter
from pipeline.export.tables.tidy import AXES, Column, Rows, tables
from pipeline.results.result import Result

_DATATYPES: dict[type, str] = {
    np.int64: "integer", np.float64: "double", np.float32: "double", np.bool_: "boolean",
    str: "string",
}  # fmt: skip
_DECIMALS = {"s": "%.6f", "m": "%.4f"}


class CsvExporter(Exporter):
    """Comma-separated values as RFC 4180 has them, with `<name>-metadata.json` beside each."""

    name = "csv"
    about = "a row a person, frame and joint, for spreadsheets and notebooks"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        for name, columns, rows in tables(result, self.options.measures):
            _write(folder / f"{name}.csv", columns, rows)


def _write(path: Path, columns: Sequence[Column], rows: Iterator[Rows]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.name for column in columns) + "\n")
        for part in rows:
            texts = (_texts(part[column.name], column) for column in columns)
            file.writelines(",".join(line) + "\n" for line in zip(*texts, strict=True))
    sidecar = path.with_name(f"{path.name}-metadata.json")
    sidecar.write_text(json.dumps(_metadata(path.name, columns), indent=1) + "\n", "utf-8")


def _texts(values: Any, column: Column) -> list[str]:
    """A column's values as text; empty where they are missing."""
    if column.kind is str:
        return list(values)
    if column.kind is np.bool_:
        return ["true" if value else "false" for value in values.tolist()]
    if column.kind is np.int64:
        return list(map(str, values.tolist()))
    style = _DECIMALS.get(column.unit, "%.5g")
    return ["" if value != value else style % value for value in values.tolist()]


def _metadata(name: str, columns: Sequence[Column]) -> dict[str, Any]:
    """What the table is, in the vocabulary of https://www.w3.org/TR/tabular-metadata/."""
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": quote(name),
        "dc:description": AXES,
        "tableSchema": {
            "columns": [
                {
                    "name": column.name,
                    "datatype": _DATATYPES[column.kind],
                    "dc:description": column.about,
                    **({"schema:unitText": column.unit} if column.unit else {}),
                }
                for column in columns
            ]
        },
    }
