"""Results of known motion, without a video or a network: arrays, and a report that fits them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_17, H36M_21, Skeleton
from core.types import Array, Floats, Intrinsics, VideoInfo
from pipeline.results.report import Report
from pipeline.results.report_parts import DetectorReport, PersonReport
from pipeline.results.result import Result

_SIZE = 640, 480
_CHUNK_ROWS = 2000


@dataclass(frozen=True)
class Actor:
    """One person: frames (T,), joints_m (T, J, 3) world axes, z up; others (T, …), or their usual
    values."""

    frames: NDArray[np.int64]
    joints_m: Floats
    sigma_m: Floats | None = None
    contacts: NDArray[np.bool_] | None = None
    observed: NDArray[np.bool_] | None = None


@dataclass
class ArrayTable:
    """A `PoseTable` of columns in memory, by name."""

    keypoints: Skeleton
    joints: Skeleton
    columns: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["frame_index"])

    def chunks(self, name: str) -> Iterator[Array]:
        """See `PoseTable`."""
        for start in range(0, len(self), _CHUNK_ROWS):
            yield self.columns[name][start : start + _CHUNK_ROWS]

    def column(self, name: str) -> Array:
        """See `PoseTable`."""
        return self.columns[name]


def array_result(
    folder: Path,
    actors: Sequence[Actor],
    times_s: Floats,
    skeleton: Skeleton = H36M_21,
    stem: str = "clip",
) -> Result:
    """A result of people in a video whose frame i is at `times_s[i]`.

    Args:
        folder: What the result says that it lies in.
        actors: The people, by track id from 1.
        times_s: (F,) seconds.
        skeleton: Of their joints.
        stem: What the video is called.
    """
    parts = [_columns(number + 1, actor, times_s) for number, actor in enumerate(actors)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["track_id"], columns["frame_index"]))
    table = ArrayTable(COCO_17, skeleton, {name: values[order] for name, values in columns.items()})
    fps = (len(times_s) - 1) / float(times_s[-1] - times_s[0]) if len(times_s) > 1 else 1.0
    width, height = _SIZE
    people = tuple(
        PersonReport(
            i + 1, int(actor.frames[0]), int(actor.frames[-1]), len(actor.frames), 0, "given"
        )
        for i, actor in enumerate(actors)
    )
    report = Report(
        video=VideoInfo(folder / f"{stem}.mp4", width, height, fps, len(times_s), 0, None),
        intrinsics=Intrinsics(600, 600, width / 2, height / 2, "given"),
        detector=DetectorReport("none", "made"),
        weights={},
        config={},
        grounding="given",
        frames=len(times_s),
        people=people,
        measures={},
    )
    return Result(folder, report, table)


def _columns(track_id: int, actor: Actor, times_s: Floats) -> dict[str, Array]:
    count, joints = actor.joints_m.shape[:2]
    observed = actor.observed
    if observed is None:
        observed = np.ones((count, len(COCO_17)), bool)
    sigma, contacts = actor.sigma_m, actor.contacts
    root = actor.joints_m[:, 0]
    return {
        "frame_index": actor.frames.astype(np.int64),
        "track_id": np.full(count, track_id, np.int64),
        "time_s": np.asarray(times_s, np.float64)[actor.frames],
        "keypoints_2d": np.full((count, len(COCO_17), 2), 100.0, np.float32),
        "keypoint_scores": np.where(observed, 0.9, 0.0).astype(np.float32),
        "observed": observed,
        "joints_camera_m": (actor.joints_m - root[:, None]).astype(np.float32),
        "root_camera_m": root.astype(np.float32),
        "joints_world_m": actor.joints_m.astype(np.float32),
        "joint_sigma_m": (np.full((count, joints), np.nan) if sigma is None else sigma).astype(
            np.float32
        ),
        "contacts": np.zeros((count, 4), bool) if contacts is None else contacts,
    }
