"""Pass 1 on clips cut together from the sample: who is found late, and where the view changes."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.skeletons import COCO_17
from core.types import Detections, Frame, VideoInfo
from detectors.base import Follower
from pipeline.detection import FirstPass, detect_people
from pipeline.media.options import ClipOptions
from pipeline.media.video.fitting import Size
from testkit.make_video import encode
from tests.pipeline.tracking.made_frames import made_frame

FRAMES = 40


class LateDetector:
    """Sees who is there from the frame `late` on, and follows them from `first` on.

    It stands for a finder that looks at a part of the frame at a time.
    """

    skeleton = COCO_17

    def __init__(self, late: int = 30, first: int = 8) -> None:
        self.late, self.first = late, first
        self.followed: list[int] = []

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        self.cut = False

    def detect(self, frame: Frame) -> Detections:
        self.cut |= frame.starts_shot
        return self._seen(frame.index, frame.index >= self.late)

    def follow(self, detections: Detections, row: int) -> Follower:
        def step(frame: Frame) -> Detections | None:
            assert abs(int(frame.rgb[0, 0, 0]) - shade(frame.index)) <= 1, "that very frame"
            self.followed.append(frame.index)
            return self._seen(frame.index, True) if frame.index >= self.first else None

        return step

    def close(self) -> None: ...

    @staticmethod
    def _seen(index: int, is_there: bool) -> Detections:
        return made_frame(index, [np.array([40.0 + index, 60])] if is_there else [])


def shade(index: int) -> int:
    return 20 + 3 * index


def pass_on(frames: Iterable[Frame], stage: str, total: int | None) -> Iterable[Frame]:
    return frames


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Frames that get brighter one by one."""
    pictures = [np.full((120, 160, 3), shade(i), np.uint8) for i in range(FRAMES)]
    return encode(tmp_path / "clip.mp4", pictures)


@pytest.fixture
def detect(tmp_path: Path) -> Callable[..., FirstPass]:
    def run(video: Path, detector: LateDetector, options: ClipOptions | None = None) -> FirstPass:
        return detect_people(video, options or ClipOptions(), detector, pass_on, tmp_path)

    return run


@pytest.mark.parametrize(("most_bytes", "is_kept"), [(1 << 30, True), (1000, False)])
def test_frames_come_again_as_they_are_decoded_whether_they_were_kept_or_too_many(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_bytes: int, is_kept: bool
) -> None:
    monkeypatch.setattr("pipeline.media.video.kept_frames.MAX_BYTES", most_bytes)
    options, size = ClipOptions(start=0.5, end=1.0), Size(80, 60)
    first = detect_people(clip, options, LateDetector(), pass_on, tmp_path, lambda _: size)
    if is_kept:
        clip.unlink()
    with closing(first), first.again(clip, options, size) as again:
        frames = list(again)
    assert [frame.index for frame in frames] == list(first.frame_indices)
    assert [frame.time_s for frame in frames] == list(first.times_s)
    for frame in frames:
        assert frame.rgb.shape == (60, 80, 3)
        assert np.abs(frame.rgb.astype(int) - shade(frame.index)).max() <= 2


def counts(first: FirstPass) -> list[int]:
    with closing(first.detections) as detections:
        return [len(found) for found in detections]


def test_who_is_found_late_is_followed_back_to_where_they_came_in(
    clip: Path, detect: Callable[..., FirstPass]
) -> None:
    detector = LateDetector()
    assert counts(detect(clip, detector)) == [0] * 8 + [1] * 32
    assert detector.followed == [*range(29, 6, -1)], "and not asked for after they were lost"


def test_of_a_part_of_a_clip_no_more_is_read(clip: Path, detect: Callable[..., FirstPass]) -> None:
    detector = LateDetector(first=0)
    first = detect(clip, detector, ClipOptions(start=0.4, end=1.4))
    assert first.frame_indices.tolist() == list(range(10, 35))
    assert counts(first) == [1] * 25
    assert min(detector.followed) == 10


def test_nobody_is_followed_into_another_shot(
    tmp_path: Path, detect: Callable[..., FirstPass]
) -> None:
    pictures = [np.full((120, 160, 3), shade(i), np.uint8) for i in range(FRAMES)]
    for i, rgb in enumerate(pictures):
        half = rgb[:, 80:] if i < 20 else rgb[60:]
        half[8:] = 250
    video = encode(tmp_path / "two_shots.mp4", pictures)
    first = detect(video, LateDetector(first=0))
    assert first.shot_starts == (20,)
    assert counts(first) == [0] * 20 + [1] * 20
    assert first.warnings == (
        "the picture cuts to another view at 0.80 s: people have other numbers there",
    )


def test_who_was_known_there_all_along_is_not_added_again(
    clip: Path, detect: Callable[..., FirstPass]
) -> None:
    """Lost for half a second, and found again."""

    class Losing(LateDetector):
        def detect(self, frame: Frame) -> Detections:
            return self._seen(frame.index, not 12 <= frame.index < 26)

    detector = Losing(first=0)
    assert counts(detect(clip, detector)) == [1] * FRAMES
    assert detector.followed == [*range(25, 10, -1)]
