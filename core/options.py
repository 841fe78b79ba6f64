"""Options: frozen dataclasses whose fields know their help, their range and their flag.

A stage of the program declares its options once, as fields made by `option`. From these come the
checks that Python callers get (`check_options`) and the flags of a command line (`add_flags`).
A field `height_m` is the flag `--height-m`. Errors name fields in backticks, as Python callers know
them; `UsageError.as_flags` turns them into flags.
"""

import argparse
import math
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

from core.errors import UsageError, escaped


def option(
    default: Any,
    help: str,
    *,
    short: str = "",
    metavar: str | None = None,
    choices: Sequence[str] | Callable[[], Sequence[str]] = (),
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    unit: str = "",
    parse: Callable[[str], Any] | None = None,
    const: Any = None,
    off: Any = None,
) -> Any:
    """A dataclass field that is an option.

    Args:
        default: Its value where none is given; None for "not given".
        help: One line for people; `%(default)s` stands for the default.
        short: A second name of the flag, with its dash (`-e`).
        metavar: What the flag's help shows for the value.
        choices: The values that are allowed, besides None; a function where they are known late.
        at_least, above, at_most, below: The range of a number: `>=`, `>`, `<=`, `<`.
        unit: The range's unit, for error messages ("degrees").
        parse: From the command line's text to the value; by default the field's type.
        const: The value of a flag that is given without one.
        off: The value that a flag `--no-NAME`, made for it, stands for.

    Returns:
        A `dataclasses.field` with all of that in its metadata.
    """
    metadata = {
        "help": help, "short": short, "metavar": metavar, "choices": choices,
        "at_least": at_least, "above": above, "at_most": at_most, "below": below, "unit": unit,
        "parse": parse, "const": const, "off": off,
    }  # fmt: skip
    return field(default=default, metadata=metadata)


def check_options(options: Any) -> None:
    """Check each field of a dataclass against its choices and its range; None always passes.

    Raises:
        UsageError: A value is not allowed; the message names the field.
    """
    for entry in fields(options):
        value = getattr(options, entry.name)
        if value is None or not is_option(entry):
            continue
        if not _is_of_type(value, entry.type):
            wanted = _type_text(entry.type)
            raise UsageError(f"`{entry.name}` must be {wanted}, got {value!r}")
        allowed = option_choices(entry)
        if allowed and isinstance(value, tuple):
            value = next((one for one in value if one not in allowed), allowed[0])
        if allowed and value not in allowed:
            raise UsageError(f"`{entry.name}` must be one of {', '.join(allowed)}, got {value}")
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"`{entry.name}` must be a finite number, got {value:g}")
        if isinstance(value, int | float) and not _is_inside(value, entry.metadata):
            raise UsageError(f"`{entry.name}` must {_range_text(entry.metadata)}, got {value:g}")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without control characters: shells expand `*`."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and exit with status 2."""
        self.exit(2, f"{self.prog}: error: {escaped(message)}; --help tells the options\n")


def add_flags(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup,
    entries: Iterable[Field[Any]],
    defaults: bool = False,
) -> None:
    """Add a flag for each field made by `option`; others are left out.

    With `defaults`, the help of each says its default, where there is one.

    Flags that are not given are absent from what the parser returns, so that the dataclasses'
    defaults hold. Ranges are left to `check_options`, which Python callers meet too.
    """
    for entry in entries:
        if not is_option(entry):
            continue
        names = [entry.metadata["short"]] if entry.metadata["short"] else []
        names.append("--" + entry.name.replace("_", "-"))
        text = entry.metadata["help"]
        if defaults and entry.default not in (None, False):
            text += " (default: %(default)s)"
        shown = {"help": text.replace("%(default)s", _default_text(entry)).replace("%", "%%")}
        common: dict[str, Any] = {"dest": entry.name, "default": argparse.SUPPRESS, **shown}
        if entry.type is bool:
            switch = argparse.BooleanOptionalAction if entry.default else "store_true"
            parser.add_argument(*names, action=switch, **common)
            continue
        if entry.metadata["const"] is not None:
            common |= {"nargs": "?", "const": entry.metadata["const"]}
        choices = option_choices(entry)
        if choices and entry.metadata["parse"]:  # of several values, that `check_options` checks
            common["help"] += f": {', '.join(choices)}"
            choices = ()
        if choices:
            common["choices"] = choices
        else:
            common["type"] = entry.metadata["parse"] or _plain_type(entry.type)
        parser.add_argument(*names, metavar=entry.metadata["metavar"], **common)
        if entry.metadata["off"] is not None:
            name, off = entry.name.replace("_", "-"), entry.metadata["off"]
            common = {"dest": entry.name, "default": argparse.SUPPRESS, "const": off}
            text = f"the same as --{name} {off}"
            parser.add_argument(f"--no-{name}", action="store_const", help=text, **common)


