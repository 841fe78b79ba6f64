"""What people correct in a result by hand: `corrections.json`, a list of edits in their order.

`docs/corrections.md` has every edit for people who write the file. Numbers of people are those of
the result without corrections; frames are `frame_index`; a range includes both of its ends.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

from core.errors import InputError, escaped
from core.files import open_input, written_whole
from core.skeletons import COCO_21

CORRECTIONS = "corrections.json"
MENDED = "mended"
"""The folder inside a result's that a corrected one goes to, so that the first one stays."""
FORMAT_VERSION = 1
MAX_BYTES = 4 << 20
MAX_EDITS = 5_000

Part = Literal["left_heel", "left_toe", "right_heel", "right_toe"]
PARTS: tuple[Part, ...] = get_args(Part)
"""What of a foot is on the ground, in the order of `contacts`."""
SIDED = tuple(COCO_21.joints[left].removeprefix("left_") for left in COCO_21.left)
"""Joints of which there are two, without their side."""

_FARTHEST_PX = 100_000
_LAST = 2**31 - 1


@dataclass(frozen=True)
class Point:
    """Where a keypoint of a person is in a frame: (x, y) px. It counts as seen for sure."""

    kind: ClassVar[str] = "point"
    person: int
    frame: int
    joint: str
    position_px: tuple[float, float]

    def __post_init__(self) -> None:
        _require_number(self, "person", "frame")
        _require_one_of("joint", self.joint, COCO_21.joints)
        position = self.position_px
        if (
            not isinstance(position, Sequence)
            or len(position) != 2
            or not all(_is_number(value) and abs(value) <= _FARTHEST_PX for value in position)
        ):
            raise ValueError(f"'position_px' must be two numbers, x and y, got {position!r}")
        object.__setattr__(self, "position_px", tuple(map(float, position)))


@dataclass(frozen=True)
class Swap:
    """Left and right of a person are exchanged in a range; of some joints, None for all."""

    kind: ClassVar[str] = "swap"
    person: int
    first_frame: int
    last_frame: int
    joints: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _require_number(self, "person")
        _require_range(self)
        if self.joints is not None:
            if not isinstance(self.joints, list | tuple) or not self.joints:
                raise ValueError(f"'joints' must be a list of names, got {self.joints!r}")
            for joint in self.joints:
                _require_one_of("joints", joint, SIDED)
            object.__setattr__(self, "joints", tuple(self.joints))


@dataclass(frozen=True)
class Split:
    """From a frame on, a person is another one, who gets the next number that none had before."""

    kind: ClassVar[str] = "split"
    person: int
    frame: int

    def __post_init__(self) -> None:
        _require_number(self, "person", "frame")


@dataclass(frozen=True)
class Merge:
    """Two are one person, with the first one's number; who holds where both are seen."""

    kind: ClassVar[str] = "merge"
    person: int
    other: int

    def __post_init__(self) -> None:
        _require_number(self, "person", "other")
        if self.person == self.other:
            raise ValueError(f"'other' must be another person than {self.person}")


@dataclass(frozen=True)
class Delete:
    """A person is not there: in a range, or at all without one."""

    kind: ClassVar[str] = "delete"
    person: int
    first_frame: int | None = None
    last_frame: int | None = None

    def __post_init__(self) -> None:
        _require_number(self, "person")
        if (self.first_frame is None) != (self.last_frame is None):
            raise ValueError("'first_frame' and 'last_frame' go together")
        if self.first_frame is not None:
            _require_range(self)


@dataclass(frozen=True)
class Contact:
    """A heel or toe of a person is, or is not, on the ground in a range."""

    kind: ClassVar[str] = "contact"
    person: int
    first_frame: int
    last_frame: int
    part: Part
    on: bool

    def __post_init__(self) -> None:
        _require_number(self, "person")
        _require_range(self)
        _require_one_of("part", self.part, PARTS)
        if not isinstance(self.on, bool):
            raise ValueError(f"'on' must be true or false, got {self.on!r}")


Edit = Point | Swap | Split | Merge | Delete | Contact
EDITS: dict[str, type[Edit]] = {edit.kind: edit for edit in get_args(Edit)}
"""The kinds of edits by name."""


