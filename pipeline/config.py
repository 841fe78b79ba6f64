"""What the user asked for, checked for contradictions before anything is opened."""

import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from core.camera import DEFAULT_FOV_RAD, intrinsics_from_fov
from core.errors import UsageError
from core.types import Intrinsics, VideoInfo
from detectors.base import AUTO
from detectors.detectron2 import DEFAULT_MODEL, DEVICES, MODELS, Device
from detectors.stored.layouts import LAYOUTS
from pipeline.grounding.world import CAMERAS, Camera
from pipeline.lifting.resampling import SMOOTHINGS, Smoothing
from pipeline.tracking.selection import PEOPLE_ORDERS, PeopleOrder


@dataclass(frozen=True)
class PipelineConfig:
    """Settings of one run; each field is the command line's flag of that name."""

    output: Path = Path("output")
    """Folder that gets one folder a video."""
    detector: str = "blazepose"
    """Who finds people and keypoints: a name of `detectors.base.NAMES`, or `auto` for the best that is at hand."""
    d2_model: str | None = None
    """Model of Detectron2's zoo, a name of `detectors.detectron2.MODELS`; None for the default."""
    d2_config: Path | None = None
    """YAML config of another model of Detectron2."""
    d2_weights: Path | None = None
    """Weights for Detectron2, instead of those of the zoo."""
    device: Device = "auto"
    """Where Detectron2 runs."""
    half: bool = False
    """Whether Detectron2 computes in half precision."""
    keypoints: Path | None = None
    """File or folder of keypoints made elsewhere, which take the detector's place."""
    keypoints_skeleton: str | None = None
    """Which joints those are, where the file does not say: a name of `detectors.stored.layouts.LAYOUTS`."""
    fps: float | None = None
    """Pictures a second, which makes a folder of numbered pictures a clip."""
    lifter: str = "lifter"
    """Name in the weights manifest, or path, of the network that lifts."""
    start: float | None = None
    """Second of the video to start at."""
    end: float | None = None
    """Second of the video to stop before."""
    people: int | Literal["all", "main"] = "all"
    """How many people to keep, the first ones in `people_order`; `main` is 1."""
    person_id: tuple[int, ...] = ()
    """Numbers of the people to keep, as an earlier run with the same `people_order` gave them; none for all."""
    people_order: PeopleOrder = "prominent"
    """How people are numbered: a name of `pipeline.tracking.selection.PEOPLE_ORDERS`."""
    smooth: Smoothing = "savgol"
    """How keypoints and joints are smoothed in time."""
    fov: float | None = None
    """Field of view across the picture's longer side, degrees."""
    focal: float | None = None
    """Focal length in pixels."""
    camera: Camera = "static"
    """Whether the camera stands still; a moving one's way is told from feet that should."""
    height_m: float | None = None
    """How tall the people are, metres; else told from their proportions."""
    rigid_bones: bool = False
    """Whether every bone of a person keeps one length."""
    render: bool = True
    """Whether the side-by-side video is made."""
    overwrite: bool = False
    """Whether a finished video is done again."""
    serve: int | None = None
    """Port of 127.0.0.1 on which a live source's picture is a web page; 0 for any that is free."""
    stream: str | None = None
    """Where a live source's poses go as JSON: `-` for stdout, `udp://HOST:PORT`."""

    def __post_init__(self) -> None:
        self._check_detectron2()
        self._check_keypoints()
        self._check_live()
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UsageError(f"--fps must be positive and at most 1000, got {self.fps:g}")
        if self.fov is not None and self.focal is not None:
            raise UsageError("--fov and --focal both say what the lens is: give one")
        if self.fov is not None and not 1 <= self.fov < 180:
            raise UsageError(f"--fov must lie between 1 and 180 degrees, got {self.fov:g}")
        if self.focal is not None and not self.focal > 0:
            raise UsageError(f"--focal must be positive, got {self.focal:g}")
        if self.start is not None and not self.start >= 0:
            raise UsageError(f"--start must not be negative, got {self.start:g}")
        if self.end is not None and not self.end > (self.start or 0):
            raise UsageError(f"--end must lie behind --start, got {self.end:g}")
        if isinstance(self.people, int) and self.people < 1:
            raise UsageError(f"--people must be 1 or more, got {self.people}")
        if self.person_id and self.people != "all":
            raise UsageError("--people and --person-id both say whom to keep: give one")
        if any(number < 1 for number in self.person_id):
            raise UsageError(f"--person-id counts from 1, got {min(self.person_id)}")
        if self.people_order not in PEOPLE_ORDERS:
            raise UsageError(
                f"--people-order must be one of {', '.join(PEOPLE_ORDERS)}, got {self.people_order}"
            )
        if self.height_m is not None and not 0.3 <= self.height_m <= 3:
            raise UsageError(f"--height-m must lie between 0.3 and 3 metres, got {self.height_m:g}")
        if self.camera not in CAMERAS:
            raise UsageError(f"--camera must be one of {', '.join(CAMERAS)}, got {self.camera}")
        if self.smooth not in SMOOTHINGS:
            raise UsageError(f"--smooth must be one of {', '.join(SMOOTHINGS)}, got {self.smooth}")

    def _check_detectron2(self) -> None:
        given = {"--d2-model": self.d2_model, "--d2-config": self.d2_config, "--d2-weights": self.d2_weights,
                 "--half": self.half, "--device": self.device != "auto"}  # fmt: skip
        flags = [flag for flag, value in given.items() if value]
        if flags and self.detector not in ("detectron2", AUTO):
            raise UsageError(f"{flags[0]} is for --detector detectron2")
        if self.d2_model not in (None, *MODELS):
            raise UsageError(f"--d2-model must be one of {', '.join(MODELS)}, got {self.d2_model}")
        if self.device not in DEVICES:
            raise UsageError(f"--device must be one of {', '.join(DEVICES)}, got {self.device}")
        if self.d2_config is not None and self.d2_model is not None:
            raise UsageError("--d2-config and --d2-model both say what the network is: give one")
        if self.d2_config is not None and self.d2_weights is None:
            raise UsageError(
                "--d2-config needs --d2-weights: there are no weights for it elsewhere"
            )
        if self.half and self.device == "cpu":
            raise UsageError("--half is for a GPU, --device cpu has none: give one")

    def _check_live(self) -> None:
        if self.serve is not None and not 0 <= self.serve <= 65535:
            raise UsageError(f"--serve must be a port, 0 to 65535, got {self.serve}")
        udp = re.fullmatch(r"udp://([^/@:]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})", self.stream or "")
        if self.stream not in (None, "-") and not (udp and 0 < int(udp[2]) <= 65535):
            raise UsageError(f"--stream must be - or udp://HOST:PORT, got {self.stream}")

    def require_file(self) -> None:
        """`UsageError` where something is asked for that only a live source has."""
        for flag, value in (("--serve", self.serve), ("--stream", self.stream)):
            if value is not None:
                raise UsageError(
                    f"{flag} is for live sources: a camera's number, an address or a FIFO"
                )

    def require_live(self) -> None:
        """`UsageError` where something is asked for that a source without a future, or a past, cannot give."""
        refused = {
            "--start": self.start is not None,
            "--camera moving": self.camera == "moving",
            "--keypoints": self.keypoints is not None,
            "--person-id": self.person_id,
            "--people-order": self.people_order != PipelineConfig.people_order,
            "--fps": self.fps is not None,
        }
        for flag, is_given in refused.items():
            if is_given:
                raise only_files(flag)

    def _check_keypoints(self) -> None:
        if self.keypoints is not None and self.detector != "blazepose":
            raise UsageError("--keypoints and --detector both say who finds people: give one")
        if self.keypoints is None and self.keypoints_skeleton is not None:
            raise UsageError(
                "--keypoints-skeleton says what the joints of --keypoints are: give both"
            )
        if self.keypoints_skeleton not in (None, *LAYOUTS):
            raise UsageError(
                f"--keypoints-skeleton must be one of {', '.join(LAYOUTS)}, got {self.keypoints_skeleton}"
            )

    @property
    def detectron2_options(self) -> dict[str, Any]:
        """What to build `detectors.detectron2.Detectron2` with."""
        model = self.d2_model or DEFAULT_MODEL
        return {
            "model": model, "config": self.d2_config, "weights": self.d2_weights, "device": self.device,
            "half": self.half,
        }  # fmt: skip

    @property
    def max_people(self) -> int | None:
        """How many tracks to keep, None for all."""
        return (
            {"all": None, "main": 1}[self.people] if isinstance(self.people, str) else self.people
        )

    def intrinsics(self, info: VideoInfo) -> Intrinsics:
        """The camera of a video: as given, else with the default field of view, and saying so."""
        if self.focal is not None:
            return Intrinsics(self.focal, self.focal, info.width / 2, info.height / 2, "given")
        if self.fov is not None:
            return intrinsics_from_fov(info.width, info.height, math.radians(self.fov), "given")
        return intrinsics_from_fov(info.width, info.height, DEFAULT_FOV_RAD, "assumed")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for reports, as JSON gives them back."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def only_files(flag: str) -> UsageError:
    """What is said of a flag that a live source cannot honour."""
    return UsageError(f"{flag} is for files: it does not go with a live source")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value
