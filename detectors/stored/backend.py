"""The backend of keypoints made elsewhere, which is selected by `--keypoints`."""

from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError, UsageError
from core.options import option
from detectors.base import Detector, DetectorBackend
from detectors.stored.layouts import LAYOUTS


@dataclass(frozen=True)
class ReplayBackend(DetectorBackend):
    """Keypoints of one video from a file or folder."""

    name = "replay"
    about = "keypoints made elsewhere, from a file or folder"
    selected_by = "keypoints"
    one_video_only = True

    keypoints: Path = option(
        None, "keypoints made elsewhere, instead of a detector's", metavar="FILE"
    )
    keypoints_skeleton: str | None = option(
        None, "which joints those are, where the file does not say", choices=tuple(LAYOUTS)
    )

    def __post_init__(self) -> None:
        if self.keypoints is None:
            raise UsageError(
                "`keypoints_skeleton` says what the joints of `keypoints` are: give both"
            )
        super().__post_init__()

    def build(self, threads: int | None = None) -> Detector:
        """Build the detector; the file is read when a video begins."""
        from detectors.stored.replay import Replay

        return Replay(self.keypoints, self.keypoints_skeleton)

    def of_view(self, video: Path) -> "ReplayBackend":
        """The keypoints of one view: what is called like its video in the folder `keypoints`."""
        found = [path for path in self._inside() if video.stem in (path.name, path.stem)]
        if not found:
            raise InputError(
                f"{self.keypoints}: of several views it must be a folder that has the keypoints of"
                f" each under its name, and there is no {video.stem}"
            )
        return replace(self, keypoints=found[0])

    def _inside(self) -> list[Path]:
        return sorted(self.keypoints.iterdir()) if self.keypoints.is_dir() else []

    def input_files(self) -> tuple[Path, ...]:
        """The file or folder of keypoints."""
        return (self.keypoints,)
