"""A person at the page of `--app`, in Chromium: from the upload to a corrected point and back."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.skeletons import COCO_21
from pipeline.results.archive import COLUMNS
from pipeline.results.result import Result, load_result
from testkit.consumers import node_modules
from testkit.make_video import run_ffmpeg
from weights.store import resolve

ROOT = Path(__file__).parents[2]
WRIST, FRAME = COCO_21.index("left_wrist"), 12
pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="there is no chromium here"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    pytest.importorskip("starlette", reason="no Starlette here: make test-consumers installs it")
    node_modules()
    output = tmp_path_factory.mktemp("app")
    command = [sys.executable, str(ROOT / "infer_video.py"), "--app", "-o", str(output)]
    app = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert app.stdout is not None
    yield re.findall(r"http://\S+", app.stdout.readline())[0], output / "app"
    app.terminate()
    app.wait(60)
    app.stdout.close()


@pytest.fixture(scope="module")
def visit(
    address: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    """What was seen, and the clip's folder as it was before it was deleted."""
    folder = tmp_path_factory.mktemp("visit")
    clip = folder / "two people.mp4"
    cut = ("-ss", "2.2", "-t", "0.8", "-i", str(resolve("demo-clip")), "-vf", "scale=640:-2")
    run_ffmpeg(*cut, str(clip))
    url, clips = address
    command = ["node", str(ROOT / "tests" / "consumers" / "in_app.cjs"), str(node_modules()), url]
    command += [str(clip), str(folder), str(clips)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1])), folder


def rows(result: Result, track_id: int) -> dict[str, bytes]:
    own = result.table.column("track_id") == track_id
    return {name: result.table.column(name)[own].tobytes() for name in COLUMNS}


def test_the_page_shows_each_stage_and_the_result(visit: tuple[dict[str, Any], Path]) -> None:
    said, _ = visit
    assert said["errors"] == []
    assert "token" not in said["address"]
    assert "Finding people" in said["states"]
    assert said["states"][-1] == "2 people, 24 frames"
    assert said["people"] == [1, 2]


def test_another_tab_shows_the_same(visit: tuple[dict[str, Any], Path]) -> None:
    assert visit[0]["other"] == ["2 people, 24 frames"]


def test_the_bvh_that_is_downloaded_is_whole(visit: tuple[dict[str, Any], Path]) -> None:
    with zipfile.ZipFile(visit[0]["bvh"]) as archive:
        texts = [archive.read(name).decode() for name in archive.namelist()]
    assert len(texts) == 2
    for text in texts:
        head, _, motion = text.partition("MOTION")
        assert head.startswith("HIERARCHY")
        channels = sum(int(count) for count in re.findall(r"CHANNELS (\d+)", head))
        frames = [line.split() for line in motion.strip().splitlines()[2:]]
        assert {len(frame) for frame in frames} == {channels}


def test_a_dragged_point_lifts_that_person_again_and_no_other(
    visit: tuple[dict[str, Any], Path],
) -> None:
    said, folder = visit
    (edit,) = said["corrections"]["edits"]
    assert {**edit, "position_px": 0} == {
        "kind": "point", "person": 2, "frame": FRAME, "joint": "left_wrist", "position_px": 0,
    }  # fmt: skip
    assert said["edits"] == ["person 2: left wrist moved in frame 12 (not lifted yet)×"]
    before, after = load_result(folder / "result"), load_result(folder / "result" / "mended")
    assert rows(before, 1) == rows(after, 1)
    assert rows(before, 2) != rows(after, 2)
    moved = after.people[1].keypoints_2d[:, WRIST] - before.people[1].keypoints_2d[:, WRIST]
    at = list(after.people[1].frame_indices).index(FRAME)
    np.testing.assert_allclose(moved[at], [25, -30], atol=1.5)  # pointers move by whole pixels
    np.testing.assert_allclose(
        after.people[1].keypoints_2d[at, WRIST], edit["position_px"], atol=0.01
    )
    np.testing.assert_allclose(said["mended"], edit["position_px"], atol=0.6)


def test_the_original_stays_and_everything_can_be_undone(
    visit: tuple[dict[str, Any], Path],
) -> None:
    said, _ = visit
    assert said["original"], "the page of the original has nothing to mend with"
    assert said["isHeld"], "edits do not change while people are lifted again"
    assert said["late"] == "corrected elsewhere meanwhile: load this page again"
    assert said["leaving"] == "beforeunload", "edits that were not lifted are not left unasked"
    assert said["undone"] == {"edits": 0, "isMended": False}


def test_sides_contacts_and_people_are_mended_by_keys_and_buttons(
    visit: tuple[dict[str, Any], Path],
) -> None:
    said, _ = visit
    assert said["split"] == [[1, 10], [2, 24], [3, 14]]
    assert said["marked"]["edits"][1:] == [
        {"kind": "swap", "person": 1, "first_frame": 3, "last_frame": 8,
         "joints": ["shoulder", "elbow", "wrist"]},
        {"kind": "contact", "person": 1, "first_frame": 3, "last_frame": 8, "part": "right_toe",
         "on": False},
        {"kind": "split", "person": 1, "frame": 10},
    ]  # fmt: skip
    assert said["together"] == [[1, 24], [2, 24]]


def test_nothing_keeps_people_out(visit: tuple[dict[str, Any], Path]) -> None:
    assert visit[0]["barriers"] == []
