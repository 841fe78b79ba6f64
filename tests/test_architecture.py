"""Arrows between rooms go one way, without circles, and no folder overflows."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_FILES = 14

ROOMS: dict[str, set[str]] = {
    "core": set(),
    "weights": {"core"},
    "detectors": {"core", "weights"},
    "lifter": {"core", "weights"},
    "pipeline": {"core", "detectors", "lifter", "weights"},
    "train": {"core", "detectors", "lifter", "weights"},
}
"""Each room and the rooms that it may import."""

DOORS: dict[str, str] = {"train": "pipeline.media."}
"""What a room may import of another one all the same: there is one place that opens videos."""

_STAGES = {
    "media",
    "tracking",
    "lifting",
    "multiview",
    "grounding",
    "results",
    "motion",
    "export",
    "render",
    "runtime",
    "corrections",
    "viewer",
}
INNER_ROOMS: dict[str, dict[str, set[str]]] = {
    "pipeline": {
        "media": {"runtime"},
        "grounding": set(),
        "multiview": {"lifting", "grounding", "media", "results"},
        "runtime": {"results"},
        "render": {"media"},
        "results": {"grounding"},
        "tracking": {"results"},
        "corrections": {"results"},
        "lifting": {"results"},
        "motion": {"results"},
        "viewer": {"results", "motion", "render", "media"},
        "export": {"results", "motion", "render", "media", "viewer"},
        "": _STAGES,  # run.py, people.py, config.py
        "live": {"", *_STAGES},
        "batch": {"", *_STAGES},
        "app": {"", "batch", "live", *_STAGES},
    },
    "train": {
        "": {"reproduce", "datasets", "wild", "prepare"},
        "datasets": {""},
        "reproduce": {"", "datasets"},
        "prepare": {"", "datasets"},
        "wild": {""},
    },
}
"""Inside a room: each folder, "" for the room's own files, and the folders that it may import."""

OPTIONS = "options"
"""A folder's options may be imported from anywhere: the whole configuration has them."""

HEAVY = {
    "torch", "torchvision", "cv2", "scipy", "matplotlib", "ai_edge_litert", "detectron2", "ray",
    "fsspec", "onnxruntime", "rtmlib",
}  # fmt: skip


def modules(folder: Path) -> dict[str, Path]:
    """Every module below a folder by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(folder.rglob("*.py"))
    }


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    """The dotted names that a module imports, and those of what it imports from them."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def arrows_up() -> list[str]:
    """Every import from a room that does not lie below, between rooms and inside them."""
    wrong = []
    for room, below in ROOMS.items():
        for name, path in modules(ROOT / room).items():
            for target in imports(path):
                other = target.partition(".")[0]
                is_allowed = other in below or f"{target}.".startswith(DOORS.get(room, "."))
                if other in ROOMS and other != room and not is_allowed:
                    wrong.append(f"{name} imports {target}")
    for room, inner in INNER_ROOMS.items():
        known = modules(ROOT / room)
        for name, path in known.items():
            own = _inner_room(name, inner)
            for target in imports(path) & known.keys():
                other = _inner_room(target, inner)
                is_allowed = other == own or other in inner[own] or target.endswith(f".{OPTIONS}")
                if not is_allowed and target != room and name != f"{room}.__main__":
                    wrong.append(f"{name} imports {target}")
    return wrong


def _inner_room(module: str, inner: dict[str, set[str]]) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in inner else ""


def test_rooms_import_only_what_lies_below_them() -> None:
    assert arrows_up() == []


def test_every_inner_room_has_its_arrows_listed() -> None:
    for room, inner in INNER_ROOMS.items():
        folders = {path.parent.name for path in (ROOT / room).glob("*/__init__.py")}
        assert folders == inner.keys() - {""}, room


def test_no_module_imports_itself_in_a_circle() -> None:
    known = {name: path for room in ROOMS for name, path in modules(ROOT / room).items()}
    graph = {
        name: imports(path, top_level_only=True) & known.keys() - {name}
        for name, path in known.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_no_folder_overflows() -> None:
    folders = {path.parent for path in ROOT.rglob("*.py") if _is_ours(path)}
    counts = {str(folder.relative_to(ROOT)): len([*folder.glob("*.py")]) for folder in folders}
    assert {folder: count for folder, count in counts.items() if count > MAX_FILES} == {}


def _is_ours(path: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(ROOT).parts)


def test_core_needs_no_torch() -> None:
    for path in modules(ROOT / "core").values():
        assert not {name.partition(".")[0] for name in imports(path)} & HEAVY, path


def test_options_are_light() -> None:
    """The command line's help, and its errors, wait for no network, decoder or drawing library."""
    code = "import sys, pipeline.config, pipeline.batch.options; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.split()) & HEAVY


def test_a_run_begins_without_scipy() -> None:
    """It takes longer to load than all else, and nothing needs it before frames are detected."""
    rooms = "pipeline.run, pipeline.live.run, detectors.blazepose.detector"
    code = f"import sys, {rooms}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "scipy" not in done.stdout.split()


def test_tests_and_benchmarks_do_not_import_each_other() -> None:
    for folder, other in (("tests", "benchmarks"), ("benchmarks", "tests"), ("testkit", "tests")):
        for path in (ROOT / folder).rglob("*.py"):
            assert other not in {name.partition(".")[0] for name in imports(path)}, path
