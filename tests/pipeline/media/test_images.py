"""Pictures as clips: upright, in the order of their numbers, one size; what cannot be used is named."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InputError
from pipeline.media.images import ImageReader, image_sequence, is_image, open_clip, write_image
from pipeline.media.video_reader import VideoReader
from tests.make_video import BLUE, GREEN, GREY, RED, marked, moving, same_colour


def save(path: Path, rgb: NDArray[np.uint8], orientation: int = 1) -> Path:
    """A JPEG or PNG; `orientation` is what a camera writes into EXIF (6: it was held upright, turn clockwise)."""
    _, data = cv2.imencode(
        path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 98]
    )
    tags = struct.pack(">HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + tags
    marker = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif if orientation > 1 else b""
    path.write_bytes(data.tobytes()[:2] + marker + data.tobytes()[2:])
    return path


def shots(folder: Path, *numbers: int) -> Path:
    """Grey pictures, each as bright as its number."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        save(folder / f"shot_{number}.png", np.full((48, 64, 3), number, np.uint8))
    return folder


def test_a_picture_is_a_clip_of_one_upright_frame(tmp_path: Path) -> None:
    held_upright = save(
        tmp_path / "photo.jpg", cv2.rotate(marked(), cv2.ROTATE_90_COUNTERCLOCKWISE), orientation=6
    )
    with open_clip(held_upright) as reader:
        [frame] = reader
    assert (reader.info.width, reader.info.height, reader.info.frame_count) == (96, 64, 1)
    assert (frame.index, frame.time_s) == (0, 0.0)
    for y, x, colour in ((5, 5, RED), (5, -5, GREEN), (-5, 5, BLUE), (-5, -5, GREY)):
        assert same_colour(frame.rgb[y, x], colour)


@pytest.mark.parametrize("stored", ["grey", "deep", "transparent"])
def test_pictures_of_other_depths_and_channels_become_rgb(stored: str, tmp_path: Path) -> None:
    bgr = cv2.cvtColor(marked(), cv2.COLOR_RGB2BGR)
    pictures = {
        "grey": bgr[..., 0],
        "deep": bgr.astype(np.uint16) * 257,
        "transparent": np.dstack([bgr, bgr[..., 0]]),
    }
    cv2.imwrite(str(tmp_path / "a.png"), pictures[stored])
    with open_clip(tmp_path / "a.png") as reader:
        [frame] = reader
    assert frame.rgb.shape == (64, 96, 3)
    assert frame.rgb.dtype == np.uint8
    if stored != "grey":
        assert same_colour(frame.rgb[5, 5], RED)


def test_numbered_pictures_are_a_clip_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", 9, 10, 100, 2)
    (folder / "notes.txt").write_text("not a picture")
    with open_clip(folder, fps=12.5) as reader:
        frames = list(reader)
    assert [frame.rgb[0, 0, 0] for frame in frames] == [2, 9, 10, 100]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.08, 0.16, 0.24])
    assert isinstance(reader, ImageReader)
    assert reader.numbers == [2, 9, 10, 100]
    assert (reader.info.fps, reader.info.frame_count, reader.info.duration_s) == (
        12.5,
        4,
        pytest.approx(0.32),
    )


def test_a_piece_of_a_sequence_keeps_its_frames_numbers_and_times(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", *range(1, 11))
    with open_clip(folder, 0.3, 0.5, fps=10) as reader:
        assert [(frame.index, frame.rgb[0, 0, 0]) for frame in reader] == [(3, 4), (4, 5)]
    with (
        open_clip(folder, 5.0, None, fps=10) as reader,
        pytest.raises(InputError, match="no picture from 5 to inf s"),
    ):
        list(reader)


def test_a_damaged_picture_in_a_sequence_is_left_out_and_said(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", 1, 2, 3)
    (folder / "shot_2.png").write_bytes(b"")
    with open_clip(folder, fps=10) as reader:
        assert [(frame.index, frame.rgb[0, 0, 0]) for frame in reader] == [(0, 1), (2, 3)]
    assert reader.warning == "1 of its pictures cannot be decoded and are left out"


def test_pictures_that_are_no_clip_are_named(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", 1, 2)
    save(folder / "title.png", marked())
    with pytest.raises(InputError, match=r"title\.png has no number"):
        image_sequence(folder)
    (folder / "title.png").rename(folder / "shot_002.jpg")
    with pytest.raises(InputError, match=r"shot_002\.jpg and shot_2\.png have the same number"):
        image_sequence(folder)
    (folder / "shot_002.jpg").unlink()
    save(folder / "shot_3.png", marked())
    with (
        open_clip(folder, fps=10) as reader,
        pytest.raises(InputError, match=r"shot_3\.png: is 96 × 64 px, shot_1"),
    ):
        list(reader)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        image_sequence(tmp_path / "none")


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.jpg: cannot be decoded"):
        open_clip(tmp_path / "text.jpg")
    with pytest.raises(InputError, match=r"gone\.jpg: no such file"):
        open_clip(tmp_path / "gone.jpg")


@pytest.mark.parametrize("side", [8193, 16000])
def test_a_picture_of_more_pixels_than_a_video_may_have_is_refused_unread(
    side: int, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "huge.png"), np.zeros((side, side), np.uint8))
    with pytest.raises(
        InputError, match=r"huge\.png: .* is more than the 67 megapixels that are read"
    ):
        open_clip(tmp_path / "huge.png")


def test_what_is_no_picture_is_opened_as_a_video(tmp_path: Path) -> None:
    with open_clip(moving(tmp_path / "a.mp4", frames=2)) as reader:
        assert isinstance(reader, VideoReader)
    assert is_image(Path("IMG_0001.JPEG"))
    assert not is_image(Path("a.gif"))


def test_a_picture_is_written_in_its_own_colours(tmp_path: Path) -> None:
    write_image(tmp_path / "made.jpg", marked())
    with open_clip(tmp_path / "made.jpg") as reader:
        [frame] = reader
    assert same_colour(frame.rgb[5, 5], RED)
