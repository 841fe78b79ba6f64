from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.skeletons import COCO_17, H36M_17
from core.types import Frame, VideoInfo, WorldPoses
from pipeline.render import scene
from pipeline.render.compose import SideBySide
from pipeline.render.figures import FigurePainter
from pipeline.render.overlay import draw_person
from pipeline.render.palette import BACKGROUND, Colour, Side, mix, track_colour
from pipeline.render.person import PersonInFrame
from pipeline.render.scene import Stage, build_stage, find_bounds

GREY = 90


def standing(x: float = 0.0, y: float = 0.0) -> NDArray[np.float64]:
    """(17, 3) m: someone 1.8 m tall with arms spread, facing the camera, so that their left is at larger x."""
    half = {"hip": (0.1, 0.95), "knee": (0.12, 0.5), "ankle": (0.14, 0.08)}
    half |= {"shoulder": (0.2, 1.5), "elbow": (0.5, 1.5), "wrist": (0.8, 1.5)}
    heights = {"pelvis": 0.95, "spine": 1.2, "thorax": 1.5, "neck_base": 1.6, "head_top": 1.8}
    joints = np.full((17, 3), np.nan)
    for place, name in enumerate(H36M_17.joints):
        if name in heights:
            joints[place] = x, y, heights[name]
        else:
            across, up = half[name[2:]]
            joints[place] = x + (across if name.startswith("l_") else -across), y, up
    return joints


def person(
    joints: NDArray[np.float64] | None = None,
    track_id: int = 1,
    scores: float = 1.0,
    keypoints: object = None,
) -> PersonInFrame:
    return PersonInFrame(
        track_id,
        np.array([20.0, 20.0, 80.0, 200.0]),
        np.full((17, 2), np.nan) if keypoints is None else np.asarray(keypoints),
        np.full(17, scores),
        np.full((17, 3), np.nan) if joints is None else joints,
    )


def world(*joints: NDArray[np.float64]) -> WorldPoses:
    return WorldPoses(np.stack(joints), "made by hand", H36M_17)


def video(width: int = 640, height: int = 360) -> VideoInfo:
    return VideoInfo(Path("clip.mp4"), width, height, 30.0, 10, 0, 0.333)


def frame(width: int = 640, height: int = 360) -> Frame:
    return Frame(3, 0.1, np.full((height, width, 3), GREY, np.uint8))


def nearness(picture: NDArray[np.uint8], colour: Colour) -> NDArray[np.int64]:
    """(H, W) largest difference of a channel."""
    return np.abs(picture.astype(np.int64) - colour).max(-1)


def along(stage: Stage, joints: NDArray[np.float64], start: str, end: str) -> tuple[int, int]:
    """Row and column of the pixel in the middle of a limb, a little off its stripe of light."""
    x, y = stage.projection.pixels(joints[H36M_17.indices((start, end))].mean(0))
    return int(y + 2), int(x + 2)


# the 3D view's camera


