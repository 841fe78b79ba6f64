"""The 3D view's framing: judged by what is seen, in pixels, whatever the camera does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Floats
from pipeline.render.framing.plan import ORBIT_S, PlannedCamera, plan, plan_orbit
from pipeline.render.view import Lens
from testkit.walker import walking, with_feet
from tests.pipeline.render.made_people import columns, standing

FPS = 30.0
SQUARE, WIDE = Lens(720, 720), Lens(1280, 720)
Walk = list[NDArray[np.float64]]


def walk(frames: int, start: tuple[float, float], speed: tuple[float, float]) -> Walk:
    """Someone who walks on at a speed in m/s, and stumbles: their way is not quite even."""
    joints = with_feet(walking(frames, FPS))[:, :, [0, 2, 1]] * [1, 1, -1] + [0, 0, 0.9]
    time_s = np.arange(frames)[:, None] / FPS
    path = np.array(start) + time_s * speed + 0.05 * np.sin(7 * time_s)
    joints[..., :2] += path[:, None]
    return list(joints)


def seen(camera: PlannedCamera, people: Walk) -> Floats:
    """(T, J, 2) panel heights from the left and the top."""
    points = [camera.view_at(index).pixels(joints) for index, joints in enumerate(people)]
    return np.array(points) / camera.lens.height


def steps(camera: PlannedCamera, frames: int) -> Floats:
    """(T - 1, 2) panel heights that a thing at rest, where people are, moves by the view alone."""
    found = []
    for index in range(frames - 1):
        view, following = camera.view_at(index), camera.view_at(index + 1)
        aim = view.position + 4.0 * view.axes[2] + 0.5 * view.axes[0]
        found.append((following.pixels(aim) - view.pixels(aim)) / camera.lens.height)
    return np.array(found)


CLIPS: dict[str, list[Walk]] = {
    "stands": [[standing()] * 60],
    "walks across": [walk(300, (-6, 0), (1.4, 0))],
    "runs away": [walk(300, (0, 0), (1.0, 3.0))],
    "walks up and down": [walk(150, (0, 0), (1.4, 0)) + walk(150, (7, 0), (-1.4, 0))],
    "two together": [walk(240, (-5, 0), (1.3, 0.2)), walk(240, (-5.8, 0.5), (1.3, 0.2))],
    "two who meet": [walk(240, (-1.5, 0), (0.3, 0)), walk(240, (1.5, 0.6), (-0.3, 0))],
    "jumps": [[standing() + np.array([0, 0, max(0.0, 0.6 * np.sin(i / 4))]) for i in range(120)]],
    "comes late": [walk(200, (0, 0), (0.2, 0)), walk(40, (0.9, 0.5), (0.2, 0))],
}


@pytest.mark.parametrize("people", CLIPS.values(), ids=CLIPS)
def test_people_are_large_and_whole_and_the_view_never_jerks(people: list[Walk]) -> None:
    camera = plan(columns(*people), FPS, [SQUARE, WIDE])
    shown = [seen(camera, person) for person in people]
    width = camera.lens.width / camera.lens.height
    for points in shown:
        assert points.min() > 0.02
        assert points[..., 0].max() < width - 0.02
        assert points[..., 1].max() < 0.98
    heights = np.full((len(shown), max(map(len, shown))), 0.0)
    for row, points in zip(heights, shown, strict=True):
        row[: len(points)] = np.ptp(points[..., 1], axis=1)
    assert np.median(heights.max(0)) >= 0.45
    assert camera.share == pytest.approx(np.median(heights.max(0)), abs=1e-6)
    moved = steps(camera, len(people[0]))
    assert np.abs(moved).max() < 0.05  # the runner's floor passes by at 1.3 panels a second
    assert np.abs(np.diff(moved, axis=0)).max(initial=0) < 0.002


def test_the_view_stands_still_while_people_stay() -> None:
    swaying = [standing(0.2 * np.sin(index / 9)) for index in range(200)]
    camera = plan(columns(swaying), FPS, [SQUARE])
    assert not steps(camera, 200).any()


def test_a_root_lost_for_some_frames_neither_shrinks_the_rest_nor_moves_the_view() -> None:
    steady = [standing()] * 100
    for lost in (slice(40, 43), slice(97, 100)):
        damaged = list(steady)
        damaged[lost] = [standing(400.0, 900.0)] * 3
        one, other = (plan(columns(people), FPS, [SQUARE]) for people in (steady, damaged))
        for index in (0, 41, 99):
            np.testing.assert_allclose(
                one.view_at(index).position, other.view_at(index).position, atol=1e-9
            )


def test_a_person_of_a_few_frames_counts() -> None:
    camera = plan(columns([standing()] * 1000, [standing(5.0)] * 5), FPS, [SQUARE])
    points = seen(camera, [standing(5.0)] * 5)
    assert points.min() > 0
    assert points.max() < 1


def test_the_panel_is_wider_only_for_people_far_apart() -> None:
    together, apart = ([[standing(x)] * 9 for x in (-half, half)] for half in (0.6, 1.8))
    assert plan(columns(*together), FPS, [SQUARE, WIDE]).lens == SQUARE
    camera = plan(columns(*apart), FPS, [SQUARE, WIDE])
    assert camera.lens == WIDE
    assert camera.share > plan(columns(*apart), FPS, [SQUARE]).share + 0.1


def test_the_view_leaps_where_the_video_cuts_and_only_there() -> None:
    people = [standing()] * 60 + [standing(30.0)] * 60
    camera = plan(columns(people), FPS, [SQUARE], cuts=[60])
    moved = np.abs(steps(camera, 120)).max(1)
    assert np.flatnonzero(moved > 0.001).tolist() == [59]
    heights = np.ptp(seen(camera, people)[..., 1], axis=1)
    assert heights.min() > 0.45


def test_an_orbit_goes_around_people_and_keeps_them_whole() -> None:
    people = walk(300, (-2, 0), (0.5, 0))
    camera = plan_orbit(columns(people), FPS, WIDE)
    points = seen(camera, people)
    assert points.min() > 0
    assert points[..., 0].max() < 16 / 9
    assert points[..., 1].max() < 1
    assert np.median(np.ptp(points[..., 1], axis=1)) > 0.3
    quarter = round(ORBIT_S / 4 * FPS)
    for index in (0, 100):
        before, after = camera.view_at(index).axes[2], camera.view_at(index + quarter).axes[2]
        assert before[:2] @ after[:2] == pytest.approx(0, abs=1e-6)
    whole = camera.view_at(0).axes
    assert np.abs(steps(camera, 300)).max() < 0.05
    np.testing.assert_allclose(whole @ whole.T, np.eye(3), atol=1e-12)


def test_without_people_there_is_a_view_all_the_same() -> None:
    for camera in (plan(columns(), FPS, [SQUARE]), plan_orbit(columns(), FPS, SQUARE)):
        points = camera.view_at(7).pixels(standing())
        assert points.min() > 0
        assert points.max() < 720
