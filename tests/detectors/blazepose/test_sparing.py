"""How often the larger landmark model looks at a person who is hard to see, live."""

from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pytest

from core.types import Picture
from detectors.blazepose.networks.choice import Networks
from detectors.blazepose.networks.models import Landmarks
from detectors.blazepose.networks.region import Region
from detectors.blazepose.sparing import EVERY, NOT_YET, see_sparingly

RGB = np.zeros((720, 1280, 3), np.uint8)
REGION = Region(600.0, 400.0, 300.0, 0.0)
LARGER = Landmarks(
    1.0,
    600 + 100 * np.random.default_rng(1).normal(size=(39, 2)),
    np.linspace(0.2, 0.9, 39),
    np.random.default_rng(2).normal(size=(39, 3)),
    REGION,
)
SMALLER = replace(
    LARGER, xy=LARGER.xy + 7, visibility=LARGER.visibility - 0.1, metres=LARGER.metres * 1.1
)


@dataclass
class Model:
    """Sees one person, at another pixel in each frame; counts its looks."""

    person: Landmarks
    looks: list[int] = field(default_factory=list)
    frame: int = 0

    def __call__(self, rgb: Picture, region: Region) -> Landmarks:
        self.looks.append(self.frame)
        return replace(self.person, xy=self.person.xy + 3 * self.frame)


@dataclass
class Both:
    """Instead of `Networks`."""

    landmarks: Model
    heavy: Model


def seen(models: Both, frames: int) -> list[Landmarks]:
    moved, people = NOT_YET, []
    for frame in range(frames):
        models.landmarks.frame = models.heavy.frame = frame
        person, moved = see_sparingly(cast(Networks, models), RGB, REGION, moved)
        people.append(person)
    return people


def test_one_look_serves_for_some_frames_in_which_the_smaller_model_sees_the_person() -> None:
    models = Both(Model(SMALLER), Model(LARGER))
    people = seen(models, 3 * EVERY)
    assert models.heavy.looks == [0, EVERY, 2 * EVERY]
    for frame, person in enumerate(people):
        assert person.xy == pytest.approx(LARGER.xy + 3 * frame), "as the larger model sees them"
        assert person.visibility == pytest.approx(LARGER.visibility)
        assert person.metres == pytest.approx(LARGER.metres)


def test_the_larger_model_looks_in_each_frame_where_the_other_does_not_see_the_person() -> None:
    models = Both(Model(replace(SMALLER, presence=0.3)), Model(LARGER))
    people = seen(models, 2 * EVERY)
    assert models.heavy.looks == [*range(2 * EVERY)]
    assert models.landmarks.looks == [0, EVERY], "it is asked again at times"
    for frame, person in enumerate(people):
        assert np.array_equal(person.xy, LARGER.xy + 3 * frame)


def test_a_person_whom_the_smaller_model_loses_is_seen_by_the_larger_one_at_once() -> None:
    models = Both(Model(SMALLER), Model(LARGER))
    _, moved = see_sparingly(cast(Networks, models), RGB, REGION, NOT_YET)
    models.landmarks.person = replace(SMALLER, presence=0.3)
    person, moved = see_sparingly(cast(Networks, models), RGB, REGION, moved)
    assert np.array_equal(person.xy, LARGER.xy)
    assert len(models.heavy.looks) == 2
    assert moved.gap is None


def test_where_there_is_one_model_it_looks_once_a_frame() -> None:
    only = Model(SMALLER)
    seen(Both(only, only), EVERY + 1)
    assert only.looks == [*range(EVERY + 1)]
