"""Pass 1: a video's frames → everyone's keypoints.

The video is read once. A person who is found late is then followed back in time to where they came
in, on those frames alone.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.skeletons import COCO_21
from core.types import Detections, Floats, Frame, Intrinsics, VideoInfo
from detectors.base import (
    Detector,
    Follower,
    SmoothedDetector,
    TwoWayDetector,
    WarningDetector,
    detect_all,
)
from lifter.predict import Lifter
from pipeline.lifting.options import LiftOptions
from pipeline.lifting.people import Lifting
from pipeline.media.clip import open_clip
from pipeline.media.frame_times import measured
from pipeline.media.options import ClipOptions
from pipeline.media.reread import Rereader
from pipeline.media.shots import mark_cuts
from pipeline.media.video.fitting import Size
from pipeline.media.video.kept_frames import KeptFrames
from pipeline.results.detections import DetectionSpool, StoredDetections, TrackRows
from pipeline.runtime.prefetch import prefetch
from pipeline.runtime.progress import StageProgress
from pipeline.tracking.clothes import Clothes
from pipeline.tracking.tracker import find_tracklets, track_people
from pipeline.tracking.tracklet import Observation

SAME_PERSON_OKS = 0.5
"""A person followed back who is as like someone known there has become one with them."""
SURE_SIDE_PX = 256
"""A person as large as that in a small picture is seen in it as well as in the frame itself."""
CHUNK_BYTES = 32 << 20
"""So much of a video is held to go through it backwards."""


@dataclass(frozen=True)
class FirstPass:
    """What is kept of a video of F frames.

    info: The video, as measured where all of it was read.
    frame_indices: (F,) `Frame.index`.
    times_s: (F,) seconds.
    detections: Those of each frame.
    kept: The frames, small; None where none were asked for.
    shot_starts: The indices, among the F, of frames that begin another shot.
    is_smoothed: Whether keypoints were smoothed before.
    warnings: What is odd about the video and its keypoints, a line each.
    clothes: What people wear; None where the frames were not seen.
    """

    info: VideoInfo
    frame_indices: NDArray[np.int64]
    times_s: Floats
    detections: StoredDetections
    kept: KeptFrames | None
    shot_starts: tuple[int, ...]
    is_smoothed: bool
    warnings: tuple[str, ...]
    clothes: Clothes | None = None

    def close(self) -> None:
        """Delete what is kept of the video."""
        self.detections.close()
        if self.kept is not None:
            self.kept.close()

    def again(
        self, video: Path, options: ClipOptions, size: Size
    ) -> AbstractContextManager[Iterable[Frame]]:
        """The frames once more, of a size: those that were kept, or else decoded again.

        Args:
            video, options: As for `detect_people`.
            size: px.
        """
        if self.kept is not None and self.kept.is_whole and self.kept.size == size:
            return self.kept
        return open_clip(video, options, size)

    def tracks(self) -> list[TrackRows]:
        """The people in it, followed through all frames, numbered by their first."""
        return track_people(self.detections, self.info.fps, None, self.shot_starts, self.clothes)

    def lifting(self, lifter: Lifter, intrinsics: Intrinsics, options: LiftOptions) -> Lifting:
        """What the people in it are lifted with."""
        return Lifting(
            self.frame_indices, self.times_s, lifter, intrinsics, options, self.is_smoothed
        )


def detect_people(
    video: Path,
    options: ClipOptions,
    detector: Detector,
    progress: StageProgress,
    folder: Path,
    keep: Callable[[VideoInfo], Size | None] = lambda _: None,
    watch: Callable[[Iterable[Frame]], Iterable[Frame]] = iter,
) -> FirstPass:
    """Find everyone in a video.

    Args:
        video: The clip.
        options: Which part of it.
        detector: Who finds people.
        progress: Is told how far it has come.
        folder: Where detections and frames are kept, in nameless files.
        keep: The size that the frames of a video are to be kept at, for `FirstPass.again`.
        watch: Gets the frames and gives them on.

    Returns:
        What is kept; the caller closes it.

    Raises:
        InputError: The clip cannot be read.
    """
    times, shot_starts, clothes = array("d"), [], Clothes()
    with ExitStack() as undo:
        detections = DetectionSpool(COCO_21, folder)
        undo.callback(detections.close)  # unless all goes well
        with open_clip(video, options) as reader:
            detector.begin(reader.info, reader.picture_numbers)
            passing = watch(reader)
            kept = _kept_frames(reader.info, keep(reader.info), folder)
            if kept is not None:
                undo.callback(kept.close)
                passing = kept.passing(passing)
            with closing(prefetch(mark_cuts(passing))) as frames:
                counted = progress(frames, "detect", reader.info.frame_count)
                for frame, detected in detect_all(detector, counted):
                    if frame.starts_shot:
                        shot_starts.append(len(times))
                    in_frame = detected.to_skeleton(COCO_21)
                    clothes.look(len(times), frame.rgb, in_frame)
                    detections.append(in_frame)
                    times.append(frame.time_s)
        is_whole = options.start is None and options.end is None
        info = measured(reader.info, np.array(times)) if is_whole else reader.info
        if isinstance(detector, TwoWayDetector):
            with Rereader(
                video, options, info, detections.frame_indices, np.array(times)
            ) as reread:
                follow_back(detections, shot_starts, info, detector, reread, kept)
        undo.pop_all()
    warnings = [reader.warning] if reader.warning else []
    if isinstance(detector, WarningDetector):
        warnings += detector.warnings(info)
    if shot_starts:
        more = len(shot_starts) - 1
        others = {0: "", 1: " and once more"}.get(more, f" and {more} times more")
        warnings.append(
            f"the picture cuts to another view at {times[shot_starts[0]]:.2f} s{others}: "
            "people have other numbers there"
        )
    return FirstPass(
        info,
        detections.frame_indices,
        np.array(times),
        detections,
        kept,
        tuple(shot_starts),
        isinstance(detector, SmoothedDetector) and detector.is_smoothed,
        tuple(warnings),
        clothes,
    )


def _kept_frames(info: VideoInfo, size: Size | None, folder: Path) -> KeptFrames | None:
    """Room for a video's frames of a size; None where they are too many, or none are wanted."""
    if size is None or (info.frame_count or 0) > KeptFrames.most(size, folder):
        return None
    return KeptFrames(size, folder)


