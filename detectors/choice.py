"""Which detector serves a run: its name on the command line, its options, what `auto` means."""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import DetectorError, UsageError
from core.options import check_options, option
from detectors.base import AUTO, Detector, DetectorBackend, backends

DEFAULT_DETECTOR = "blazepose"


def detector_names() -> tuple[str, ...]:
    """The values of `--detector`: the backends that are selected by name, and `AUTO`."""
    named = [name for name, backend in backends().items() if backend.selected_by is None]
    return (*named, AUTO)


def option_fields() -> list[Field[Any]]:
    """The options of all backends, each name once.

    Raises:
        ValueError: Two backends declare an option of one name differently.
    """
    by_name: dict[str, Field[Any]] = {}
    for backend in backends().values():
        for entry in backend.option_fields():
            other = by_name.setdefault(entry.name, entry)
            if (other.type, other.default) != (entry.type, entry.default):
                raise ValueError(f"detector {backend.name!r} has another option {entry.name!r}")
    return list(by_name.values())


class Choice(NamedTuple):
    """The backend that serves a run, its name, and why it is that one."""

    name: str
    why: str
    backend: DetectorBackend


@dataclass(frozen=True)
class DetectOptions:
    """Which detector, and the options of backends.

    Raises:
        UsageError: A value is not allowed, or options contradict each other.
    """

    detector: str = option(
        DEFAULT_DETECTOR, "who finds people (default: %(default)s)", choices=detector_names
    )
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The values of backends' options by name; those that are missing have their default."""

    def __post_init__(self) -> None:
        check_options(self)
        unknown = self.settings.keys() - {entry.name for entry in option_fields()}
        if unknown:
            raise UsageError(f"`{min(unknown)}` is an option of no detector")
        given = self._given()
        candidates = self._candidates()
        usable = {name for backend in candidates for name in backend.option_names()}
        for name in given:
            if name not in usable:
                self._refuse(name)
        for backend in candidates:
            if backend.selected_by in given and self.detector != DEFAULT_DETECTOR:
                both = f"`{backend.selected_by}` and `detector`"
                raise UsageError(f"{both} both say who finds people: give one")
            backend.from_settings(self.settings)

    def _refuse(self, name: str) -> None:
        """Say which backend an option is for that no candidate has."""
        owners = [backend for backend in backends().values() if name in backend.option_names()]
        for backend in owners:
            if backend.selected_by is not None:
                backend.from_settings(self.settings)  # says best what it needs
        names = " or ".join(backend.name for backend in owners)
        raise UsageError(f"`{name}` is for `detector` {names}")

    @property
    def selecting_option(self) -> str | None:
        """The option that is given and selects a backend whatever `detector` says, if any."""
        given = set(self._given())
        selecting = (backend.selected_by for backend in backends().values())
        return next((name for name in selecting if name in given), None)

    def as_dict(self) -> dict[str, Any]:
        """`detector` and all options of all backends by name, given or default, as for JSON."""
        values: dict[str, Any] = {"detector": self.detector}
        for entry in option_fields():
            value = self._value(entry)
            values[entry.name] = str(value) if isinstance(value, Path) else value
        return values

    def choose(self) -> Choice:
        """Choose the backend, once for all: what `auto` finds may change in time.

        The first that applies of: a backend whose `selected_by` is given; the one named; under
        `auto` the first `prefer` one that is available; the default.
        """
        return self._choice_made

    @cached_property
    def _choice_made(self) -> Choice:
        for backend in self._candidates():
            if backend.selected_by is not None:
                flag = "--" + backend.selected_by.replace("_", "-")
                return self._choice(backend.name, f"{flag} {self.settings[backend.selected_by]}")
        if self.detector != AUTO:
            return self._choice(self.detector, "asked for")
        reasons = []
        for backend in self._candidates():
            if backend.prefer:
                is_ready, why = backend.from_settings(self.settings).available()
                if is_ready:
                    return self._choice(backend.name, why)
                reasons.append(why)
        return self._choice(DEFAULT_DETECTOR, "; ".join(dict.fromkeys(reasons)))

    def _choice(self, name: str, why: str) -> Choice:
        """The backend of a name, with its options."""
        if name not in backends():  # a script's own, in a worker process that imported it otherwise
            raise DetectorError(f"no detector {name!r} here: define it at the top of its module")
        return Choice(name, why, backends()[name].from_settings(self.settings))

    def _candidates(self) -> list[type[DetectorBackend]]:
        """The backends whose options may be given."""
        return [backend for backend in backends().values() if self._is_candidate(backend)]

    def _is_candidate(self, backend: type[DetectorBackend]) -> bool:
        if backend.selected_by is not None:
            return backend.selected_by in self._given()
        if self.detector == AUTO:
            return backend.prefer or backend.name == DEFAULT_DETECTOR
        return backend.name == self.detector

    def _given(self) -> list[str]:
        """The names of the options that differ from their default."""
        return [entry.name for entry in option_fields() if self._value(entry) != entry.default]

    def _value(self, entry: Field[Any]) -> Any:
        """The value of an option, given or default."""
        return self.settings.get(entry.name, entry.default)


def create(name: str, threads: int | None = None, **settings: Any) -> Detector:
    """Build the detector of a name with options of its backend.

    Raises:
        DetectorError: There is no detector of that name, or it cannot be built.
        UsageError: An option's value is not allowed.
        WeightsError: Its weights cannot be had.
    """
    known = backends()
    if name not in known:
        raise DetectorError(f"no detector {name!r}; there is {', '.join(known)}")
    return known[name](**settings).build(threads)
