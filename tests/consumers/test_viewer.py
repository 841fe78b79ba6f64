"""The page of `--export html` in Chromium, opened from disk and off the net."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Floats
from pipeline.export.base import ExportOptions, write_exports
from pipeline.results.result import Result
from pipeline.viewer.__main__ import comparison
from pipeline.viewer.__main__ import main as compare
from testkit.consumers import node_modules
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import striding
from testkit.make_video import encode, turn_display

IN_VIEWER = Path(__file__).parent / "in_viewer.cjs"
FPS, BITS = 25, 8
pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="there is no chromium here"
)


@dataclass(frozen=True)
class Clip:
    """A page and the result that it shows; numbers (F,): those in the pictures, by frame."""

    page: Path
    result: Result
    numbers: list[int]


def ask(page: Path, check: str, given: Any = None) -> Any:
    """What a check of `in_viewer.cjs` says of a page that makes no error and asks for nothing."""
    words = [node_modules(), page, check, *([] if given is None else [json.dumps(given)])]
    done = subprocess.run(
        ["node", str(IN_VIEWER), *map(str, words)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["errors"] == []
    assert answer["asked"] == [f"file://{page}"]
    return answer["said"]


def numbered(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """A grey picture (H, W, 3) whose top row has a number's bits, white for 1."""
    picture = np.full((height, width, 3), 90, np.uint8)
    side = width // BITS
    for bit in range(BITS):
        level = 255 if number >> (BITS - 1 - bit) & 1 else 0
        picture[:side, bit * side : (bit + 1) * side] = level
    return picture


def made(folder: Path, people: int, times_s: Floats, stem: str) -> Result:
    """A result of people who walk side by side."""
    joints, contacts = striding(len(times_s))
    sigma, beside = np.full(joints.shape[:2], 0.08), np.array([1.2, 0, 0])
    actors = [
        Actor(np.arange(len(times_s)), joints + number * beside + [0, 4, 0], sigma, contacts)
        for number in range(people)
    ]
    return array_result(folder, actors, times_s, stem=stem)


def exported(result: Result, folder: Path, options: ExportOptions | None = None) -> Path:
    written = write_exports(result, ["html"], folder, options)
    assert written.lines == ()
    return folder / f"{result.stem}.html"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Clip]:
    """Pages by name: the steady one, a phone's upright one, one of a variable rate."""
    folder = tmp_path_factory.mktemp("pages")
    made_clips: dict[str, Clip] = {}

    def make(name: str) -> Clip:
        if name not in made_clips:
            made_clips[name] = _make(name, folder)
        return made_clips[name]

    return make


def _make(name: str, folder: Path) -> Clip:
    kept: Sequence[int] = range(120)
    options, width, height, people = "", 256, 144, 2
    path = folder / f"{name}.mp4"
    if name == "uneven":
        rng = np.random.default_rng(3)
        kept = np.flatnonzero(rng.random(140) < 0.6).tolist()
        choice = "+".join(f"eq(n\\,{number})" for number in kept)
        options = f"-vf select={choice} -fps_mode passthrough -enc_time_base 1/1000"
        pictures = [numbered(number, width, height) for number in range(140)]
    elif name == "phone":
        width, height = 144, 256
        pictures = [np.rot90(numbered(number, width, height)).copy() for number in kept]
    else:
        people = 6 if name == "six" else 2
        pictures = [numbered(number, width, height) for number in kept]
    encode(path, pictures, str(FPS), f"-pix_fmt yuv420p -bf 2 -g 40 {options}")
    if name == "phone":
        turn_display(path, 90)
    times_s = (np.array(kept) - kept[0]) / FPS
    result = made(folder, people, times_s, name)
    return Clip(exported(result, folder), result, list(kept))


@pytest.mark.parametrize("name", ["steady", "phone", "uneven", "six"])
def test_a_page_shows_all_that_the_result_has(name: str, clip: Callable[[str], Clip]) -> None:
    page, result = clip(name).page, clip(name).result
    said = ask(page, "contents")
    assert said["people"] == [person.track_id for person in result.people]
    assert said["video"] == ([144, 256] if name == "phone" else [256, 144])
    for number, person in enumerate(result.people):
        frames = np.array(said["rowFrames"][number])
        np.testing.assert_allclose(np.array(said["times"])[frames], person.times_s, atol=1e-3)
        joints = np.array(said["joints"][number]).reshape(person.joints_world_m.shape)
        np.testing.assert_allclose(joints, person.joints_world_m, atol=1.1e-3)
        keypoints = np.array(said["keypoints"][number]).reshape(person.keypoints_2d.shape)
        assert np.abs(keypoints - person.keypoints_2d).max() <= 1


@pytest.mark.parametrize("name", ["steady", "phone", "uneven"])
def test_pose_and_picture_are_of_one_frame(name: str, clip: Callable[[str], Clip]) -> None:
    """At rates from a quarter to double, and after 50 seeks; the picture says which frame it is."""
    made_clip = clip(name)
    count = len(made_clip.numbers)
    seeks = np.random.default_rng(0).integers(0, count, 50).tolist()
    rates = [0.25, 0.5, 1, 2] if name == "uneven" else [0.25, 2]
    given = {
        "bits": BITS, "numbers": made_clip.numbers, "rates": rates, "seeks": seeks, "pictures": 12,
    }  # fmt: skip
    said = ask(made_clip.page, "sync", given)
    for rate in rates:
        played = said["played"][str(rate)]
        assert played["worst"] <= 1, (rate, played)
        assert played["count"] >= 3, (rate, played)
    assert said["sought"] == [[0, 0]] * 50


