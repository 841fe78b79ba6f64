import json
import os
from pathlib import Path

import pytest

from core.errors import OutputError
from core.skeletons import H36M_21
from pipeline.live.stream import LineStream, open_stream, stream_header
from tests.pipeline.live.made_moments import moment


def test_a_reader_that_stops_reading_holds_up_nothing_and_gets_whole_lines() -> None:
    reading, writing = os.pipe()
    stream = LineStream(writing)
    stream.send_header(stream_header("camera", 160, 120, {}, H36M_21))
    for i in range(300):  # far more than a pipe holds
        stream.send(moment(i))
    with os.fdopen(reading, "rb") as lines:
        first, second = json.loads(lines.readline()), json.loads(lines.readline())
    stream.close()
    os.close(writing)
    assert (first["type"], second["type"]) == ("header", "frame")
    assert second["people"][0]["keypoints_px"][0] == [None, None], "JSON has no NaN"


def test_a_missing_receiver_is_an_error() -> None:
    with pytest.raises(
        OutputError, match=r"--stream udp://no\.such\.host\.invalid:9: no such receiver"
    ):
        open_stream("udp://no.such.host.invalid:9")


def test_a_file_gets_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "poses.jsonl"
    with path.open("wb") as file:
        stream = LineStream(file.fileno())
        stream.send_header(stream_header("camera", 160, 120, {}, H36M_21))
        for i in range(400):  # as fast as they can be made
            stream.send(moment(i))
        stream.close()
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [line["frame"] for line in lines[1:]] == list(range(400))


def test_a_reader_that_keeps_up_gets_every_frame() -> None:
    reading, writing = os.pipe()
    stream = LineStream(writing)
    stream.send_header(stream_header("camera", 160, 120, {}, H36M_21))
    with os.fdopen(reading, "rb") as lines:
        assert json.loads(lines.readline())["type"] == "header"
        for i in range(0, 300, 3):
            for burst in range(3):  # three at once, which a reader need not take apart in time
                stream.send(moment(i + burst))
            assert [json.loads(lines.readline())["frame"] for _ in range(3)] == [i, i + 1, i + 2]
        stream.close()
    os.close(writing)


def test_a_reader_that_went_away_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    reading, writing = os.pipe()
    stream = LineStream(writing)
    os.close(reading)
    stream.send_header(stream_header("camera", 160, 120, {}, H36M_21))
    for i in range(200):
        stream.send(moment(i))
    stream.close()
    os.close(writing)
    assert "stdout is no longer read" in caplog.text
