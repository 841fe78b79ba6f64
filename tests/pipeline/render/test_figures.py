from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.skeletons import H36M_17, H36M_21
from pipeline.render.figures import FigurePainter
from pipeline.render.floor import Floor
from pipeline.render.modes import side_by_side
from pipeline.render.palette import DARK, Colour, Side, mix, track_colour
from pipeline.render.view import View
from tests.pipeline.render.made_people import columns, frame, person, standing, video, view_of

FLOOR, PAINTER = Floor(DARK), FigurePainter(DARK.background)


def along(view: View, joints: NDArray[np.float64], start: str, end: str) -> tuple[int, int]:
    """Row and column of the pixel in the middle of a limb, a little off its stripe of light."""
    x, y = view.pixels(joints[H36M_17.indices((start, end))].mean(0))
    return int(y + 2), int(x + 2)


def test_left_and_right_limbs_differ_and_keep_the_track_s_hue() -> None:
    joints = standing()
    view = view_of(joints)
    empty = FLOOR.picture(view)
    for track_id in (1, 2, 3):
        image = empty.copy()
        PAINTER.draw(image, view, [person(joints, track_id)])
        for limb in (("shoulder", "elbow"), ("hip", "knee")):
            for side, letter in ((Side.LEFT, "l"), (Side.RIGHT, "r")):
                pixel = image[along(view, joints, f"{letter}_{limb[0]}", f"{letter}_{limb[1]}")]
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
    hazy = [mix(colour, DARK.background, share) for share in np.linspace(0, 0.35, 15)]
    return min(int(np.abs(pixel.astype(int) - shade).max()) for shade in hazy)


def test_the_nearer_person_hides_the_further_whatever_the_order() -> None:
    near, far = standing(0, 0), standing(0, 1.5)
    view = view_of(near, far)
    empty = FLOOR.picture(view)
    pixel = along(view, near, "pelvis", "spine")
    pictures = []
    for order in ((1, 2), (2, 1)):
        image = empty.copy()
        people = {1: person(near, 1), 2: person(far, 2)}
        PAINTER.draw(image, view, [people[number] for number in order])
        pictures.append(image)
        hue = track_colour(1, Side.MIDDLE)
        assert np.abs(image[pixel].astype(int) - hue).max() < 60
    height_of_names = int(view.pixels(near)[:, 1].min())
    np.testing.assert_array_equal(pictures[0][height_of_names:], pictures[1][height_of_names:])


def test_people_without_3d_and_outliers_are_left_out() -> None:
    composed = side_by_side(video(), columns([standing()]))
    empty = composed.draw(frame(), [])[:, 640:]
    half = standing()
    half[H36M_17.index("l_wrist")] = np.nan
    for joints in (None, half, standing(0.0, -500.0), standing(1e7, 1e9)):
        np.testing.assert_array_equal(composed.draw(frame(), [person(joints)])[:, 640:], empty)
    assert np.any(composed.draw(frame(), [person(standing())])[:, 640:] != empty)


def test_a_shadow_lies_under_a_jumper() -> None:
    joints = standing() + np.array([0, 0, 0.5])
    view = view_of(standing(), joints)
    empty = FLOOR.picture(view)
    image = empty.copy()
    PAINTER.draw(image, view, [person(joints)])
    x, y = view.pixels(np.array([0.0, 0.0, 0.0])).astype(int)
    assert (
        image[y - 3 : y + 3, x - 3 : x + 3].mean()
        < 0.8 * empty[y - 3 : y + 3, x - 3 : x + 3].mean()
    )


def test_feet_are_drawn_where_the_lifter_gives_them() -> None:
    joints = standing()
    view = view_of(joints)
    empty = FLOOR.picture(view)
    with_feet, without = empty.copy(), empty.copy()
    whole = person(joints)
    PAINTER.draw(with_feet, view, [whole])
    ends_at_ankles = replace(
        whole, joints_world_m=joints[:17], joint_sigma_m=np.full(17, np.nan), skeleton=H36M_17
    )
    PAINTER.draw(without, view, [ends_at_ankles])
    for side in "lr":
        sole = H36M_21.indices((f"{side}_heel", f"{side}_toe"))
        x, y = view.pixels(joints[sole].mean(0)).astype(int)
        assert with_feet[y, x].max() > without[y, x].max() + 50
    waist = along(view, joints, "pelvis", "spine")[0]
    np.testing.assert_array_equal(with_feet[:waist], without[:waist])


def test_a_limb_that_is_not_sure_fades_and_has_a_halo_and_others_do_not() -> None:
    joints, sigma_m = standing(), np.full(21, 0.03)
    view = view_of(joints)
    empty = FLOOR.picture(view)
    pictures = []
    for wrist_m in (0.03, 0.3):
        sigma_m[H36M_21.index("l_wrist")] = wrist_m
        pictures.append(empty.copy())
        PAINTER.draw(pictures[-1], view, [person(joints, sigma_m=sigma_m)])
    sure, unsure = (picture.astype(int) for picture in pictures)
    forearm = along(view, joints, "l_elbow", "l_wrist")
    assert sure[forearm].max() > unsure[forearm].max() + 50
    above = joints[H36M_21.indices(("l_elbow", "l_wrist"))].mean(0)
    above[2] += 0.15
    x, y = view.pixels(above).astype(int)
    np.testing.assert_array_equal(sure[y, x], empty[y, x])
    assert 5 < np.abs(unsure[y, x] - sure[y, x]).max() < 60
    other = along(view, joints, "r_elbow", "r_wrist")
    np.testing.assert_array_equal(sure[other], unsure[other])
