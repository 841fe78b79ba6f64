"""Registries: things of one kind by name, which modules add when they are imported."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """What a seam offers: detectors, export formats, lifting networks, measures."""

    def __init__(self, kind: str, built_in: Sequence[str] | Mapping[str, str] = ()) -> None:
        """Make an empty registry.

        Args:
            kind: What its entries are, with an article, for errors ("a detector").
            built_in: The modules that bring those of the project; imported when first asked for.
                Given by the names of what each brings, a module is imported when its own is.
        """
        self._kind = kind
        self._modules = dict(built_in) if isinstance(built_in, Mapping) else {}
        self._built_in = tuple(self._modules.values() or built_in)
        self._entries: dict[str, tuple[str, T]] = {}

    def add(self, name: str, entry: T, module: str) -> None:
        """Add an entry.

        Args:
            name: What it is called.
            entry: What is found by the name.
            module: The name of the module that adds it.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._entries or self._modules.get(name, module) != module:
            raise ValueError(f"{module}: there is {self._kind} {name!r} already")
        self._entries[name] = (module, entry)

    def names(self) -> tuple[str, ...]:
        """All names in the order of `entries`; nothing is imported where modules have names."""
        if not self._modules:
            return tuple(self.entries())
        return (*self._modules, *(name for name in self._entries if name not in self._modules))

    def __getitem__(self, name: str) -> T:
        """The entry of one of `names`."""
        if name in self._modules:
            import_module(self._modules[name])
        return self._entries[name][1]

    def entries(self) -> dict[str, T]:
        """All entries by name: the built-in ones, then others in the order of their addition."""
        for module in self._built_in:
            import_module(module)
        order = {module: index for index, module in enumerate(self._built_in)}
        by_module = sorted(
            self._entries.items(), key=lambda item: order.get(item[1][0], len(order))
        )
        return {name: entry for name, (_, entry) in by_module}

    def copy(self) -> "Registry[T]":
        """A registry with the same entries, to which others can be added apart."""
        other = Registry[T](self._kind, self._modules or self._built_in)
        other._entries = dict(self._entries)
        return other
