"""Frames of a live source → the poses of everyone in them, from the past alone."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from core.skeletons import COCO_21
from core.types import CameraPoses, Detections, Floats, Frame, Intrinsics
from detectors.base import Detector, PromptDetector
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.grounding.online import OnlineWorld
from pipeline.lifting.online import OnlineLifter, PersonSample
from pipeline.lifting.options import LiftOptions, Smoothing
from pipeline.live.moment import LiveBody, Moment
from pipeline.media.live.reader import LiveFrame
from pipeline.render.person import PersonInFrame
from pipeline.runtime.beside import Begin, Beside
from pipeline.tracking.online import OnlineTracker

CAUSAL_LIFTER = "lifter-causal"
_EMPTY_S = 1.0  # without anyone in view, after which frames wait for the search


def causal(config: PipelineConfig) -> PipelineConfig:
    """The configuration for a source whose future is not known."""
    lift = config.lift
    if lift.lifter == LiftOptions.lifter:
        lift = replace(lift, lifter=CAUSAL_LIFTER)
    smooth: Smoothing = "none" if lift.smooth == "none" else "one-euro"
    return replace(config, lift=replace(lift, smooth=smooth))


class Analysis:
    """Detection, tracking, lifting and grounding of one source, frame by frame."""

    def __init__(
        self,
        detector: Detector,
        lifter: Lifter,
        intrinsics: Intrinsics,
        config: PipelineConfig,
        beside: Beside | None = None,
    ) -> None:
        """Begin with nothing known.

        Args:
            detector: Has begun the source's video.
            lifter: A causal network does best.
            intrinsics: The camera.
            config: The options of tracking and lifting, and the second to stop before.
            beside: Searches frames for new people, and learns where up is, while later ones are
                analysed; without it, each frame is done with before the next. Where no one has been
                in view for a while, frames wait for the search: no poses are late for that, and on
                a busy machine a thread that gives way would hardly get to it.
        """
        self._detector, self._end_s = detector, config.clip.end
        self._prompt = detector if isinstance(detector, PromptDetector) else None
        self._tracker = OnlineTracker(config.track.max_people)
        self._lifter = OnlineLifter(lifter, intrinsics, config.lift)
        self._world, self._beside = OnlineWorld(), beside
        self._seen_s = math.nan  # when someone was last in view

    def moments(self, frames: Iterable[LiveFrame]) -> Iterator[Moment]:
        """Analyse frames up to the second to stop before; one moment a frame."""
        for arrived in frames:
            if self._end_s is not None and arrived.time_s >= self._end_s:
                return
            frame = arrived.frame
            detections = self._detect(frame).to_skeleton(COCO_21)
            rows = self._tracker.update(detections, frame.time_s)
            yield Moment(frame, arrived.arrived_s, self._bodies(detections, rows, frame.time_s))
            if len(detections) or math.isnan(self._seen_s):
                self._seen_s = frame.time_s
            if self._prompt:
                self._begin(self._prompt.search, waits=frame.time_s - self._seen_s >= _EMPTY_S)
            self._begin(self._world.learn)

    def _detect(self, frame: Frame) -> Detections:
        return self._prompt.detect_known(frame) if self._prompt else self._detector.detect(frame)

    def _begin(self, begin: Begin, waits: bool = False) -> None:
        """Let something be done beside, or at once where nothing is, or the next frame `waits`."""
        if self._beside:
            (self._beside.make if waits else self._beside.offer)(begin)
        elif call := begin():
            call()

    def _bodies(
        self, detections: Detections, rows: dict[int, int], time_s: float
    ) -> list[LiveBody]:
        """Everyone in a frame by track id; `rows` are theirs in the detections."""
        poses = self._lift(detections, rows, time_s)
        grounded = self._world.update(time_s, poses)
        bodies = []
        for track_id, (pose, scores) in sorted(poses.items()):
            row = rows[track_id]
            box, keypoints = detections.boxes_xyxy[row], detections.keypoints_xy[row]
            own = grounded[track_id]
            person = PersonInFrame(
                track_id, box, keypoints, scores, own.joints_m, pose.sigma_m[0], pose.skeleton
            )
            bodies.append(LiveBody(person, pose, own.contacts))
        return bodies

    def _lift(
        self, detections: Detections, rows: dict[int, int], time_s: float
    ) -> dict[int, tuple[CameraPoses, Floats]]:
        """The pose (one row) and keypoint scores (21,) of everyone in a frame, by track id."""
        self._lifter.forget_others(self._tracker.alive)
        samples = {
            track_id: PersonSample(
                detections.keypoints_xy[row],
                detections.keypoint_scores[row],
                detections.keypoints_3d[row],
            )
            for track_id, row in rows.items()
        }
        poses = self._lifter.lift(time_s, samples)
        return {track_id: (pose, samples[track_id].scores) for track_id, pose in poses.items()}
