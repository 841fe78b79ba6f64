from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError, UsageError
from core.types import VideoInfo
from detectors.choice import DetectOptions
from detectors.stored.backend import ReplayBackend


def test_keypoints_are_taken_where_they_are_given() -> None:
    name, why, backend = DetectOptions(settings={"keypoints": Path("k.json")}).choose()
    assert (name, why) == ("replay", "--keypoints k.json")
    assert backend == ReplayBackend(Path("k.json"))
    assert backend.input_files() == (Path("k.json"),)
    assert backend.one_video_only


@pytest.mark.parametrize(
    ("detector", "settings", "reason"),
    [
        (
            "auto",
            {"keypoints": Path("k.json")},
            "--keypoints and --detector both say who finds people: give one",
        ),
        (
            "blazepose",
            {"keypoints_skeleton": "body_25"},
            "--keypoints-skeleton says what the joints of --keypoints are: give both",
        ),
        (
            "blazepose",
            {"keypoints": Path("k.json"), "keypoints_skeleton": "body_99"},
            "--keypoints-skeleton must be one of coco_17, ",
        ),
    ],
)
def test_contradictions_name_the_flag(detector: str, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        DetectOptions(detector, settings)
    assert reason in caught.value.as_flags()


def test_a_file_is_refused_before_the_first_frame(tmp_path: Path) -> None:
    detector = ReplayBackend(tmp_path / "gone.json").build()
    with pytest.raises(InputError, match=r"gone\.json: no such file"):
        detector.begin(VideoInfo(tmp_path / "clip.mp4", 640, 360, 25.0, None, 0, None))
