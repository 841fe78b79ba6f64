"""Clips are worked through, cancelled, lifted again; a killed program goes on where it was."""

import io
import json
import signal
from pathlib import Path
from zipfile import ZipFile

import pytest

from pipeline.app.store import Clip, Store
from pipeline.results.result import load_result
from testkit.make_video import moving
from tests.pipeline.app.conftest import App


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("short") / "short.mp4", frames=8)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("long") / "long.mp4", frames=4000)


def test_a_clip_becomes_a_result_with_a_page_and_downloads(app: App, short: Path) -> None:
    clip = app.upload(short, options="%7B%22people%22%3A%22main%22%7D")
    at_work = app.until(clip["id"], "page", "failed")
    assert not at_work["has_result"], "a page without its video, yet"
    done = app.until(clip["id"], "done", "failed")
    assert (done["status"], done["frames"], done["people"]) == ("done", 8, 0)
    assert done["warnings"] == ["nobody was found in this video"]
    base = f"/clips/{clip['id']}/"
    page = app.ask(base)[1].decode()
    assert f"{base}video.mp4" in page
    status, part, headers = app.ask(f"{base}video.mp4", Range="bytes=4-7")
    assert (status, part, headers["content-type"]) == (206, b"ftyp", "video/mp4")
    assert app.ask(f"{base}poster.jpg")[1][:2] == b"\xff\xd8"
    status, _, headers = app.ask(f"{base}export/csv")
    assert status == 200
    assert 'filename="short' in headers["content-disposition"]
    assert app.ask(f"{base}export/bvh")[0] == 400
    assert app.ask(f"{base}export/nothing")[0] == 404
    assert app.ask(f"{base}files/poses.npz")[1][:2] == b"PK"
    assert app.ask(f"{base}files/clip.json")[0] == 404
    status, said, _ = app.ask(f"/api/clips/{clip['id']}/again", "POST", b'{"render": "frames"}')
    again = json.loads(said)
    assert (status, again["options"]) == (201, {"render": "frames"})
    assert again["id"] != clip["id"]
    drawn = app.until(again["id"], "done", "failed")
    assert (drawn["status"], drawn["drawn"], done["drawn"]) == ("done", ["frames.zip"], [])
    pictures = app.ask(f"/clips/{again['id']}/files/frames.zip")[1]
    assert len(ZipFile(io.BytesIO(pictures)).namelist()) == 8
    assert app.ask(f"{base}files/frames.zip")[0] == 404
    for one in (clip, again):
        assert app.ask(f"/api/clips/{one['id']}", "DELETE")[0] == 204
        assert app.ask(base)[0] == 404
    assert app.clips() == []


def test_a_broken_file_fails_in_a_line_and_the_next_clip_goes_on(
    app: App, short: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(short.read_bytes()[:200])
    first, second = app.upload(broken), app.upload(short)
    failed = app.until(first["id"], "failed")
    assert "\n" not in failed["reason"]
    assert str(tmp_path) not in failed["reason"]
    assert failed["has_result"] is False
    assert app.until(second["id"], "done", "failed")["status"] == "done"
    assert app.ask(f"/api/clips/{first['id']}/corrections", "PUT", b"{}")[0] == 404
    assert app.ask(f"/api/clips/{second['id']}/corrections", "PUT", b"{}")[0] == 400
    edits = {"format_version": 1, "edits": [{"kind": "delete", "person": 4}]}
    path = f"/api/clips/{second['id']}/corrections"
    before = app.ask(path)[2]["etag"]
    status, _, headers = app.ask(path, "PUT", json.dumps(edits), If_Match=before)
    assert status == 202
    assert app.ask(path)[2]["etag"] == headers["etag"] != before
    assert "there is no person 4" in app.until(second["id"], "failed")["reason"]
    assert json.loads(app.ask(path)[1]) == edits
    assert app.clip(second["id"])["has_result"]
    assert app.ask(path, "PUT", json.dumps(edits), If_Match=before)[0] == 412
    for one in (first, second):
        app.ask(f"/api/clips/{one['id']}", "DELETE")


def test_a_cancelled_clip_ends_at_once_and_leaves_nothing(
    app: App, short: Path, long: Path
) -> None:
    slow, waiting, other = app.upload(long), app.upload(long), app.upload(short)
    at_work = app.until(slow["id"], "detect", "failed")
    assert at_work["progress"]["total"] == 4000
    for clip in (waiting, slow):
        assert app.ask(f"/api/clips/{clip['id']}/cancel", "POST")[0] == 204
    assert app.until(other["id"], "done", "failed")["status"] == "done"
    for clip in (slow, waiting):
        now = app.clip(clip["id"])
        assert (now["status"], now["has_result"]) == ("cancelled", False)
    for clip in (slow, waiting, other):
        app.ask(f"/api/clips/{clip['id']}", "DELETE")


def test_a_killed_program_goes_on_where_it_was(short: Path, long: Path, tmp_path: Path) -> None:
    app = App(tmp_path)
    try:
        slow, waiting = app.upload(long), app.upload(short)
        app.until(slow["id"], "detect")
        app.process.send_signal(signal.SIGKILL)
        app.process.wait(30)
    finally:
        app.close()
    again = App(tmp_path)
    try:
        assert {clip["id"]: clip["status"] for clip in again.clips()}.keys() == {
            slow["id"],
            waiting["id"],
        }
        assert again.until(slow["id"], "detect", "failed")["status"] == "running"
        again.ask(f"/api/clips/{slow['id']}/cancel", "POST")
        assert again.until(waiting["id"], "done", "failed")["status"] == "done"
        result = load_result(tmp_path / "app" / waiting["id"] / "result")
        assert result.report.frames == 8
        folders = list((tmp_path / "app").rglob(".partial-*"))
        assert folders == [], "what was half done is swept away"
    finally:
        again.close()


def test_two_programs_do_not_share_a_folder(app: App, tmp_path: Path) -> None:
    first = App(tmp_path)
    try:
        with pytest.raises(AssertionError, match="another page is at work there"):
            App(tmp_path)
    finally:
        first.close()


def test_what_was_running_waits_again_and_damaged_clips_are_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    running, done = (store.add(store.new_folder(), name, {}) for name in ("a.mp4", "b.mp4"))
    store.update(running.id, status="running")
    store.update(done.id, status="done", people=2)
    damaged = store.add(store.new_folder(), "c.mp4", {})
    (store.path(damaged) / "clip.json").write_text('{"id": ')
    coming = store.new_folder()
    store.sweep()
    assert coming.exists(), "an upload is on its way"
    again = Store(tmp_path)  # to which that upload never ended
    assert [clip.status for clip in again.clips()] == ["done", "waiting"]
    assert again.next_waiting() == again.get(running.id)
    again.sweep()
    assert {path.name for path in tmp_path.iterdir()} == {running.id, done.id}
    again.delete(done.id)
    again.update(done.id, status="failed")
    assert again.get(done.id) is None
    assert isinstance(again.get(running.id), Clip)
