"""BlazePose as a detector of several people: regions that follow people, and a search for new ones.

Each person's region comes from their landmarks in the frame before, so a known person costs one run
of the landmark model. A finder looks at parts of the frames (`search`) and proposes people; the
landmark model decides.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.skeletons import COCO_21
from core.types import Detections, Floats, Frame, Picture, VideoInfo
from detectors.base import Follower
from detectors.blazepose.clearness import KEYPOINTS, MIN_PRESENCE, is_hard, keypoint_scores
from detectors.blazepose.leaning import INTERVAL, right
from detectors.blazepose.likeness import BODY, box_around
from detectors.blazepose.lost import Lost
from detectors.blazepose.meeting import Meeting
from detectors.blazepose.movement import Movement
from detectors.blazepose.networks.calls import Calls
from detectors.blazepose.networks.choice import Networks
from detectors.blazepose.networks.models import Landmarks
from detectors.blazepose.networks.region import Region
from detectors.blazepose.search import Search
from detectors.blazepose.tangles import untangle
from detectors.blazepose.turns import NONE_YET, UNSEEN, Look, Shift, Turns

FOLLOWED_PRESENCE = 0.5
"""The presence below which a person who is followed back is lost: they are soon seen well."""
MOST_WINDOWS = 2
"""Windows that are searched for one frame where the next one does not wait."""
HARD_FRAMES = 8
"""Frames for which a followed person has to be hard to see: who only comes or goes is not."""


class _Unsearched(NamedTuple):
    """A frame in which known people were followed.

    people: who was seen; searching: windows, and boxes to come; before: for how many frames each
    person was hard to see, by `id`; are_behind: those who stand behind another; shifts: by how much
    each person's points were moved, by `id`.
    """

    frame: Frame
    people: list[Landmarks]
    searching: list[tuple[Region, "Future[Floats]"]]
    before: dict[int, int]
    are_behind: list[Landmarks]
    shifts: dict[int, Shift]


class BlazePose:
    """People in the frames of one video, as COCO-21.

    Args:
        finder, landmarks: The files of BlazePose's person finder and of the landmark model.
        boxes: The file of the finder of boxes, which serves beside BlazePose's where it is given.
        heavy: The file of a larger landmark model, which serves for people who are hard to see.
        max_people: The most people in a frame; it bounds the work.
        num_threads: LiteRT's threads for each network that runs.
        at_once: How many networks run at once: for several people, and for a search beside them.
        look: A second look at a person, which improves what comes out; None for none.
        look_every: Frames from one look at a person to the next. Where others are searched for only
            after known people are out, those cannot wait for a look now and then either.
    """

    skeleton = COCO_21

    def __init__(
        self,
        finder: Path,
        landmarks: Path,
        boxes: Path | None = None,
        heavy: Path | None = None,
        max_people: int = 64,
        num_threads: int = 1,
        at_once: int = 2,
        look: Look | None = None,
        look_every: int = 1,
    ) -> None:
        self._networks = Networks(finder, landmarks, boxes, heavy, num_threads)
        self._max_people = max_people
        self._calls = Calls(at_once)
        self._turns = Turns(look, look_every, self._calls) if look is not None else None

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Forget the people of earlier videos."""
        self._regions: list[Region] = []
        self._are_behind: list[bool] = []  # whether those of `_regions` stood behind somebody
        self._hard_frames: list[int] = []  # and for how many frames they were hard to see
        self._shifts: list[Shift] = []  # and what a second look at them gave
        self._meeting = Meeting(self._networks, self._max_people)
        self._lost = Lost(self._networks, self._meeting)
        self._search = Search(video.fps)
        self._movement = Movement(self._search.interval)
        self._known: list[Floats] = []  # the boxes of those in `_regions`
        self._networks.has_time = video.frame_count == 1

    def close(self) -> None:
        """Free the models."""
        self._calls.close()
        for name in ("_networks", "_turns", "_meeting", "_lost"):
            self.__dict__.pop(name, None)

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame; those known longest come first."""
        people = self._follow_all(frame, searches_meanwhile=True)
        self.search()
        self._shifts = self._looked(frame.rgb, people, self._shifts)
        return to_detections(frame, people, self._shifts)

    def detect_known(self, frame: Frame) -> Detections:
        """Find the people in a frame who were known before; `search` has to follow."""
        people = self._follow_all(frame, searches_meanwhile=False)
        shifts = [UNSEEN] * len(people)
        if self._turns is not None and self._turns.every == 1:
            shifts = self._turns(frame.rgb, people, shifts)
        return to_detections(frame, people, shifts)

    def search(self) -> None:
        """Search the last frame for others, and be ready for the next one."""
        frame, people, searching, before, are_behind, shifts = self._unsearched
        refused: list[Floats] = []
        for window, boxes in searching:
            self._meeting.look(people, refused, frame.rgb, window, self._calls.result(boxes))
        while also_due := self._search.also_due([person.region for person in people]):
            for window, boxes in self._search_in(frame.rgb, also_due):
                self._meeting.look(people, refused, frame.rgb, window, self._calls.result(boxes))
        self._regions = [person.region for person in people]
        self._known = [box_around(person.xy[BODY], frame.rgb) for person in people]
        self._are_behind = [any(person is one for one in are_behind) for person in people]
        self._hard_frames = [
            frames + 1 if is_hard(person, frame.rgb, frames > 0) else 0
            for person in people
            for frames in [before.get(id(person), HARD_FRAMES)]
        ]
        self._shifts = [shifts.get(id(person), UNSEEN) for person in people]

    def _follow_all(self, frame: Frame, searches_meanwhile: bool) -> list[Landmarks]:
        """Follow known people into a frame, to which `search` adds others.

        Args:
            frame: The next one.
            searches_meanwhile: Whether its search begins beside that, or only after.
        """
        people: list[Landmarks] = []
        height, width = frame.rgb.shape[:2]
        models = [
            self._networks.landmarks_of(frames >= HARD_FRAMES) for frames in self._hard_frames
        ]
        seeing = [
            self._calls.begin(model, frame.rgb, region)
            for model, region in zip(models, self._regions, strict=True)
        ]
        most = None if searches_meanwhile else MOST_WINDOWS
        due = self._search.due((width, height), self._regions, frame.starts_shot, most)
        least_side = self._search.least_side(self._regions)
        due += self._movement.due(frame.rgb, self._known, least_side, frame.starts_shot)
        searching = self._search_in(frame.rgb, due) if searches_meanwhile else []
        seen = [self._calls.result(person) for person in seeing]
        if frame.index % INTERVAL == 0:
            right(seen, models, frame.rgb, self._calls)
        before = {
            id(person): frames for person, frames in zip(seen, self._hard_frames, strict=True)
        }
        are_behind = untangle(
            seen, self._regions, self._are_behind, frame.rgb, self._networks.landmarks, self._calls
        )
        shifts = {
            id(person): shift
            for person, shift in zip(seen, self._shifts, strict=True)
            if not frame.starts_shot
        }
        lost = [
            region
            for region, person in zip(self._regions, seen, strict=True)
            if not self._meeting.add(people, person, frame.rgb, MIN_PRESENCE)
        ]
        lost = self._lost.find(people, lost, frame)
        windows = self._search.lost(lost)
        searching += self._search_in(frame.rgb, windows if searches_meanwhile else due + windows)
        self._unsearched = _Unsearched(frame, people, searching, before, are_behind, shifts)
        return people

    def follow(self, detections: Detections, row: int) -> Follower:
        """Follow a person on, beside those that `detect` follows."""
        region = Region.of_keypoints(detections.keypoints_xy[row])
        is_rough, was_hard = True, False
        shifts = [NONE_YET]  # most are lost after a few frames

        def step(frame: Frame) -> Detections | None:
            nonlocal region, is_rough, was_hard, shifts
            if is_rough:
                first = self._networks.landmarks(frame.rgb, region)
                region, is_rough = first.region, False
                was_hard = is_hard(first, frame.rgb, was_hard)
            people: list[Landmarks] = []
            person = self._networks.landmarks_of(was_hard)(frame.rgb, region)
            if not self._meeting.add(people, person, frame.rgb, FOLLOWED_PRESENCE):
                return None
            region, was_hard = person.region, is_hard(person, frame.rgb, was_hard)
            shifts = self._looked(frame.rgb, people, shifts)
            return to_detections(frame, people, shifts)

        return step

    def warnings(self, video: VideoInfo) -> tuple[str, ...]:
        """Whether there were more people than are followed."""
        if not self._meeting.is_full:
            return ()
        return (
            f"more than {self._max_people} people at once: those found first are followed; "
            "--max-people N follows more",
        )

    def _looked(self, rgb: Picture, people: list[Landmarks], before: list[Shift]) -> list[Shift]:
        """By how much people's points are to move, after second looks at some of them."""
        return before if self._turns is None else self._turns(rgb, people, before)

    def _search_in(
        self, rgb: Picture, windows: Sequence[Region]
    ) -> list[tuple[Region, "Future[Floats]"]]:
        """Let the finder of boxes, if there is one, look at windows: each with boxes to come."""
        return [
            (window, self._calls.begin(self._networks.boxes_in, rgb, window)) for window in windows
        ]


def to_detections(frame: Frame, people: list[Landmarks], shifts: list[Shift]) -> Detections:
    """Convert people's landmarks, with points moved by their shifts, to COCO-21."""
    people = [shift.of(person) for shift, person in zip(shifts, people, strict=True)]
    shape = (len(people), len(KEYPOINTS))
    boxes = [box_around(person.xy[BODY], frame.rgb) for person in people]
    scores = [keypoint_scores(person, frame.rgb, KEYPOINTS) for person in people]
    return Detections(
        frame.index,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([person.presence for person in people], np.float32),
        np.array([person.xy[KEYPOINTS] for person in people], np.float32).reshape(*shape, 2),
        np.array(scores, np.float32).reshape(shape),
        np.array([person.metres[KEYPOINTS] for person in people], np.float32).reshape(*shape, 3),
        COCO_21,
    )
