"""`corrections.json`: what it says comes back, and what is wrong in it is said in one line."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from core.errors import InputError, UsageError
from pipeline.corrections.edits import (
    CORRECTIONS,
    EDITS,
    MAX_EDITS,
    Contact,
    Corrections,
    Delete,
    Merge,
    Point,
    Split,
    Swap,
    read_corrections,
)  # fmt: skip

ALL = Corrections(
    (
        Point(1, 12, "left_wrist", (10.5, -3.0)), Swap(1, 3, 9), Swap(2, 3, 9, ("wrist", "knee")),
        Split(1, 40), Merge(3, 2), Delete(1), Delete(2, 5, 6),
        Contact(1, 0, 7, "right_toe", False),
    )
)  # fmt: skip
ROOT = Path(__file__).parents[3]


def test_a_file_says_what_was_written(tmp_path: Path) -> None:
    ALL.write(tmp_path)
    assert read_corrections(tmp_path / CORRECTIONS) == ALL
    assert Corrections.from_dict({"format_version": 1, "edits": []}) == Corrections()


def test_the_schema_and_the_page_have_every_field() -> None:
    schema = json.loads((ROOT / "pipeline" / "corrections" / "schema.json").read_text())
    kinds = schema["properties"]["edits"]["items"]["oneOf"]
    assert {
        kind["properties"]["kind"]["const"]: kind["properties"].keys() - {"kind"} for kind in kinds
    } == {name: {entry.name for entry in fields(edit)} for name, edit in EDITS.items()}
    page = (ROOT / "docs" / "corrections.md").read_text()
    for name, edit in EDITS.items():
        assert f"`{name}`" in page
        assert all(f"`{entry.name}`" in page for entry in fields(edit))


POINT = {"kind": "point", "person": 1, "frame": 0, "joint": "nose", "position_px": [1, 2]}


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (5, "edit 1: is no object, but 5"),
        ({}, "edit 1: 'kind' must be one of point, swap"),
        ({**POINT, "kind": "poke"}, "got poke"),
        ({**POINT, "colour": 1}, "a point has no 'colour'"),
        ({"kind": "point", "person": 1}, "needs 'frame', 'joint', 'position_px'"),
        ({**POINT, "person": 0}, "'person' must be a whole number from 1, got 0"),
        ({**POINT, "person": True}, "'person' must be a whole number"),
        ({**POINT, "frame": 1.5}, "'frame' must be a whole number from 0, got 1.5"),
        ({**POINT, "frame": 10**30}, "'frame' must be a whole number"),
        ({**POINT, "joint": "tail"}, "'joint' must be one of nose, left_eye"),
        ({**POINT, "position_px": [1]}, "'position_px' must be two numbers"),
        ({**POINT, "position_px": [1, float("nan")]}, "'position_px' must be two numbers"),
        ({**POINT, "position_px": [1, 10**400]}, "'position_px' must be two numbers"),
        ({"kind": "swap", "person": 1, "first_frame": 5, "last_frame": 4}, "ends before it begins"),
        ({"kind": "swap", "person": 1, "first_frame": 5, "last_frame": 6, "joints": "knee"},
         "'joints' must be a list"),
        ({"kind": "swap", "person": 1, "first_frame": 5, "last_frame": 6, "joints": ["nose"]},
         "'joints' must be one of eye"),
        ({"kind": "merge", "person": 2, "other": 2}, "another person than 2"),
        ({"kind": "delete", "person": 2, "first_frame": 2}, "go together"),
        ({"kind": "contact", "person": 1, "first_frame": 5, "last_frame": 6, "part": "heel",
          "on": True}, "'part' must be one of left_heel"),
        ({"kind": "contact", "person": 1, "first_frame": 5, "last_frame": 6, "part": "left_toe",
          "on": 1}, "'on' must be true or false"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_edit_is_said_in_a_line(
    edit: object, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "fix.json"
    path.write_text(json.dumps({"format_version": 1, "edits": [edit]}))
    with pytest.raises(InputError) as error:
        read_corrections(path)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{path}: these are no corrections: ")
    assert "\n" not in str(error.value)
    assert "--" not in UsageError(str(error.value)).as_flags(), "fields of a file are no options"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff\x00", "no JSON"),
        (b"[]", "no list of 'edits'"),
        (b'{"edits": []}', "'format_version' must be 1, got None"),
        (b" " * ((4 << 20) + 1), "larger than 4 MiB"),
        (json.dumps({"format_version": 1, "edits": [1] * (MAX_EDITS + 1)}).encode(), "the most"),
    ],
    ids=["empty", "nested", "bytes", "list", "version", "large", "many"],
)
def test_other_files_are_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "fix.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_corrections(path)
    with pytest.raises(InputError, match="No such file"):
        read_corrections(tmp_path / "nothing.json")
