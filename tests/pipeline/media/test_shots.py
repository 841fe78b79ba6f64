"""Cuts between two views, and what looks like one."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from core.types import Frame, Picture
from pipeline.media.shots import mark_cuts
from weights.store import resolve


@pytest.fixture(scope="module")
def clip() -> list[Picture]:
    """Ten frames in a row, small."""
    capture = cv2.VideoCapture(str(resolve("demo-clip")))
    for _ in range(60):
        capture.grab()
    return [
        cv2.cvtColor(cv2.resize(capture.read()[1], (442, 248)), cv2.COLOR_BGR2RGB)
        for _ in range(10)
    ]


def cuts(pictures: list[Picture]) -> list[int]:
    marked = list(mark_cuts(Frame(i, i / 30, rgb) for i, rgb in enumerate(pictures)))
    assert [frame.index for frame in marked] == list(range(len(pictures)))
    assert all(frame.rgb is rgb for frame, rgb in zip(marked, pictures, strict=True))
    return [frame.index for frame in marked if frame.starts_shot]


def test_a_cut_is_found_at_its_first_frame(clip: list[Picture]) -> None:
    mirrored = [np.ascontiguousarray(rgb[:, ::-1]) for rgb in clip]
    assert cuts(clip[:5] + mirrored[5:]) == [5]
    assert cuts(clip[:5] + mirrored[5:6]) == [5], "also in the last frame"
    assert cuts(clip[:4] + mirrored[4:7] + clip[7:]) == [4, 7]


def test_one_shot_has_no_cut(clip: list[Picture]) -> None:
    assert cuts(clip) == []
    assert cuts([]) == []
    brighter = [np.clip(rgb * (1 + 0.1 * i), 0, 255).astype(np.uint8) for i, rgb in enumerate(clip)]
    assert cuts(brighter) == []


def test_flashes_are_no_cuts_nor_is_noise_in_the_dark(clip: list[Picture]) -> None:
    flash = np.full_like(clip[0], 255)
    assert cuts([*clip[:4], flash, *clip[5:]]) == []
    assert cuts([*clip[:4], flash, flash, flash, *clip[7:]]) == []
    assert cuts([flash, flash, *clip[2:8], flash, flash]) == []
    mirrored = [np.ascontiguousarray(rgb[:, ::-1]) for rgb in clip]
    assert cuts([*clip[:4], flash, flash, *mirrored[6:]]) == [6]
    rng = np.random.default_rng(0)
    assert cuts([rng.integers(0, 12, clip[0].shape).astype(np.uint8) for _ in range(8)]) == []


def test_frames_come_one_later_and_no_more(clip: list[Picture]) -> None:
    asked = []

    def frames() -> Iterator[Frame]:
        for i, rgb in enumerate(clip):
            asked.append(i)
            yield Frame(i, i / 30, rgb)

    marked = mark_cuts(frames())
    assert next(marked).index == 0
    assert asked == [0, 1]


def test_the_sample_clip_has_no_cut() -> None:
    capture, pictures = cv2.VideoCapture(str(resolve("demo-clip"))), []
    while (read := capture.read())[0]:
        pictures.append(cv2.resize(read[1], (221, 124)))
    assert len(pictures) == 230
    assert cuts(pictures) == []
