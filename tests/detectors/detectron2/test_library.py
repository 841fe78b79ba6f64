from pathlib import Path

import pytest

import infer_video
from testkit.make_video import moving
from tests.detectors.detectron2.missing_library import BUILT_FOR_ANOTHER_TORCH, NOT_THERE, pretend


@pytest.mark.parametrize(
    ("source", "reason"),
    [(NOT_THERE, "not installed"), (BUILT_FOR_ANOTHER_TORCH, "torchvision::nms does not exist")],
)
def test_one_line_says_what_is_wrong_with_the_library_and_how_to_install_it(
    source: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pretend(monkeypatch, tmp_path, source)
    clips = [str(moving(tmp_path / f"{i}.mp4", frames=2)) for i in range(2)]
    assert infer_video.main([*clips, "-o", str(tmp_path / "out"), "--detector", "detectron2"]) == 1
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("failed:")]
    assert len(lines) == 1, "not one for every clip"
    assert reason in lines[0]
    assert (
        "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2'"
        in lines[0]
    )
    assert not list(tmp_path.glob("out/*"))
