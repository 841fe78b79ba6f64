"""Two results in one page, and in one time."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InputError
from pipeline.results.result import Result
from pipeline.viewer.__main__ import comparison, main
from pipeline.viewer.alignment import shift_by_motion
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import tumbling


def tumbler(
    folder: Path, frames: slice, start_s: float, fps: float = 30, stem: str = "a"
) -> Result:
    """One who tumbles for 5 s, of which `frames` are filmed, from `start_s` on."""
    joints = tumbling(150, seed=4)[frames]
    wobble = np.random.default_rng(2).normal(0, 0.004, joints.shape)
    times = start_s + np.arange(len(joints)) / fps
    actor = Actor(np.arange(len(joints)), joints + wobble)
    return array_result(folder, [actor], times, stem=stem)


def content(page: str) -> Any:
    found = re.search(r'id="content">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize(("frames", "start_s"), [(slice(30, 140), 0.0), (slice(0, 90), 2.5)])
def test_what_moves_alike_is_brought_into_one_time(
    frames: slice, start_s: float, tmp_path: Path
) -> None:
    whole, part = tumbler(tmp_path, slice(0, 150), 0.0), tumbler(tmp_path, frames, start_s)
    expected = frames.start / 30 - start_s
    found = shift_by_motion(whole.people[0], part.people[0])
    assert found == pytest.approx(expected, abs=0.021)
    assert shift_by_motion(part.people[0], whole.people[0]) == pytest.approx(-expected, abs=0.021)


def test_other_rates_do_not_matter(tmp_path: Path) -> None:
    fast = tumbler(tmp_path, slice(0, 150), 0.0)
    slow = tumbler(tmp_path, slice(24, 150, 2), 0.0, fps=15)
    assert shift_by_motion(fast.people[0], slow.people[0]) == pytest.approx(0.8, abs=0.021)


def test_a_page_has_both_and_the_shift(tmp_path: Path) -> None:
    first, second = tumbler(tmp_path, slice(0, 150), 0.0), tumbler(tmp_path, slice(60, 150), 0.0)
    page = content(comparison(first, second, private=True))
    assert [clip["name"] for clip in page["clips"]] == ["a, first", "a, second"]
    assert page["settings"]["compare"]["people"] == [1, 1]
    assert page["settings"]["compare"]["shift_s"] == pytest.approx(2.0, abs=0.021)
    by_hand = content(comparison(first, second, [1, 1], 0.25, True, ["before", "after"]))
    assert by_hand["settings"]["compare"]["shift_s"] == 0.25
    assert [clip["name"] for clip in by_hand["clips"]] == ["before", "after"]


def test_nobody_to_compare_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = tumbler(tmp_path, slice(0, 150), 0.0)
    with pytest.raises(InputError, match="no person 7 in it"):
        comparison(one, one, [1, 7], private=True)
    assert main([str(tmp_path / "no"), str(tmp_path / "no")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
