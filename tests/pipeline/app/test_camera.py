"""A camera picked on the page: a FIFO that ffmpeg feeds with the sample, as cameras send it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import OutputError
from core.types import Picture
from pipeline.app.camera import parse_camera
from pipeline.app.filming import film_source
from pipeline.app.pages import content_of
from pipeline.app.store import Store
from pipeline.batch.workers import new_event
from pipeline.config import PipelineConfig
from pipeline.media.ffmpeg_program import ffmpeg_program
from pipeline.media.video_writer import VideoWriter
from pipeline.results.result import load_result
from pipeline.runtime.progress import uncounted
from testkit.make_video import run_ffmpeg
from tests.pipeline.app.conftest import LONG_S, App
from weights.store import resolve


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Path]:
    """Plays two people outdoors again and again."""
    folder = tmp_path
    coded = ("-an", "-vf", "scale=320:-2", "-c:v", "libx264", "-preset", "ultrafast", "-g", "15")
    given = ("-ss", "2.2", "-t", "4", "-i", str(resolve("demo-clip")))
    run_ffmpeg(*given, *coded, str(folder / "clip.ts"))
    fifo = folder / "door.ts"
    os.mkfifo(fifo)
    played = ("-v", "quiet", "-re", "-stream_loop", "-1", "-i", str(folder / "clip.ts"))
    command = [ffmpeg_program(), *played, "-c", "copy", "-f", "mpegts", "-y", str(fifo)]
    with subprocess.Popen(command) as process:
        yield fifo
        process.kill()


def film(app: App, camera: str, **options: str) -> tuple[int, Any]:
    body = json.dumps({"camera": camera, "options": options})
    status, said, _ = app.ask("/api/cameras", "POST", body)
    return status, json.loads(said) if status == 201 else said.decode().strip()


def until_live(app: App, name: str) -> None:
    began = time.monotonic()
    while not (now := app.clip(name))["is_live"] and now["status"] in ("waiting", "running"):
        assert time.monotonic() - began < LONG_S
        time.sleep(0.1)


def test_one_that_is_cancelled_leaves_nothing(app: App, camera: Path) -> None:
    name = film(app, str(camera))[1]["id"]
    until_live(app, name)
    folder = app.output / "app" / name
    assert app.ask(f"/api/clips/{name}/cancel", "POST")[0] == 204
    while (folder / "filming").exists():
        time.sleep(0.1)
    assert sorted(path.name for path in folder.iterdir()) == ["clip.json", "source"]
    assert app.clip(name)["status"] == "cancelled"
    app.ask(f"/api/clips/{name}", "DELETE")


def test_it_is_shown_live_and_becomes_a_clip_that_can_be_corrected(app: App, camera: Path) -> None:
    status, clip = film(app, str(camera))
    assert status == 201
    name, base, api = clip["id"], f"/clips/{clip['id']}/", f"/api/clips/{clip['id']}"
    until_live(app, name)
    assert app.ask(f"{base}live.jpg")[1][:2] == b"\xff\xd8"
    time.sleep(4)
    assert app.ask(f"{api}/stop", "POST")[0] == 204
    done = app.until(name, "done", "failed")
    assert (done["status"], done["has_result"], done["is_live"]) == ("done", True, False)
    assert done["people"] >= 1
    assert app.ask(f"{base}live.jpg")[0] == 404
    assert app.ask(f"{base}poster.jpg")[1][:2] == b"\xff\xd8"
    assert f"{base}video.mp4" in app.ask(base)[1].decode()
    content = json.loads(app.ask(f"{base}content")[1])
    assert max(person["rows"]["shape"][0] for person in content["people"]) > 3
    assert app.ask(f"{base}export/csv")[0] == 200

    person = content["people"][0]["id"]
    edits = {"format_version": 1, "edits": [{"kind": "delete", "person": person}]}
    assert app.ask(f"{api}/corrections", "PUT", json.dumps(edits))[0] == 202
    mended = app.until(name, "done", "failed")
    assert (mended["status"], mended["is_corrected"]) == ("done", True)
    assert mended["people"] == done["people"] - 1
    assert app.ask(f"{api}/corrections", "PUT", '{"format_version": 1, "edits": []}')[0] == 202
    assert app.until(name, "done", "failed")["people"] == done["people"]

    again = json.loads(app.ask(f"{api}/again", "POST", "{}")[1])
    assert (again["camera"], again["name"]) == ("", "door.mp4")
    assert app.until(again["id"], "done", "failed")["status"] == "done"
    for one in (name, again["id"]):
        app.ask(f"/api/clips/{one}", "DELETE")


def test_what_was_recorded_before_a_failure_is_kept(
    camera: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(VideoWriter):
        written = 0

        def write(self, rgb: Picture, time_s: float) -> None:
            if self.written == 20:
                raise OutputError("the disk has a fault")
            super().write(rgb, time_s)
            self.written += 1

    monkeypatch.setattr("pipeline.app.filming.VideoWriter", Failing)
    (tmp_path / "clip" / "source").mkdir(parents=True)
    source, folder = parse_camera(str(camera)), tmp_path / "clip"
    config = PipelineConfig.from_flat(output=folder / "filming", render="none")
    with pytest.raises(OutputError, match="the disk has a fault"):
        film_source(source, config, folder, new_event(), uncounted)
    result = load_result(folder / "result")
    assert result.people
    assert "the recording ends early: the disk has a fault" in result.report.warnings
    assert len(json.loads((folder / "page" / "page.json").read_text())["frames"]) == 20
    assert content_of(result, folder / "page")["people"]


def test_what_is_no_camera_is_refused_in_a_line(app: App, tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"x")
    for text, said in (
        ("977", "there is no camera 977 on this machine"),
        (str(file), "is no camera: give its number, as 0, or its address"),
        ("", "is no camera: give its number, as 0, or its address"),
    ):
        status, reason = film(app, text)
        assert status == 400
        assert reason.endswith(said)
        assert "\n" not in reason
    status, reason = film(app, "rtsp://127.0.0.1:9/nothing", start="1")
    assert status == 400
    assert "`start`" in reason
    assert app.clips() == []


def test_nobody_asks_a_camera_to_film_again_when_the_program_starts(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for status in ("running", "stopping", "waiting"):
        clip = store.add(store.new_folder(), "camera0", {}, "0")
        store.update(clip.id, status=status)
    assert [clip.status for clip in Store(tmp_path).clips()] == ["cancelled"] * 3
