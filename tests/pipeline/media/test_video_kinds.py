"""Every kind of file against ffmpeg's own decoding; `benchmarks.decoders` is the same, larger."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from pipeline.media.clip import open_clip
from testkit.video_kinds import KINDS, Kind, Source, expected_frames, expected_times, psnr_db

SOURCE = Source()


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_frames_times_and_pictures_are_those_of_ffmpeg(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / f"clip.{kind.suffix}"
    try:
        kind.make(path, SOURCE)
    except AssertionError as error:
        pytest.skip(f"this ffmpeg cannot make it: {str(error).strip().splitlines()[-1]}")
    try:
        with open_clip(path) as reader:
            frames = list(reader)
    except InputError as error:
        if "this ffmpeg does not decode" not in str(error):
            raise
        pytest.skip(f"an ffmpeg of an older distribution: {error}")
    width, height = reader.info.width, reader.info.height
    expected = expected_frames(path, kind.filters, width, height)
    assert len(frames) == len(expected) == pytest.approx(SOURCE.frames * kind.frames, abs=3)
    times = [frame.time_s for frame in frames]
    np.testing.assert_allclose(times, expected_times(path), atol=0.0011)
    assert min(psnr_db(f.rgb, e) for f, e in zip(frames, expected, strict=True)) >= 30
    is_told = reader.warning is not None and "its picture becomes" in reader.warning
    assert is_told == ("two s" in kind.name), reader.warning
