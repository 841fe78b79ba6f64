"""Checks that the command lines of training share."""

from core.errors import UsageError


def filter_widths(flag: str, text: str) -> tuple[int, ...]:
    """`3,3,3` as numbers; `UsageError` if they are not odd."""
    try:
        widths = tuple(int(width) for width in text.split(","))
    except ValueError:
        widths = (0,)
    if any(width < 1 or width % 2 == 0 for width in widths):
        raise UsageError(f"{flag} {text}: expected odd numbers separated by comma, such as 3,3,3")
    return widths


def refuse_below(least: float, options: object, *names: str) -> None:
    """Raise `UsageError` for the first of these options that is less than `least`."""
    for name in names:
        if not getattr(options, name) >= least:
            raise UsageError(
                f"--{name.replace('_', '-')} {getattr(options, name):g}: expected {least:g} or more"
            )
