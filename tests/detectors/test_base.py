"""The registry of detectors: a backend that a test defines is known, checked, chosen and built."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core.errors import DetectorError, UsageError
from core.options import option
from core.skeletons import COCO_17
from core.types import Detections, Frame, VideoInfo
from detectors import base
from detectors.base import AUTO, Availability, Detector, DetectorBackend, backends, detect_all
from detectors.choice import DetectOptions, create, detector_names, option_fields


class Toy:
    """Finds one person in every second frame."""

    skeleton = COCO_17

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None: ...

    def detect(self, frame: Frame) -> Detections:
        people = frame.index % 2
        return Detections(
            frame.index, np.zeros((people, 4)), np.ones(people), np.zeros((people, 17, 2)),
            np.ones((people, 17)), np.full((people, 17, 3), np.nan), COCO_17,
        )  # fmt: skip

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test defines is forgotten after it."""
    backends()
    monkeypatch.setattr(base, "BACKENDS", base.BACKENDS.copy())


@pytest.fixture
def toy() -> type[DetectorBackend]:
    @dataclass(frozen=True)
    class ToyBackend(DetectorBackend):
        name = "toy"
        about = "every second frame"
        prefer = True

        toy_size: int = option(3, "how large (default: %(default)s)", at_least=1)
        toy_file: Path | None = option(None, "a file")

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.toy_size > 9 and self.toy_file is None:
                raise UsageError("`toy_size` needs `toy_file`")

        def available(self) -> Availability:
            return Availability(self.toy_size > 5, f"a toy of {self.toy_size}")

        def build(self, threads: int | None = None) -> Detector:
            return Toy(threads)

    return ToyBackend


def flags(error: pytest.ExceptionInfo[UsageError]) -> str:
    return error.value.as_flags()


def test_a_backend_is_known_by_being_defined(toy: type[DetectorBackend]) -> None:
    blazepose = ("blazepose", "blazepose-heavy", "blazepose-movenet")
    names = (*blazepose, "detectron2", "keypointrcnn", "rtmpose")
    assert list(backends()) == [*names, "replay", "toy"]
    assert backends()["toy"] is toy
    assert detector_names() == (*names, "toy", AUTO)
    assert [entry.name for entry in option_fields()][-2:] == ["toy_size", "toy_file"]


def test_tests_leave_no_backend_behind() -> None:
    assert "toy" not in backends()


@pytest.mark.parametrize("taken", ["blazepose", AUTO])
def test_a_name_is_taken_once(taken: str) -> None:
    with pytest.raises(ValueError, match=f"there is a detector '{taken}' already"):

        class Other(DetectorBackend):
            name = taken


def test_a_backend_is_built_with_its_options(toy: type[DetectorBackend]) -> None:
    options = DetectOptions("toy", {"toy_size": 7, "toy_file": Path("a")})
    name, why, backend = options.choose()
    assert (name, why, backend) == ("toy", "asked for", toy(toy_size=7, toy_file=Path("a")))
    detector = backend.build(threads=3)
    assert isinstance(detector, Toy)
    assert detector.threads == 3
    plain = options.as_dict()
    assert list(plain) == ["detector", *(entry.name for entry in option_fields())]
    assert (plain["detector"], plain["toy_size"], plain["toy_file"]) == ("toy", 7, "a")
    assert isinstance(create("toy", toy_size=2), Toy)


@pytest.mark.usefixtures("toy")
def test_auto_takes_a_backend_that_is_preferred_and_available() -> None:
    size = {"toy_size": 6}
    name, why, _ = DetectOptions(AUTO, size).choose()
    assert (name, why.endswith("a toy of 6")) == ("toy", True)
    name, why, backend = DetectOptions(AUTO).choose()
    assert (name, backend) == ("blazepose", backends()["blazepose"]())
    assert why.endswith("; a toy of 3")


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("detector", "settings", "reason"),
    [
        ("blazepose", {"toy_size": 4}, "--toy-size is for --detector toy"),
        ("toy", {"half": True}, "--half is for --detector detectron2"),
        ("toy", {"toy_size": 0}, "--toy-size must be 1 or more, got 0"),
        (AUTO, {"toy_size": 10}, "--toy-size needs --toy-file"),
        (
            "teddy",
            {},
            "--detector must be one of blazepose, blazepose-heavy, blazepose-movenet, detectron2,"
            " keypointrcnn, rtmpose, toy",
        ),
        ("toy", {"teddy": 1}, "--teddy is an option of no detector"),
        ("replay", {}, "--detector must be one of"),
    ],
)
def test_options_that_do_not_go_together_are_named(
    detector: str, settings: dict[str, object], reason: str
) -> None:
    with pytest.raises(UsageError) as caught:
        DetectOptions(detector, settings)
    assert reason in flags(caught)


@pytest.mark.usefixtures("toy")
def test_an_option_with_its_default_value_goes_with_any_detector() -> None:
    options = DetectOptions("blazepose", {"toy_size": 3, "device": "auto", "half": False})
    assert options.as_dict() == DetectOptions().as_dict()


def test_an_unknown_detector_names_the_known_ones() -> None:
    with pytest.raises(DetectorError, match="no detector 'nope'; there is blazepose"):
        create("nope")


def test_the_registry_imports_no_network() -> None:
    code = (
        "import sys; from detectors.choice import DetectOptions, option_fields; option_fields();"
        "DetectOptions().choose();"
        "sys.exit(any(m in sys.modules for m in"
        " ('cv2', 'ai_edge_litert', 'torch', 'detectron2', 'rtmlib')))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0


class Batches(Toy):
    """As `Toy`, four frames at once."""

    batch_size = 4

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        self.sizes.append(len(frames))
        return [self.detect(frame) for frame in frames]


@pytest.mark.parametrize("detector", [Toy(), Batches()], ids=["single", "batches"])
def test_frames_stay_in_order(detector: Toy) -> None:
    def clip() -> Iterator[Frame]:
        for index in range(10):
            yield Frame(index, index / 25, np.zeros((4, 4, 3), np.uint8))

    detected = list(detect_all(detector, clip()))
    assert [(frame.index, people.frame_index, len(people)) for frame, people in detected] == [
        (index, index, index % 2) for index in range(10)
    ]
    if isinstance(detector, Batches):
        assert detector.sizes == [4, 4, 2]
