"""What an import of a detector's library may run into."""

import sys
from pathlib import Path

import pytest

NOT_THERE = None
BUILT_FOR_ANOTHER_TORCH = "raise RuntimeError('operator torchvision::nms does not exist')"
LACKS_A_MODULE = "raise ModuleNotFoundError(\"No module named 'fvcore'\", name='fvcore')"
MODULES = ("ops", "layers", "modeling")
WORKS = "def nms(boxes, scores, threshold): return boxes"


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, source: str | None) -> None:
    """Let `import NAME` and `import NAME.ops` run `source`; None is a library that is not there."""
    ours = (name, *(f"{name}.{module}" for module in MODULES))
    for known in {*ours, *(key for key in sys.modules if key.partition(".")[0] == name)}:
        # Set before it is deleted, so that monkeypatch takes away what is imported meanwhile.
        monkeypatch.setitem(sys.modules, known, None)
        del sys.modules[known]
    if source is None:
        monkeypatch.setitem(sys.modules, name, None)
        return
    package = folder / "libraries" / name
    package.mkdir(parents=True)
    for module in ("__init__", *MODULES):
        (package / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(str(folder / "libraries"))
