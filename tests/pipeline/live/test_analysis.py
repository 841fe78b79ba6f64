"""Poses of a live source, frame by frame, by detectors that are made for it."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from typing import cast

import numpy as np
import pytest

from core.skeletons import COCO_21
from core.types import Detections, Frame, Intrinsics, VideoInfo
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.live.analysis import Analysis
from pipeline.media.live.reader import LiveFrame
from pipeline.runtime.beside import Beside


class Searching:
    """Detects some people, too new to be lifted, and searches until it is told to end."""

    skeleton = COCO_21

    def __init__(self, people: int = 1) -> None:
        self.people, self.frame = people, ""
        self.done: list[str] = []
        self.may_end = threading.Event()

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None: ...

    def prepare(self) -> None: ...

    def close(self) -> None: ...

    def detect(self, frame: Frame) -> Detections:
        raise AssertionError("a live frame is searched after its known people are out")

    def detect_known(self, frame: Frame) -> Detections:
        self.frame = f"frame {frame.index}"
        self.done.append(self.frame)
        boxes = np.tile(np.array([40, 10, 80, 80], np.float32), (self.people, 1))
        points = np.ones((self.people, 21, 3), np.float32)
        scores = points[:, 0, 0]
        return Detections(
            frame.index, boxes, scores, points[..., :2], points[..., 2], points, COCO_21
        )

    def search(self) -> Callable[[], None]:
        frame = self.frame

        def search() -> None:
            self.may_end.wait()
            self.done.append(f"searched {frame}")

        return search


def frames(count: int) -> list[LiveFrame]:
    rgb = np.zeros((90, 160, 3), np.uint8)
    return [LiveFrame(index, index / 30, 0.0, rgb) for index in range(count)]


def analysis(detector: Searching, beside: Beside | None) -> Analysis:
    """Of a detector of people who are new in every frame, so that there is nothing to lift."""
    intrinsics = Intrinsics(100.0, 100.0, 80.0, 45.0, "given")
    return Analysis(detector, cast(Lifter, None), intrinsics, PipelineConfig(), beside)


def test_frames_do_not_wait_for_the_search_of_an_earlier_one() -> None:
    detector = Searching()
    with closing(Beside()) as beside:
        moments = analysis(detector, beside).moments(frames(4))
        assert [moment.frame.index for moment in moments] == [0, 1, 2, 3]
        assert detector.done == [f"frame {index}" for index in range(4)], "one search is on its way"
        detector.may_end.set()
    assert detector.done[4:] == ["searched frame 0"]


@pytest.mark.parametrize("count", [1, 3])
def test_with_nothing_beside_each_frame_is_searched_before_the_next(count: int) -> None:
    detector = Searching()
    detector.may_end.set()
    assert len([*analysis(detector, None).moments(frames(count))]) == count
    expected = [f"{done}frame {index}" for index in range(count) for done in ("", "searched ")]
    assert detector.done == expected


def test_where_no_one_was_in_view_for_a_second_frames_wait_for_the_search() -> None:
    """On a busy machine a thread that gives way would hardly get to it."""
    detector = Searching(people=0)
    with closing(Beside()) as beside:
        moments = analysis(detector, beside).moments(frames(33))
        assert len([*islice(moments, 31)]) == 31, "the search of frame 0 has not ended"
        detector.may_end.set()
        assert len([*moments]) == 2
    assert detector.done[31:] == [
        "searched frame 0", "searched frame 30", "frame 31", "searched frame 31", "frame 32",
        "searched frame 32",
    ]  # fmt: skip


def test_a_search_that_fails_ends_the_run() -> None:
    class Failing(Searching):
        def search(self) -> Callable[[], None]:
            def fail() -> None:
                raise ValueError("a broken network")

            return fail

    with closing(Beside()) as beside, pytest.raises(ValueError, match="a broken network"):
        for _ in analysis(Failing(), beside).moments(frames(100_000)):
            pass
