from pathlib import Path

import numpy as np
import pytest

from core.camera import project
from core.types import Intrinsics
from testkit.made.motion import bvh
from tests.train.wild.made_people import Dressers
from train.wild.people.posing import POINTS

LENS = Intrinsics(300.0, 300.0, 160.0, 120.0, "given")
FRAMES = 100


def test_people_are_where_the_truth_says_and_hide_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("moderngl", reason="moderngl (extra `film`) is not installed")
    from testkit import filmed_people

    motion = tmp_path / "wave.bvh"
    motion.write_text(bvh([{"place": [0, 15.6, 0], "LeftArm": [t, 0, 0]} for t in range(480)]))
    monkeypatch.setattr(filmed_people, "MakeHuman", lambda _: Dressers())
    try:
        film = filmed_people.FilmSet([motion], tmp_path)
    except Exception as error:
        pytest.skip(f"no OpenGL without a screen here: {error}")
    rng = np.random.default_rng(0)
    actors = [
        film.actor(rng, FRAMES, np.array(position), facing=0.0)
        for position in ((0.0, 4.0), (0.0, 6.0), (1.5, 5.0))
    ]
    camera = filmed_people.Camera(np.array([0.0, 0.0, 1.2]), 0.0, LENS)
    footage = film.film(actors, camera, np.full((240, 320, 3), 90, np.uint8))
    pictures = list(footage.pictures())
    assert len(pictures) == FRAMES

    def is_red(person: int, t: int) -> bool:
        x, y = project(footage.points[person, t, POINTS.index("spine")], LENS).astype(int)
        return int(pictures[t][y, x, 0]) - int(pictures[t][y, x, 1]) > 20

    assert all(is_red(person, t) for person in (0, 2) for t in (0, 50, 99))
    front, behind, beside = footage.visible
    assert (front == 1).all()
    assert (beside == 1).all()
    assert (behind < 0.8).all()
