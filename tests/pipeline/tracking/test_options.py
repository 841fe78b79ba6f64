import argparse
import re
from dataclasses import fields
from typing import Any

import pytest

from core.errors import UsageError
from core.options import add_flags
from pipeline.tracking.options import TrackOptions


def parsed(*words: str) -> TrackOptions:
    parser = argparse.ArgumentParser()
    add_flags(parser, fields(TrackOptions))
    return TrackOptions(**vars(parser.parse_args(words)))


def test_flags_give_the_options() -> None:
    assert parsed() == TrackOptions()
    assert parsed("--people", "2", "--people-order", "longest") == TrackOptions(2, (), "longest")
    assert parsed("--people", "main") == TrackOptions("main")
    assert parsed("--person-id", "1,3") == TrackOptions(person_id=(1, 3))


def test_main_is_one_and_all_is_no_limit() -> None:
    assert [TrackOptions(people).max_people for people in ("all", "main", 3)] == [None, 1, 3]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"people": 0}, "--people must be 1 or more, got 0"),
        ({"person_id": (0,)}, "--person-id counts from 1, got 0"),
        ({"people": 1, "person_id": (2,)}, "--people and --person-id both say whom to keep"),
        ({"people_order": "tallest"}, "--people-order must be one of prominent, longest, largest,"),
    ],
)
def test_contradictions_are_refused_by_the_names_of_the_flags(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        TrackOptions(**values)
    assert re.match(re.escape(message), refused.value.as_flags())
