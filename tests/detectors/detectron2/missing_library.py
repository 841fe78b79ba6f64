"""What `import detectron2` may run into."""

import sys
from pathlib import Path

import pytest

NOT_THERE = "raise ModuleNotFoundError(\"No module named 'detectron2'\")"
BUILT_FOR_ANOTHER_TORCH = "raise RuntimeError('operator torchvision::nms does not exist')"


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> None:
    """Let `import detectron2` run `source`."""
    (folder / "detectron2.py").write_text(source)
    for name in [name for name in sys.modules if name.partition(".")[0] == "detectron2"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(folder))