def is_option(entry: Field[Any]) -> bool:
    """Whether a dataclass' field was made by `option`."""
    return "help" in entry.metadata


def given_flags(options: Any) -> list[str]:
    """The names of a dataclass' fields whose values are not their defaults, in order."""
    return [
        entry.name
        for entry in fields(options)
        if entry.default is not MISSING and getattr(options, entry.name) != entry.default
    ]


def parsed(entry: Field[Any], text: str) -> Any:
    """An option's value from text, as its flag would parse it.

    Raises:
        UsageError: The text is none of its values; ranges are left to `check_options`.
    """
    parse = entry.metadata["parse"] or _plain_type(entry.type)
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"`{entry.name}` must be {_type_text(entry.type)}, got {text}") from error


def comma_separated(text: str) -> tuple[str, ...]:
    """`a,b` → ("a", "b"); an empty text has none."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def option_choices(entry: Field[Any]) -> Sequence[str]:
    """The values that an option allows besides None; none where any is."""
    choices: Any = entry.metadata["choices"]
    allowed: Sequence[str] = choices() if callable(choices) else choices
    return allowed


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The types of a union but None, or the one type."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(part for part in get_args(annotation) if part is not types.NoneType)
    return (annotation,)


def _is_of_type(value: Any, annotation: Any) -> bool:
    """Whether a value is of an option's type; whole numbers are of `float`, too."""
    for part in _alternatives(annotation):
        if get_origin(part) is Literal:
            if isinstance(value, str):  # which one, the option's choices say
                return True
        elif isinstance(value, bool) or part is bool:
            if part is bool and isinstance(value, bool):
                return True
        elif isinstance(value, (int, float) if part is float else get_origin(part) or part):
            return True
    return False


def _type_text(annotation: Any) -> str:
    names = {float: "a number", int: "a whole number", bool: "True or False", str: "text"}
    return " or ".join(
        "text" if get_origin(part) is Literal
        else names.get(part, f"a {getattr(get_origin(part) or part, '__name__', part)}")
        for part in _alternatives(annotation)
    )  # fmt: skip


def _is_inside(value: float, limits: Any) -> bool:
    """Whether a number is in its range."""
    return (
        (limits["at_least"] is None or value >= limits["at_least"])
        and (limits["above"] is None or value > limits["above"])
        and (limits["at_most"] is None or value <= limits["at_most"])
        and (limits["below"] is None or value < limits["below"])
    )


def _range_text(limits: Any) -> str:
    """A range in words, to stand behind "must"."""
    low = limits["at_least"] if limits["at_least"] is not None else limits["above"]
    high = limits["at_most"] if limits["at_most"] is not None else limits["below"]
    unit = f" {limits['unit']}" if limits["unit"] else ""
    if limits["above"] == 0:
        return f"be positive{'' if high is None else f' and at most {high:g}'}{unit}"
    if limits["at_least"] == 0 and high is None:
        return "not be negative"
    if high is None:
        return f"be {low:g}{unit} or more"
    return (
        f"be at most {high:g}{unit}" if low is None else f"lie between {low:g} and {high:g}{unit}"
    )


def _default_text(entry: Field[Any]) -> str:
    default = entry.default
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


def _plain_type(annotation: Any) -> Callable[[str], Any]:
    """The type that a flag's text is given to: `float` of `float | None`."""
    if isinstance(annotation, str):
        raise TypeError(f"options need types, not {annotation!r}: no `from __future__ import …`")
    (annotation,) = _alternatives(annotation)
    if get_origin(annotation) is Literal:
        return str
    assert callable(annotation), f"an option of type {annotation} needs its own `parse`"
    parse: Callable[[str], Any] = annotation
    return parse
