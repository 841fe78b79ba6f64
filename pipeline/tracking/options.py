"""Options of tracking: which people of a video are kept, and how they are numbered."""

from dataclasses import dataclass
from typing import Literal, get_args

from core.errors import UsageError
from core.options import check_options, option

PeopleOrder = Literal["prominent", "longest", "largest", "leftmost"]
PEOPLE_ORDERS: tuple[PeopleOrder, ...] = get_args(PeopleOrder)


def _people(text: str) -> int | str:
    """The value of `--people` from its text, which the options check."""
    return int(text) if text.lstrip("-").isdecimal() else text


def _numbers(text: str) -> tuple[int, ...]:
    """The value of `--person-id` from its text."""
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise UsageError(f"`person_id` must be numbers like 1,3, got {text}") from error


@dataclass(frozen=True)
class TrackOptions:
    """Whom to keep of the people that are tracked.

    people: how many, the first ones in `people_order`; "main" is 1.
    person_id: numbers of the people to keep, as an earlier run with the same `people_order` gave
        them; empty for all. Excludes `people`.
    people_order: how people are numbered, see `pipeline.tracking.selection.number_people`.
    """

    people: int | Literal["all", "main"] = option(
        "all", "how many people (default: %(default)s)",
        metavar="N|main|all", at_least=1, parse=_people,
    )  # fmt: skip
    person_id: tuple[int, ...] = option(
        (), "only the people with these numbers", metavar="N[,N]", parse=_numbers
    )
    people_order: PeopleOrder = option(
        "prominent",
        "who is number 1, and so on: seen long and large, long, large, or far left "
        "(default: %(default)s)",
        choices=PEOPLE_ORDERS,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if isinstance(self.people, str) and self.people not in ("all", "main"):
            raise UsageError(f"`people` must be a number, main or all, got {self.people}")
        if self.person_id and self.people != "all":
            raise UsageError("`people` and `person_id` both say whom to keep: give one")
        if any(number < 1 for number in self.person_id):
            raise UsageError(f"`person_id` counts from 1, got {min(self.person_id)}")

    @property
    def max_people(self) -> int | None:
        """How many people to keep, None for all."""
        if isinstance(self.people, int):
            return self.people
        return {"all": None, "main": 1}[self.people]
