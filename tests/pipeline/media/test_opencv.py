import os
import subprocess
import sys

import cv2
import pytest

from pipeline.media.opencv import capture_options, mute_opencv

IMPORTS = """
import cv2, os
before = cv2.utils.logging.getLogLevel(), dict(os.environ)
import pipeline.media.clip, pipeline.media.live.reader
assert (cv2.utils.logging.getLogLevel(), dict(os.environ)) == before
"""


def test_importing_the_readers_changes_nothing_for_the_host_program() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


def test_muting_keeps_a_log_level_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_LOGLEVEL", "32")
    mute_opencv()
    assert os.environ["OPENCV_FFMPEG_LOGLEVEL"] == "32"
    assert cv2.utils.logging.getLogLevel() == cv2.utils.logging.LOG_LEVEL_FATAL


def test_capture_options_hold_inside_their_block_and_keep_those_that_are_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    monkeypatch.delenv(name, raising=False)
    options = {"protocol_whitelist": "file", "format_whitelist": "mov,avi"}
    with capture_options(options):
        assert os.environ[name] == "protocol_whitelist;file|format_whitelist;mov,avi"
    assert name not in os.environ
    monkeypatch.setenv(name, "probesize;32")
    with capture_options(options):
        assert os.environ[name].endswith("mov,avi|probesize;32")
    assert os.environ[name] == "probesize;32"
