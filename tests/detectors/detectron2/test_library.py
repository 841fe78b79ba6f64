from pathlib import Path

import pytest

import infer_video
from testkit.make_video import moving
from tests.detectors.missing_library import (
    BUILT_FOR_ANOTHER_TORCH,
    LACKS_A_MODULE,
    NOT_THERE,
    WORKS,
    pretend,
)

BUILD = "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2'"
TORCHVISION = "pip install -c constraints.txt torchvision"


@pytest.mark.parametrize(
    ("detectron2", "torchvision", "reason", "remedy"),
    [
        (NOT_THERE, WORKS, "Detectron2 is not installed", BUILD),
        (WORKS, NOT_THERE, "torchvision is not installed, which Detectron2 needs", TORCHVISION),
        (WORKS, BUILT_FOR_ANOTHER_TORCH, "torchvision::nms does not exist", TORCHVISION),
        (LACKS_A_MODULE, WORKS, "Detectron2 lacks the module fvcore", BUILD),
        ("raise ImportError('undefined symbol')", WORKS, "undefined symbol", BUILD),
    ],
)
def test_one_line_says_which_library_is_wrong_and_how_to_install_it(
    detectron2: str | None,
    torchvision: str | None,
    reason: str,
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pretend(monkeypatch, tmp_path, "detectron2", detectron2)
    pretend(monkeypatch, tmp_path, "torchvision", torchvision)
    clips = [str(moving(tmp_path / f"{i}.mp4", frames=2)) for i in range(2)]
    assert infer_video.main([*clips, "-o", str(tmp_path / "out"), "--detector", "detectron2"]) == 1
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("failed:")]
    assert len(lines) == 1, "not one for every clip"
    assert reason in lines[0]
    assert remedy in lines[0]
    assert not list(tmp_path.glob("out/*"))
