import numpy as np
from numpy.typing import NDArray

from core.skeletons import H36M_17
from pipeline.render.compose import SideBySide
from pipeline.render.figures import FigurePainter
from pipeline.render.palette import BACKGROUND, Colour, Side, mix, track_colour
from pipeline.render.scene import Stage
from pipeline.render.stage_plot import build_stage
from tests.pipeline.render.made_people import frame, person, standing, video, world


def along(stage: Stage, joints: NDArray[np.float64], start: str, end: str) -> tuple[int, int]:
    """Row and column of the pixel in the middle of a limb, a little off its stripe of light."""
    x, y = stage.projection.pixels(joints[H36M_17.indices((start, end))].mean(0))
    return int(y + 2), int(x + 2)


def test_left_and_right_limbs_differ_and_keep_the_track_s_hue() -> None:
    joints = standing()
    stage = build_stage([world(joints)], 720, 720)
    for track_id in (1, 2, 3):
        image = stage.picture.copy()
        FigurePainter(stage).draw(image, [person(joints, track_id)])
        for limb in (("shoulder", "elbow"), ("hip", "knee")):
            for side, letter in ((Side.LEFT, "l"), (Side.RIGHT, "r")):
                pixel = image[along(stage, joints, f"{letter}_{limb[0]}", f"{letter}_{limb[1]}")]
                own, other = (
                    _off(pixel, track_colour(track_id, shown)) for shown in (side, _OTHER[side])
                )
                assert own < 30
                assert own < other / 2
        assert (
            np.abs(np.subtract(track_colour(track_id, Side.LEFT), track_colour(track_id))).max()
            > 60
        )


_OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def _off(pixel: NDArray[np.uint8], colour: Colour) -> int:
    """How far a pixel is from a colour, haze forgiven."""
    hazy = [mix(colour, BACKGROUND, share) for share in np.linspace(0, 0.35, 15)]
    return min(int(np.abs(pixel.astype(int) - shade).max()) for shade in hazy)


def test_the_nearer_person_hides_the_further_whatever_the_order() -> None:
    near, far = standing(0, 0), standing(0, 1.5)
    stage = build_stage([world(near, far)], 720, 720)
    pixel = along(stage, near, "pelvis", "spine")
    pictures = []
    for order in ((1, 2), (2, 1)):
        image = stage.picture.copy()
        people = {1: person(near, 1), 2: person(far, 2)}
        FigurePainter(stage).draw(image, [people[number] for number in order])
        pictures.append(image)
        hue = track_colour(1, Side.MIDDLE)
        assert np.abs(image[pixel].astype(int) - hue).max() < 60
    height_of_names = int(stage.projection.pixels(near)[:, 1].min())
    np.testing.assert_array_equal(pictures[0][height_of_names:], pictures[1][height_of_names:])


def test_people_without_3d_and_outliers_are_left_out() -> None:
    side_by_side = SideBySide(video(), [world(standing())])
    empty = side_by_side.draw(frame(), [])[:, 640:]
    half = standing()
    half[H36M_17.index("l_wrist")] = np.nan
    for joints in (None, half, standing(0.0, -500.0), standing(1e7, 1e9)):
        np.testing.assert_array_equal(side_by_side.draw(frame(), [person(joints)])[:, 640:], empty)
    assert np.any(side_by_side.draw(frame(), [person(standing())])[:, 640:] != empty)


def test_a_shadow_lies_under_a_jumper() -> None:
    joints = standing() + np.array([0, 0, 0.5])
    stage = build_stage([world(standing(), joints)], 720, 720)
    image = stage.picture.copy()
    FigurePainter(stage).draw(image, [person(joints)])
    x, y = stage.projection.pixels(np.array([0.0, 0.0, 0.0])).astype(int)
    assert (
        image[y - 3 : y + 3, x - 3 : x + 3].mean()
        < 0.8 * stage.picture[y - 3 : y + 3, x - 3 : x + 3].mean()
    )
