"""Options of the local page."""

from dataclasses import dataclass

from core.errors import UsageError
from core.options import check_options, given_flags, option


@dataclass(frozen=True)
class AppOptions:
    """Whether the program is a page on 127.0.0.1, and what that takes.

    Raises:
        UsageError: A value is out of its range, or makes no sense without `app`.
    """

    app: bool = option(False, "a page on 127.0.0.1: drop clips, look at results, correct them")
    app_port: int = option(
        0, "app: its port (default: any that is free)", metavar="PORT", at_least=0, at_most=65535
    )
    app_upload_gb: float = option(
        2.0, "app: the largest clip, GB (default: %(default)s)", metavar="GB", above=0
    )

    def __post_init__(self) -> None:
        check_options(self)
        if not self.app and (given := given_flags(self)):
            raise UsageError(f"`{given[0]}` goes with `app`")

    @property
    def upload_bytes(self) -> int:
        """The largest clip that is taken."""
        return round(self.app_upload_gb * 1e9)