@pytest.mark.parametrize("size", [(720, 720), (500, 360)])
def test_a_world_point_is_where_matplotlib_draws_it(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    points = np.array([[0.7, -0.4, 1.3], [-1.0, 0.5, 0.2], [3.0, 2.0, 1.8]])
    people = [world(standing(), standing(3.0, 2.0))]
    for point in points:

        def with_dot(
            axes: scene.Axes3D, bounds: object, point: NDArray[np.float64] = point
        ) -> None:
            short = point[:, None] + np.array(
                [-0.02, 0.02]
            )  # a line, since markers are moved to whole pixels
            axes.plot(*short, color="red", lw=9, solid_capstyle="round", zorder=9)

        monkeypatch.setattr(scene, "_draw_walls", with_dot)
        stage = build_stage(people, *size)
        redness = (120 - nearness(stage.picture, (255, 0, 0))).clip(0)
        rows, columns = np.indices(redness.shape) + 0.5
        found = np.array([(redness * columns).sum(), (redness * rows).sum()]) / redness.sum()
        np.testing.assert_allclose(stage.projection.pixels(point), found, atol=0.3)


def test_depth_and_scale_go_with_distance() -> None:
    projection = build_stage([world(standing(0, 0), standing(0, 4))], 720, 720).projection
    near, far = np.array([0.0, 0.0, 1.0]), np.array([0.0, 4.0, 1.0])
    assert projection.depth(near) < projection.depth(far)
    assert projection.scale(near) > projection.scale(far)
    turned = np.radians(90 + scene.AZIMUTH_DEG)
    step = np.array([np.cos(turned), np.sin(turned), 0.0]) * 0.01  # across the view
    moved = np.linalg.norm(projection.pixels(near + step) - projection.pixels(near))
    assert moved == pytest.approx(0.01 * projection.scale(near), rel=0.05)


def test_left_and_right_agree_with_the_video() -> None:
    projection = build_stage([world(standing(-2), standing(2))], 720, 720).projection
    assert (
        projection.pixels(np.array([-2.0, 0, 1]))[0] + 200
        < projection.pixels(np.array([2.0, 0, 1]))[0]
    )


# the stage's extent


def test_everyone_stays_in_the_panel_and_is_not_tiny() -> None:
    walk = [
        standing(x, y) for x, y in zip(np.linspace(-3, 3, 100), np.linspace(0, 4, 100), strict=True)
    ]
    stage = build_stage([world(*walk), world(*[standing(1.0, -1.0)] * 100)], 720, 720)
    points = stage.projection.pixels(np.stack(walk))
    assert points.min() > 0
    assert points.max() < 720
    assert np.ptp(points[..., 1], axis=1).min() > 100


def test_one_person_fills_the_panel() -> None:
    stage = build_stage([world(standing())], 720, 720)
    points = stage.projection.pixels(standing())
    assert np.ptp(points[:, 1]) > 250


def test_a_root_lost_for_a_moment_does_not_shrink_the_rest() -> None:
    steady = [standing()] * 100
    lost = world(*steady[:-1], standing(400.0, 900.0))
    np.testing.assert_allclose(find_bounds([lost]).high, find_bounds([world(*steady)]).high)


def test_a_visitor_of_a_moment_counts() -> None:
    bounds = find_bounds([world(*[standing()] * 2000), world(*[standing(5.0)] * 5)])
    assert bounds.high[0] > 5.5


@pytest.mark.parametrize(
    "worlds", [[], [WorldPoses(np.full((4, 17, 3), np.nan), "nothing", H36M_17)]]
)
def test_nobody_is_an_empty_stage(worlds: list[WorldPoses]) -> None:
    picture = SideBySide(video(), worlds).draw(frame(), [])
    assert picture.shape == (360, 1000, 3)
    assert len(np.unique(picture[:, 640:].reshape(-1, 3), axis=0)) > 10  # floor, grid and numbers


# figures


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
    spot = along(stage, near, "pelvis", "spine")
    pictures = []
    for order in ((1, 2), (2, 1)):
        image = stage.picture.copy()
        people = {1: person(near, 1), 2: person(far, 2)}
        FigurePainter(stage).draw(image, [people[number] for number in order])
        pictures.append(image)
        hue = track_colour(1, Side.MIDDLE)
        assert np.abs(image[spot].astype(int) - hue).max() < 60
    height_of_names = int(stage.projection.pixels(near)[:, 1].min())
    np.testing.assert_array_equal(pictures[0][height_of_names:], pictures[1][height_of_names:])


def test_people_without_3d_and_strays_are_left_out() -> None:
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


# the video's side


def body(width: float = 100.0) -> NDArray[np.float64]:
    """(17, 2) px: a plain figure seen from the front; the person's left is at larger x."""
    rows = {
        "nose": 30,
        "eye": 26,
        "ear": 28,
        "shoulder": 60,
        "elbow": 100,
        "wrist": 140,
        "hip": 140,
        "knee": 200,
    }
    points = np.zeros((17, 2))
    for place, name in enumerate(COCO_17.joints):
        part = name.split("_")[-1]
        sign = 1 if name.startswith("left") else -1 if name.startswith("right") else 0
        points[place] = 150 + sign * width / 2, rows.get(part, 260)
    return points


def test_the_skeleton_is_drawn_where_the_person_is_at_the_scale_shown() -> None:
    side_by_side = SideBySide(video(1280, 720), [], max_height=360)
    points = body() * 2
    picture = side_by_side.draw(frame(1280, 720), [person(keypoints=points)])
    assert picture.shape == (360, 1000, 3)
    for side, name in ((Side.LEFT, "left_hip"), (Side.RIGHT, "right_hip")):
        x, y = points[COCO_17.index(name)] / 2
        assert nearness(picture, track_colour(1, side))[int(y), int(x)] < 25


def test_unsure_keypoints_are_thinner_and_lost_ones_absent() -> None:
    drawn = []
    for score in (0.9, 0.45, 0.1):
        image = np.full((720, 640, 3), GREY, np.uint8)
        draw_person(image, person(keypoints=body(), scores=score), 1.0)
        blank = np.full((720, 640, 3), GREY, np.uint8)
        draw_person(blank, person(), 1.0)
        drawn.append(int(np.any(image != blank, axis=-1).sum()))
    assert drawn[0] > 1.3 * drawn[1] > 0
    assert drawn[2] == 0


def test_a_missing_keypoint_takes_its_limbs_along() -> None:
    points = body()
    points[COCO_17.index("left_knee")] = np.nan
    image = np.full((360, 640, 3), GREY, np.uint8)
    draw_person(image, person(keypoints=points), 1.0)
    assert np.all(image[150:250, 200] == GREY)
    assert np.any(image[150:190, 100] != GREY)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (1768, 994, (2000, 720)),
        (1080, 1920, (1124, 720)),
        (97, 65, (898, 360)),
        (3840, 2160, (2000, 720)),
        (2, 2, (720, 360)),
    ],
)
def test_every_shape_of_video_gets_an_even_picture(
    width: int, height: int, size: tuple[int, int]
) -> None:
    side_by_side = SideBySide(video(width, height), [world(standing())])
    source = frame(width, height)
    picture = side_by_side.draw(source, [person(standing(), keypoints=body())])
    assert side_by_side.size == size
    assert (picture.shape[1], picture.shape[0]) == size
    assert np.all(source.rgb == GREY)


def test_a_picture_is_not_reused() -> None:
    side_by_side = SideBySide(video(), [world(standing())])
    first = side_by_side.draw(frame(), [person(standing())])
    kept = first.copy()
    side_by_side.draw(frame(), [])
    np.testing.assert_array_equal(first, kept)


def test_tracks_keep_their_colours_apart() -> None:
    hues = [track_colour(number) for number in range(1, 9)]
    assert len(set(hues)) == 8
    assert track_colour(9) == track_colour(1)
    with pytest.raises(ValueError, match="joints_world_m"):
        PersonInFrame(1, np.zeros(4), np.zeros((17, 2)), np.zeros(17), np.zeros((16, 3)))
