import json
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from pipeline.export.base import exporter_names, write_exports
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import striding


@pytest.mark.parametrize("frames", [1, 5])
def test_a_photo_and_a_time_lapse_are_written_in_every_format(frames: int, tmp_path: Path) -> None:
    joints, contacts = striding(frames)
    actor = Actor(np.arange(frames), joints, contacts=contacts)
    result = array_result(tmp_path, [actor], np.arange(frames, dtype=float))
    (tmp_path / "out").mkdir()
    written = write_exports(result, sorted(exporter_names()), tmp_path / "out")
    assert {"bvh", "glb", "trc", "mot", "csv", "html"} <= {*written.names}
    assert [line for line in written.failures if "it needs" not in line] == []


@pytest.mark.parametrize(
    "name", ["été 日本 😀", r"100% $\frac$ #1?", "two\nlines", os.fsdecode(b"latin \xe9")]
)
def test_a_clip_of_any_name_is_written_in_every_format(name: str, tmp_path: Path) -> None:
    joints, contacts = striding(5)
    actor = Actor(np.arange(5), joints, contacts=contacts)
    result = array_result(tmp_path, [actor], np.arange(5, dtype=float), stem=name)
    (tmp_path / "out").mkdir()
    written = write_exports(result, sorted(exporter_names()), tmp_path / "out")
    assert [line for line in written.failures if "it needs" not in line] == []
    trc = (tmp_path / "out" / f"{result.stem}_person1.trc").read_text(encoding="utf-8")
    assert trc.split("\n")[1].startswith("DataRate")
    poses = json.loads((tmp_path / "out" / f"{result.stem}.json").read_text())
    about = json.loads((tmp_path / "out" / f"{result.stem}.csv-metadata.json").read_text())
    for url in (poses["$schema"], about["url"]):
        assert (tmp_path / "out" / unquote(urlsplit(url).path)).is_file()
