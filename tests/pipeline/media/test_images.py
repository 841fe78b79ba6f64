"""Pictures as clips: upright, in the order of their numbers, one size; faults are named."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from core.errors import InputError
from pipeline.media.clip import open_clip
from pipeline.media.images import image_sequence, is_image, write_image
from pipeline.media.options import ClipOptions
from testkit.make_video import BLUE, GREEN, GREY, RED, marked, same_colour
from tests.pipeline.media.made_pictures import chunked, phone_picture, save, shots


def test_the_ending_says_what_is_a_picture() -> None:
    assert is_image(Path("IMG_0001.JPEG"))
    assert not is_image(Path("a.gif"))


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


def test_a_phone_s_picture_of_turned_tiles_is_whole_and_upright(tmp_path: Path) -> None:
    stored = cv2.rotate(marked(64, 128), cv2.ROTATE_90_CLOCKWISE)
    with open_clip(phone_picture(tmp_path / "IMG_0001.HEIC", stored)) as reader:
        [frame] = reader
    assert frame.rgb.shape == (128, 64, 3)
    for y, x, colour in ((5, 5, RED), (5, -5, GREEN), (-5, 5, BLUE), (-5, -5, GREY)):
        assert same_colour(frame.rgb[y, x], colour)


def test_a_phone_s_picture_that_is_too_large_or_gives_a_tile_alone_is_refused(
    tmp_path: Path,
) -> None:
    path = phone_picture(tmp_path / "IMG_0001.HEIC", marked(128, 64))
    data = path.read_bytes()
    whole = data.rindex(b"ispe") + 8
    path.write_bytes(data[:whole] + b"\0\1\0\0" * 2 + data[whole + 8 :])
    with pytest.raises(InputError, match="megapixels"):
        open_clip(path)
    path.write_bytes(data[:whole] + b"\0\0\1\0" * 2 + data[whole + 8 :])
    with pytest.raises(InputError, match="only a part of it can be decoded"):
        open_clip(path)


def test_jpeg_2000_is_read(tmp_path: Path) -> None:
    Image.fromarray(marked()).save(tmp_path / "scan.jp2")
    with open_clip(tmp_path / "scan.jp2") as reader:
        [frame] = reader
    assert same_colour(frame.rgb[5, 5], RED)


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


def test_a_damaged_picture_in_a_sequence_is_left_out_with_a_warning(tmp_path: Path) -> None:
    folder = shots(tmp_path / "shots", 1, 2, 3)
    (folder / "shot_2.png").write_bytes(b"")
    with open_clip(folder, ClipOptions(fps=10)) as reader:
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
        open_clip(folder, ClipOptions(fps=10)) as reader,
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


def test_a_picture_is_written_in_its_own_colours(tmp_path: Path) -> None:
    write_image(tmp_path / "made.jpg", marked())
    with open_clip(tmp_path / "made.jpg") as reader:
        [frame] = reader
    assert same_colour(frame.rgb[5, 5], RED)


def test_a_picture_whose_size_another_library_would_not_say_is_refused_by_its_head(
    tmp_path: Path,
) -> None:
    bomb = chunked(tmp_path / "bomb.png", 30000, b"pHYs", b"\0")
    with pytest.raises(InputError, match="megapixels"):
        open_clip(bomb)


def test_words_in_a_picture_do_not_reach_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = chunked(tmp_path / "words.png", 8, b"iCCP", b"\x1b[31mfailed\0\0xxxx")
    with open_clip(picture) as reader:
        [frame] = reader
    assert frame.rgb.shape == (8, 8, 3)
    assert capfd.readouterr().err == ""


def test_a_jpeg_of_thousands_of_scans_is_refused_and_an_encoder_s_is_read(tmp_path: Path) -> None:
    path = tmp_path / "progressive.jpg"
    _, coded = cv2.imencode(".jpg", marked(), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    data = coded.tobytes()
    path.write_bytes(data)
    with open_clip(path) as reader:
        assert len(list(reader)) == 1
    scan = data.rindex(b"\xff\xda")
    path.write_bytes(data[:-2] + data[scan:-2] * 200 + data[-2:])
    with pytest.raises(InputError, match="scans"):
        open_clip(path)


@pytest.mark.parametrize(
    ("taken", "kept", "expected"),
    [
        ((4032, 3024), (160, 120), 26 * 200 / 43.27),
        ((3024, 4032), (120, 160), 26 * 200 / 43.27),
        ((4032, 3024), (160, 90), None),  # cut by a program that left what the camera wrote
    ],
)
def test_the_lens_is_what_the_camera_wrote_into_the_picture(
    tmp_path: Path, taken: tuple[int, int], kept: tuple[int, int], expected: float | None
) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update({
        ExifTags.Base.FocalLengthIn35mmFilm: 26,
        ExifTags.Base.ExifImageWidth: taken[0], ExifTags.Base.ExifImageHeight: taken[1],
    })  # fmt: skip
    Image.new("RGB", kept).save(tmp_path / "photo.jpg", exif=exif)
    with open_clip(tmp_path / "photo.jpg") as reader:
        assert reader.info.focal_px == (None if expected is None else pytest.approx(expected, 1e-3))


def test_what_is_no_lens_or_damaged_says_nothing(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.jpg", marked())
    damaged = save(tmp_path / "damaged.jpg", marked(), orientation=6)
    damaged.write_bytes(damaged.read_bytes().replace(b"MM\0*\0\0\0\x08", b"MM\0*\xff\xff\xff\xff"))
    for path in (plain, damaged):
        with open_clip(path) as reader:
            assert reader.info.focal_px is None