def follow_back(
    detections: DetectionSpool,
    shot_starts: Sequence[int],
    info: VideoInfo,
    detector: TwoWayDetector,
    reread: Rereader,
    kept: KeptFrames | None = None,
) -> None:
    """Follow everyone back from where they were found, or found again, until they are lost.

    Args:
        detections: Those of all frames; what is found is added.
        shot_starts: The indices of frames that begin a shot: no one is followed further.
        info: The video.
        detector: Who follows.
        reread: The frames once more.
        kept: The same, small: whether a person is seen in the frame before, if they are large, is
            told from it. Reading the frame itself may take decoding hundreds.
    """
    found: dict[int, list[int]] = {}  # index → rows of those who are first seen there
    for tracklet in find_tracklets(detections, info.fps, shot_starts):
        index, row = tracklet.rows[0].tolist()
        found.setdefault(index, []).append(row)
    chunk = max(CHUNK_BYTES // (3 * info.width * info.height), 1)
    held: dict[int, Frame] = {}
    followers: list[Follower] = []
    shots = [0, *shot_starts]
    for index in range(max(found, default=0), 0, -1):
        shot = shots[bisect_right(shots, index) - 1]
        if index == shot:
            followers = []
            continue
        followers += [
            detector.follow(detections[index], row)
            for row in found.get(index, ())
            if kept is None or _may_go_on(detector, detections, index, row, info, kept)
        ]
        if not followers:
            continue
        if index - 1 not in held:
            held = {}  # before the next ones are read
            first = max(index - chunk, shot)
            held = dict(zip(range(first, index), reread.frames(first, index), strict=False))
        frame = held.get(index - 1)
        followers = [] if frame is None else _step(followers, frame, index - 1, detections)


def _may_go_on(
    detector: TwoWayDetector,
    detections: DetectionSpool,
    index: int,
    row: int,
    info: VideoInfo,
    kept: KeptFrames,
) -> bool:
    """Whether the person in a row at an index may be seen in the frame before, and no one else."""
    box = detections[index].boxes_xyxy[row]
    side = float((box[2:] - box[:2]).max()) * kept.size.height / info.height
    if not kept.is_whole or side < SURE_SIDE_PX:
        return True
    small = kept[index - 1]
    rgb = cv2.resize(small.rgb, (info.width, info.height), interpolation=cv2.INTER_LINEAR)
    seen = detector.follow(detections[index], row)(replace(small, rgb=rgb))
    return seen is not None and not _is_among(seen, detections[index - 1])


def _step(
    followers: list[Follower], frame: Frame, index: int, detections: DetectionSpool
) -> list[Follower]:
    """Those who are still seen in the frame at an index, and no one else; they are added there."""
    going_on = []
    for follower in followers:
        seen = follower(frame)
        if seen is not None and not _is_among(seen, detections[index]):
            detections.add(index, seen.to_skeleton(COCO_21))
            going_on.append(follower)
    return going_on


def _is_among(person: Detections, others: Detections) -> bool:
    """Whether the one person in a frame's detections is one of others there."""
    observation = Observation.of(person, 0)
    return any(
        observation.similarity(Observation.of(others, row), 1.0) > SAME_PERSON_OKS
        for row in range(len(others))
    )