@dataclass(frozen=True)
class Corrections:
    """Edits in the order in which they were made; each is of the people that those before leave."""

    edits: tuple[Edit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.edits)

    def as_dict(self) -> dict[str, Any]:
        """The file's content as plain values."""
        edits = [
            {"kind": edit.kind, **{k: _plain(v) for k, v in asdict(edit).items() if v is not None}}
            for edit in self.edits
        ]
        return {"format_version": FORMAT_VERSION, "edits": edits}

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """The corrections that a file's content says.

        Raises:
            ValueError: It says none; the text names the edit, counted from 1.
        """
        if not isinstance(content, dict) or not isinstance(content.get("edits"), list):
            raise ValueError("it has no list of 'edits'")
        version = content.get("format_version")
        if version != FORMAT_VERSION:
            raise ValueError(f"'format_version' must be {FORMAT_VERSION}, got {version!r}")
        if len(content["edits"]) > MAX_EDITS:
            raise ValueError(f"{len(content['edits'])} edits, and {MAX_EDITS} are the most")
        edits = []
        for number, plain in enumerate(content["edits"], 1):
            try:
                edits.append(_edit(plain))
            except ValueError as error:
                raise ValueError(f"edit {number}: {error}") from error
        return cls(tuple(edits))

    def write(self, folder: Path) -> None:
        """Write the file into a folder; `OSError` where the disk refuses."""
        with written_whole(folder / CORRECTIONS) as partial:
            partial.write_text(json.dumps(self.as_dict(), indent=1) + "\n")


def parse_corrections(content: bytes) -> Corrections:
    """The corrections in a file's bytes.

    Raises:
        ValueError: They hold none; the text is one line.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB")
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from error
    return Corrections.from_dict(plain)


def read_corrections(path: str | Path) -> Corrections:
    """Read `corrections.json`.

    Raises:
        InputError: It cannot be read, or says no corrections.
    """
    path = Path(path)
    try:
        with open_input(path) as file:
            content = file.read(MAX_BYTES + 1)
        return parse_corrections(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise InputError(f"{path}: these are no corrections: {error}") from error


def _edit(plain: Any) -> Edit:
    """One edit of its plain values."""
    if not isinstance(plain, Mapping):
        raise ValueError(f"is no object, but {_shown(plain)}")
    _require_one_of("kind", plain.get("kind"), EDITS)
    kind = EDITS[plain["kind"]]
    known = {entry.name for entry in fields(kind)}
    given = {name: value for name, value in plain.items() if name != "kind"}
    if unknown := sorted(map(str, given.keys() - known)):
        raise ValueError(f"a {kind.kind} has no '{_shown(unknown[0])}'")
    try:
        return kind(**given)
    except TypeError as error:  # what is missing
        raise ValueError(f"a {kind.kind} needs {', '.join(_needed(kind, given))}") from error


def _needed(kind: type[Edit], given: Mapping[str, Any]) -> list[str]:
    return [f"'{entry.name}'" for entry in fields(kind) if entry.name not in given]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    """A value for a message, not longer than a line has room for."""
    text = value if isinstance(value, str) else repr(value)
    return escaped(text if len(text) <= 60 else text[:60] + " …")


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
    )


def _require_number(edit: Edit, *names: str) -> None:
    """Whole numbers: of people from 1, of frames from 0."""
    for name in names:
        value, least = getattr(edit, name), 1 if name in ("person", "other") else 0
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _LAST:
            raise ValueError(f"'{name}' must be a whole number from {least}, got {_shown(value)}")


def _require_range(edit: Swap | Delete | Contact) -> None:
    _require_number(edit, "first_frame", "last_frame")
    assert edit.first_frame is not None
    assert edit.last_frame is not None
    if edit.last_frame < edit.first_frame:
        raise ValueError(f"the range {edit.first_frame} to {edit.last_frame} ends before it begins")


def _require_one_of(name: str, value: Any, allowed: Any) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"'{name}' must be one of {', '.join(allowed)}, got {_shown(value)}")
