"""The page as a file; what it does is tested in a browser, by tests/consumers."""

import base64
import json
import re
from pathlib import Path

import pytest

from pipeline.viewer.page import page_html

WEB = Path(__file__).parents[3] / "pipeline" / "viewer" / "web"
CLIP = {"name": "</script><b>&"}


def test_names_cannot_end_the_script_or_become_elements() -> None:
    page = page_html([CLIP])
    assert "<b>&" not in page
    assert "<title>&lt;/script&gt;&lt;b&gt;&amp; in 3D</title>" in page
    content = re.search(r'id="content">(.*?)</script>', page, re.DOTALL)
    assert content is not None
    assert json.loads(content[1])["clips"] == [CLIP]


def test_every_module_that_is_imported_is_there() -> None:
    page = page_html([CLIP])
    table = re.search(r'<script type="importmap">(.*?)</script>', page)
    assert table is not None
    modules = json.loads(table[1])["imports"]
    for url in modules.values():
        source = base64.b64decode(url.partition(",")[2]).decode()
        assert set(re.findall(r'from "(viewer/[^"]+)"', source)) <= modules.keys()


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = page_html([CLIP])
    assert "default-src 'none'" in page
    assert "connect-src 'none'" in page
    for path in WEB.iterdir():
        assert not re.search(r"https?://(?!www\.w3\.org)", path.read_text()), path.name


def test_extras_are_only_there_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in WEB.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "mine.js").write_text("// extra: mine\nexport default () => {};\n")
    monkeypatch.setattr("pipeline.viewer.page._WEB", tmp_path)
    assert "viewer/mine.js" not in page_html([CLIP])
    page = page_html([CLIP], extras=["mine"], settings={"mine": 1}, connect="'self'")
    assert page.count("viewer/mine.js") == 2  # in the import map, and named to be started
    assert "connect-src 'self'" in page
