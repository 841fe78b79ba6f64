"""A format is one module with its `FORMATS`, and a line in `MODULES`."""

import json
from pathlib import Path

import pytest

from core.errors import InputError
from core.skeletons import COCO_17
from detectors.stored import formats

CENTRED = """
from detectors.stored.base import StoredFormat
from detectors.stored.table import Row, make_table

def is_centred(content):
    return isinstance(content, dict) and "centred" in content

def read_centred(content, video):
    rows = (Row(number, one) for number, one in enumerate(content["centred"]))
    return make_table("Centred", rows, content["joints"])

FORMATS = (StoredFormat(("Centred", "Centred Pro"), "json", is_centred, read_centred),)
"""


@pytest.fixture
def centred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "centred_format.py").write_text(CENTRED)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(formats, "MODULES", (*formats.MODULES, "centred_format"))


@pytest.mark.usefixtures("centred")
def test_a_new_format_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    content = {"centred": [[5.0] * 51, [6.0] * 51], "joints": COCO_17.joints}
    path.write_text(json.dumps(content))
    stored = formats.read_stored(path, "clip")
    assert stored.made_by == "Centred"
    assert stored.keypoints[:, 0, 0].tolist() == [5, 6]
    path.write_text(json.dumps({"centred": [[5.0]], "joints": []}))
    with pytest.raises(InputError, match="not as Centred writes it: people of 1 numbers"):
        formats.read_stored(path, "clip")
    path.write_text("3")
    with pytest.raises(InputError, match=r"poses\.npz, VideoPose3D, .*, Centred or Centred Pro$"):
        formats.read_stored(path, "clip")
