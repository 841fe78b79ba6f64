"""Arrows between rooms go one way."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "core": set(),
    "detectors": {"core", "weights"},
    "lifter": {"core", "weights"},
    "weights": {"core"},
    "pipeline": {"core", "detectors", "lifter", "weights"},
    "train": {"core", "detectors", "lifter", "weights"},
}
HEAVY = {"torch", "ai_edge_litert", "detectron2"}


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_lies_below_them(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for file in files:
        others = imports(file) & MAY_IMPORT.keys() - {room}
        assert others <= MAY_IMPORT[room], (
            f"{file.relative_to(ROOT)} imports {others - MAY_IMPORT[room]}"
        )


def test_core_needs_no_torch() -> None:
    for file in (ROOT / "core").glob("*.py"):
        assert not imports(file) & HEAVY, file


def test_detectors_import_their_backends_only_when_asked() -> None:
    assert not imports(ROOT / "detectors" / "base.py", top_level_only=True) & (HEAVY | {"cv2"})
