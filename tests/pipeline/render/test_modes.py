"""What `--render` asks for, through the whole program."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import UsageError
from infer_video import main
from pipeline.config import PipelineConfig
from pipeline.media.images import read_image, write_image
from pipeline.media.video_reader import VideoReader, probe
from pipeline.render.options import RenderOptions
from testkit import lifters
from testkit.results import FRAMES, config_for, made_clip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A clip of one person, and the words that make a quick result of it."""
    folder = tmp_path_factory.mktemp("clip")
    clip, config = made_clip(folder), config_for(folder)
    lifter = lifters.small_lifter(folder / "small.safetensors")
    keypoints = str(dict(config.detect.settings)["keypoints"])
    return clip, [str(clip), "--keypoints", keypoints, "--lifter", str(lifter)]


def with_shipped_lifter(words: list[str]) -> list[str]:
    """The same words for people of whom something is known: halos else fill the picture."""
    return words[: words.index("--lifter")]


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["--render", "side-by-side"], (840, 360)),
        (["--render", "side-by-side", "--scale", "0.5"], (420, 180)),
        (["--render", "overlay"], (480, 360)),
        (["--render", "3d", "--scale", "2", "--theme", "light"], (960, 720)),
        (["--render", "orbit"], (480, 360)),
    ],
    ids=["side by side", "half as large", "overlay", "light", "orbit"],
)
def test_every_mode_makes_a_video_of_all_frames(
    words: list[str], size: tuple[int, int], made: tuple[Path, list[str]], tmp_path: Path
) -> None:
    assert main([*made[1], "-o", str(tmp_path), *words]) == 0
    video = probe(tmp_path / "clip" / "clip_3d.mp4")
    assert (video.width, video.height) == size
    assert video.frame_count == FRAMES


def test_the_orbit_turns_and_the_3d_view_does_not(
    made: tuple[Path, list[str]], tmp_path: Path
) -> None:
    floors = {}
    for mode in ("3d", "orbit"):
        words = [*with_shipped_lifter(made[1]), "-o", str(tmp_path / mode), "--render", mode]
        assert main(words) == 0
        with VideoReader(tmp_path / mode / "clip" / "clip_3d.mp4") as reader:
            frames = [frame.rgb[-60:].astype(int) for frame in reader]
        floors[mode] = np.abs(frames[-1] - frames[0]).max(-1)
    assert (floors["orbit"] > 25).mean() > 2 * (floors["3d"] > 25).mean() + 0.02


def test_frames_are_transparent_pictures_one_a_frame(
    made: tuple[Path, list[str]], tmp_path: Path
) -> None:
    words = [*with_shipped_lifter(made[1]), "-o", str(tmp_path), "--render", "frames"]
    assert main(words) == 0
    pictures = sorted((tmp_path / "clip").glob("*.png"))
    assert [picture.name for picture in pictures] == [
        f"clip_3d_{index:06d}.png" for index in range(FRAMES)
    ]
    for picture in pictures:
        rgba = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)
        assert rgba.shape == (360, 480, 4)
        assert (rgba[..., 3] == 0).mean() > 0.5
        assert (rgba[..., 3] > 200).mean() > 0.02


@pytest.mark.parametrize("words", [["--no-render"], ["--render", "none"]], ids=" ".join)
def test_nothing_is_drawn_where_only_data_are_wanted(
    words: list[str], made: tuple[Path, list[str]], tmp_path: Path
) -> None:
    assert main([*made[1], "-o", str(tmp_path), *words]) == 0
    names = {path.name for path in (tmp_path / "clip").iterdir()}
    assert {"poses.npz", "report.json"} <= names
    assert not any("_3d" in name for name in names)


@pytest.mark.parametrize("mode", ["overlay", "3d", "orbit"])
def test_a_picture_becomes_a_picture(mode: str, tmp_path: Path) -> None:
    write_image(tmp_path / "photo.jpg", np.full((120, 160, 3), 90, np.uint8))
    words = [str(tmp_path / "photo.jpg"), "-o", str(tmp_path / "out"), "--render", mode]
    assert main(words) == 0
    picture = read_image(tmp_path / "out" / "photo" / "photo_3d.jpg")
    assert picture is not None
    assert picture.shape == (360, 480, 3)


def test_python_callers_may_say_true_or_false() -> None:
    assert PipelineConfig.from_flat(render=False).render == RenderOptions(render="none")
    assert PipelineConfig.from_flat(render=True).render == RenderOptions()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"render": "4d"},
            "`render` must be one of side-by-side, overlay, 3d, orbit, frames, none",
        ),
        ({"theme": "blue"}, "`theme` must be one of dark, light"),
        ({"scale": 9.0}, "`scale` must lie between 0.25 and 4"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PipelineConfig.from_flat(**options)
