import json
import os

import pytest

from core.errors import OutputError
from pipeline.live.stream import LineStream, open_stream, stream_header
from tests.pipeline.live.made_moments import moment


def test_a_reader_that_stops_reading_holds_up_nothing_and_gets_whole_lines() -> None:
    reading, writing = os.pipe()
    stream = LineStream(writing)
    stream.send_header(stream_header("camera", 160, 120, {}))
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
