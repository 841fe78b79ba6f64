"""Which files and sockets are opened when what is read means harm, as the system sees it.

`python -m benchmarks.hostile FOLDER` does the same with each file of a folder.
"""

import shutil
import sys
from pathlib import Path

import pytest

from pipeline.media.ffmpeg_program import ffmpeg_program
from testkit.hostile import ROOT, harm, words_for
from testkit.make_video import moving
from testkit.watched_program import can_watch, watch

CORPUS = Path(__file__).parent / "corpus"
SECRET = Path("/etc/hostname")

pytestmark = pytest.mark.skipif(
    not can_watch(), reason="no strace that may trace: apt-get install strace"
)

LISTS = {
    "concat.mp4": "ffconcat version 1.0\nfile {}\n",
    "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "hls.avi": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nfile:{}\n#EXT-X-ENDLIST\n",
    "web.mov": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
    "dash.mkv": "<MPD type='static'><Period><AdaptationSet mimeType='video/mp4'><Representation "
    "id='1' bandwidth='9'><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "stream.mp4": "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "picture.png": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}"/></svg>',
    "list.jpg": "{}\n",
}


def test_clips_open_themselves_and_their_results_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, out = tmp_path / "clips", tmp_path / "out"
    clips.mkdir()
    out.mkdir()
    monkeypatch.setenv("TMPDIR", str(out))
    neighbour = moving(tmp_path / "neighbour.ts")
    for name, text in LISTS.items():
        (clips / name).write_text(text.format(neighbour))
    for end in ("mp4", "webm"):  # by OpenCV and by ffmpeg
        codec = {"mp4": "-c:v libx264", "webm": "-c:v libvpx -deadline realtime"}[end]
        moving(clips / f"good_{end}.{end}", options=codec)
    words = [sys.executable, "-B", "infer_video.py", clips, "-o", out, "--workers", "2"]
    done = watch([*words, "--export", "npz"], ROOT)
    assert not list(harm(done, out, clips)), done.said
    assert done.status == 1
    assert (out / "good_mp4" / "report.json").is_file()
    assert (out / "good_webm" / "report.json").is_file()
    videos = [name for name in LISTS if not name.endswith((".png", ".jpg"))]
    assert done.said.count("failed: ") == len(videos), done.said
    assert done.written, "the results"
    assert done.started <= {Path(sys.executable), Path(ffmpeg_program())} | _other_ffmpegs()


def _other_ffmpegs() -> set[Path]:
    """Those that are asked for their version, of which the newest is taken."""
    found = shutil.which("ffmpeg")
    return {Path(found)} if found else set()


@pytest.mark.parametrize(
    "name",
    ["npz/npz_descrk_tuple.npz", "checkpoint/mp_k0.bin", "toml/t_hugef.toml"],
)
def test_other_inputs_open_themselves_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, out = moving(tmp_path / "clip.mp4"), tmp_path / "out"
    out.mkdir()
    monkeypatch.setenv("TMPDIR", str(out))
    done = watch(words_for(CORPUS / name, clip, out), ROOT)
    assert not list(harm(done, out, CORPUS / name, clip)), done.said
    assert done.status


def test_what_is_opened_outside_is_seen(tmp_path: Path) -> None:
    """The watch itself."""
    done = watch([sys.executable, "-c", f"import socket; open('{SECRET}'); socket.socket()"], ROOT)
    assert SECRET in done.opened
    assert done.opened_outside(tmp_path, Path(sys.prefix), Path(sys.base_prefix), Path("/usr"))
    assert done.sockets
    done = watch([sys.executable, "-c", f"open('{tmp_path}/a', 'w'); open('{SECRET}')"], ROOT)
    assert done.written_outside(Path("/dev")) == [tmp_path / "a"]
    assert not done.written_outside(tmp_path)
