"""What of a detector's answers is kept, and that a shot says which hardships it has."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.skeletons import COCO_21
from core.types import Detections, Floats, Frame, VideoInfo
from testkit.made.motion import bvh
from tests.train.wild.made_people import Dressers
from train.__main__ import main
from train.wild.people import film
from train.wild.people.hardships import HARDSHIPS, Hardships
from train.wild.people.shots import Shots
from train.wild.synthesis.recipe import Recipe


def people(*keypoints: Floats) -> Detections:
    """A frame's detections with keypoints (21, 2) px."""
    count = len(keypoints)
    return Detections(
        0,
        np.zeros((count, 4)),
        np.ones(count),
        np.array(keypoints, float).reshape(count, 21, 2),
        np.full((count, 21), 0.8),
        np.zeros((count, 21, 3)),
        COCO_21,
    )


@pytest.fixture
def truth() -> Floats:
    """(26, 2) px of someone 200 px tall."""
    rng = np.random.default_rng(0)
    return np.asarray(rng.uniform(0, 40, (26, 2)) + np.linspace(0, 160, 26)[:, None] * (0, 1))


def test_the_detection_near_a_person_is_kept(truth: Floats) -> None:
    own = truth[film.COCO_POINTS] + 3.0
    kept, scores, _ = film._own_person(people(own + 300, own), truth)
    np.testing.assert_array_equal(kept, own)
    assert (scores == 0.8).all()
    for detections in (people(), people(own + 300)):
        kept, scores, metres = film._own_person(detections, truth)
        assert np.isnan(kept).all()
        assert np.isnan(metres).all()
        assert (scores == 0).all()


def test_the_detection_of_the_person_in_front_is_not_taken_for_the_hidden_one(
    truth: Floats,
) -> None:
    in_front = truth + np.array([25.0, 0.0])
    of_front = in_front[film.COCO_POINTS] + 2.0
    assert np.isnan(film._own_person(people(of_front), truth, in_front)[0]).all()
    kept, *_ = film._own_person(people(of_front, truth[film.COCO_POINTS]), truth, in_front)
    np.testing.assert_array_equal(kept, truth[film.COCO_POINTS])
    np.testing.assert_array_equal(film._own_person(people(of_front), truth)[0], of_front)


class Eye:
    """A detector that sees a person who fills the picture, and keeps the pictures."""

    def __init__(self) -> None:
        self.sizes: set[tuple[int, int]] = set()
        self.pictures: list[np.ndarray] = []

    def begin(self, video: VideoInfo) -> None:
        self.sizes.add((video.width, video.height))

    def detect(self, frame: Frame) -> Detections:
        height, width = frame.rgb.shape[:2]
        assert (width, height) in self.sizes
        self.pictures.append(frame.rgb)
        return people(np.random.default_rng(0).uniform(0, 1, (21, 2)) * (width, height))


@pytest.fixture
def filmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Shots, Eye]]:
    """Films two shots with hardships, or none, by one seed."""
    pytest.importorskip("moderngl", reason="moderngl (extra `film`) is not installed")
    from train.wild.people.picture import Studio

    try:
        Studio()
    except Exception as error:
        pytest.skip(f"no OpenGL without a screen here: {error}")
    motion = tmp_path / "wave.bvh"
    motion.write_text(bvh([{"place": [0, 15.6, 0], "LeftArm": [t, 0, 0]} for t in range(240)]))
    options = film.FilmOptions(mocap=[motion], makehuman=tmp_path)

    def run(hardships: Hardships | None) -> tuple[Shots, Eye]:
        eye = Eye()
        monkeypatch.setattr(film, "create", lambda *_, **__: eye)
        monkeypatch.setattr(film, "MakeHuman", lambda _: Dressers())
        crew = film.FilmCrew(options, Recipe(tumble=0.0, steep=0.0), hardships)
        return crew.film(np.random.default_rng(5), 2), eye

    return run


def test_shots_say_which_hardships_they_have(
    filmed: Callable[..., tuple[Shots, Eye]], tmp_path: Path
) -> None:
    hard, eye = filmed(Hardships(**dict.fromkeys(HARDSHIPS, 1.0)))
    hard.save(tmp_path / "shots_00000.npz")
    assert (Shots.load(tmp_path).hardships == 1).all()
    assert max(map(max, eye.sizes)) < 324  # small pictures
    again, _ = filmed(Hardships(**dict.fromkeys(HARDSHIPS, 1.0)))
    np.testing.assert_array_equal(again.keypoints, hard.keypoints)
    plain, eye = filmed(None)
    assert (plain.hardships == 0).all()
    assert min(map(max, eye.sizes)) > 400


def test_dark_shots_are_darker(filmed: Callable[..., tuple[Shots, Eye]]) -> None:
    never = dict.fromkeys(HARDSHIPS, 0.0)
    dark, plain = (
        np.mean(
            [
                picture.mean()
                for picture in filmed(Hardships(**never | {"dark": chance}))[1].pictures
            ]
        )
        for chance in (1.0, 0.0)
    )
    assert dark < 0.7 * plain


@pytest.mark.parametrize("text", ["smal=1", "small=2", "small"])
def test_bad_chances_end_the_command_line_with_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["film", "--mocap", str(tmp_path), "--makehuman", str(tmp_path), "--hard", text]
    assert main(argv) == 2
    assert f"--hard {text}: expected" in capsys.readouterr().err