def test_it_does_what_mouse_and_keys_say(clip: Callable[[str], Clip]) -> None:
    seen = ask(clip("steady").page, "use")
    start, dragged, panned, zoomed = (
        seen[name] for name in ("start", "dragged", "panned", "zoomed")
    )
    assert dragged["azimuth"] < start["azimuth"]
    assert dragged["elevation"] > start["elevation"]
    assert dragged["target"] == start["target"]
    assert panned["target"] != dragged["target"]
    assert zoomed["distance"] < panned["distance"]
    assert seen["stepped"]["frame"] == start["frame"] + 1
    assert seen["turned"]["azimuth"] != seen["stepped"]["azimuth"]
    assert seen["film"]["isFilm"]
    before, after = seen["film"], seen["toggled"]
    for name in ("overlay", "halos", "contacts", "trails"):
        assert bool(after["shows"][name]) != bool(before["shows"][name]), name
    assert after["follows"] != before["follows"]
    assert seen["changedPixels"] > 5
    assert (start["selected"], seen["chosen"]["selected"]) == (1, 2)
    assert 75 < seen["sought"]["frame"] < 105
    assert seen["themed"]["theme"] != seen["sought"]["theme"]
    assert seen["help"] > 20
    assert seen["verdicts"] >= 6


def test_it_is_usable_on_a_phone_and_by_those_who_do_not_see_it(
    clip: Callable[[str], Clip],
) -> None:
    found = ask(clip("phone").page, "layout")
    for size in ("desk", "phone"):
        assert found[size]["serious"] == []
        assert found[size]["overflow"] <= 0
        assert found[size]["picture"] == pytest.approx(found[size]["film"])
    phone = found["phone"]
    for part in ("film", "space", "scrub"):
        assert phone[part]["left"] >= 0
        assert phone[part]["right"] <= 390
        assert phone[part]["width"] > (130 if part == "film" else 330)
    assert min(phone["play"]["width"], phone["play"]["height"]) >= 40


def test_without_a_gpu_it_draws_the_same_figures(clip: Callable[[str], Clip]) -> None:
    """By a 2D canvas; and a computer that is too slow moves fewer pixels, where that helps it."""
    said = ask(clip("six").page, "plain")
    assert said["renderer"] == "Painter"
    for view, common in said["common"].items():
        assert common["pixels"] > 1000, view
        assert common["share"] > 0.8, (view, common)
    shares = said["shares"]
    assert shares["slow"] == {"moving": 0.5, "still": 1, "isRedrawn": True}
    assert shares["busy"] == shares["quick"] == {"moving": 1, "still": 1, "isRedrawn": False}


def test_the_sample_is_small_and_says_nothing_of_this_machine(filmed: Result, folder: Path) -> None:
    page = exported(filmed, folder)
    said = ask(page, "contents")
    assert said["frames"] == filmed.report.frames
    text = page.read_text(encoding="utf-8")
    assert str(filmed.report.video.path.parent) not in text
    assert str(filmed.folder) not in text
    assert str(Path.home()) + "/" not in text
    private = folder / "private"
    private.mkdir()
    alone = exported(filmed, private, ExportOptions(private=True)).read_text(encoding="utf-8")
    assert "video/mp4" in text
    assert "video/mp4" not in alone
    content = re.search(r'id="content">(.*?)</script>', alone, re.DOTALL)
    assert content is not None
    for person, packed in zip(
        filmed.people, json.loads(content[1])["clips"][0]["people"], strict=True
    ):
        minutes = len(person.times_s) / filmed.report.video.fps / 60
        assert len(json.dumps(packed)) / minutes < 300_000


def test_two_results_are_compared_in_one_time(filmed: Result, folder: Path) -> None:
    """One clip's two people, by hand; the ghost stands where the first one is."""
    page, results = folder / "compare.html", [str(filmed.folder), str(filmed.folder)]
    people = [str(person.track_id) for person in filmed.people[:2]]
    assert compare([*results, "-o", str(page), "--people", *people, "--shift", "0.5"]) == 0
    said = ask(page, "compare")
    assert said["shift"] == 0.5
    assert said["apart_m"] == pytest.approx(0, abs=1e-3)
    assert said["ghostBones"] > 15
    assert said["rows"] > 5


def test_two_videos_are_compared_in_one_time(clip: Callable[[str], Clip], folder: Path) -> None:
    """Beside each other, or either alone; the picture says which frame the second one shows."""
    first, second = clip("steady"), clip("uneven")
    page = folder / "both.html"
    page.write_text(comparison(first.result, second.result, shift_s=0.8), encoding="utf-8")
    seeks = [0, 25, 60, 100, 40]
    said = ask(page, "second", {"bits": BITS, "numbers": second.numbers, "seeks": seeks})
    assert said["films"] == "both"
    assert said["boxes"] == {
        "both": [True, True], "second": [False, True], "first": [True, False]
    }  # fmt: skip
    assert all(said["areInSight"].values()), "the 3D view has another shape for each"
    for look in said["sought"]:
        is_in = 0 <= look["at"] - 0.8 < said["duration"]
        assert look["isAway"] != is_in
        assert look["off"] == (0 if is_in else None), look
    offsets = said["offsets"]
    assert len(offsets) > 5
    assert offsets[len(offsets) // 2] < 0.4, "one that stood still would be off by seconds"
    assert said["isSettled"]
