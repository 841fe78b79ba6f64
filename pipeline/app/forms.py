"""The options that the page shows: taken from the dataclasses, as the command line's are."""

from collections.abc import Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any

from core.errors import UsageError
from core.options import option_choices, parsed
from pipeline.config import PipelineConfig, all_options

SHOWN = (
    "people", "height_m", "camera", "fov", "start", "end", "smooth", "rigid_bones", "detector",
    "render",
)  # fmt: skip
"""The options that matter to people who look at one clip."""
DEFAULTS: dict[str, Any] = {"render": "none"}
"""Where the page's defaults are others: it shows clips itself."""


def described() -> list[dict[str, Any]]:
    """The shown options for the page: name, help, kind of field, choices, default, range."""
    return [_described(entry) for entry in _shown()]


def make_config(values: Mapping[str, Any], output: Path, **others: Any) -> PipelineConfig:
    """The configuration of a clip.

    Args:
        values: What the page sent: text, or True and False, by option; "" is not given.
        output: Where results go.
        others: More options.

    Raises:
        UsageError: There is no such option on the page, or its value is not allowed.
    """
    entries = {entry.name: entry for entry in _shown()}
    given = dict(DEFAULTS)
    for name, value in values.items():
        entry = entries.get(name)
        if entry is None:
            raise UsageError(f"there is no option `{name}`")
        if not isinstance(value, bool if entry.type is bool else str):
            raise UsageError(f"`{name}` is {value!r}")
        if value != "":
            given[name] = value if isinstance(value, bool) else parsed(entry, value)
    return PipelineConfig.from_flat(output=output, **given, **others)


def _shown() -> list[Field[Any]]:
    entries = {entry.name: entry for entry in all_options()}
    return [entries[name] for name in SHOWN]


def _described(entry: Field[Any]) -> dict[str, Any]:
    default = DEFAULTS.get(entry.name, entry.default)
    text = entry.metadata["help"].replace(" (default: %(default)s)", "")
    is_choice = bool(option_choices(entry)) and entry.metadata["parse"] is None
    kind = "switch" if entry.type is bool else "choice" if is_choice else "text"
    if kind == "text" and entry.metadata["parse"] is None:
        kind = "number"
    return {
        "name": entry.name,
        "help": text,
        "kind": kind,
        "choices": list(option_choices(entry)),
        "default": "" if default is None else default,
        "placeholder": entry.metadata["metavar"] or "",
        "unit": entry.metadata["unit"],
    }
