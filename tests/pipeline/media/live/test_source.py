"""Which words of a command line are live sources, and what they are called."""

import os
from pathlib import Path

import pytest

from pipeline.media.live.source import LiveSource, parse_live_source


def test_a_word_is_a_live_source_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("7").write_bytes(b"a file after all")
    os.mkfifo("pipe.ts")
    expected = {
        "0": "camera",
        "pipe.ts": "pipe",
        "rtsp://host/a": "network",
        "HTTP://host/a": "network",
    }
    kinds = expected | dict.fromkeys(("7", "clip.mp4", "missing", "c:/clip.mp4", "file:///a"))
    assert {
        text: found.kind if (found := parse_live_source(text)) else None for text in kinds
    } == kinds


def test_a_password_is_never_shown_and_names_make_good_folders() -> None:
    source = parse_live_source("rtsp://admin:secret@10.0.0.5:554/Streaming/../1?key=secret")
    assert source is not None
    assert source.shown == "rtsp://10.0.0.5:554/Streaming/../1"
    assert source.name == "10.0.0.5_554_Streaming_.._1"
    camera = parse_live_source("0")
    assert camera is not None
    assert camera.name == "camera0"
    for text in (
        f"rtsp://host/{'語' * 300}",
        os.fsdecode(b"a\xff.ts"),
        "a\nb.ts",
        f"{'ü' * 120}.ts",
    ):
        name = LiveSource(text, "network" if "://" in text else "pipe").name
        assert name.isprintable()
        assert len(name.encode()) <= 200
