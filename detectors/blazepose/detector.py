"""BlazePose as a detector of several people: regions that follow people, and a search for new ones.

Each person's region comes from their landmarks in the frame before, so a known person costs one run
of the landmark model. A finder looks at parts of the frames (`search`) and proposes people; the
landmark model decides.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
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
from detectors.blazepose.networks.models import LandmarkModel, Landmarks
from detectors.blazepose.networks.region import Region
from detectors.blazepose.search import Search
from detectors.blazepose.sparing import NOT_YET, Moved, see_sparingly
from detectors.blazepose.tangles import untangle
from detectors.blazepose.turns import NONE_YET, UNSEEN, Look, Shift, Turns

FOLLOWED_PRESENCE = 0.5
"""The presence below which a person who is followed back is lost: they are soon seen well."""
MOST_WINDOWS = 2
"""Windows that are searched for one frame where the next one does not wait."""
HARD_FRAMES = 8
"""Frames for which a followed person has to be hard to see: who only comes or goes is not."""


class _Followed(NamedTuple):
    """A person to follow into the next frame.

    box: (4,) px. is_behind: Whether they stand behind another. hard_frames: For how many frames
    they were hard to see. shift: What a second look at them gave. moved: How the larger landmark
    model sees them, live.
    """

    region: Region
    box: Floats
    is_behind: bool = False
    hard_frames: int = 0
    shift: Shift = UNSEEN
    moved: Moved = NOT_YET

    @property
    def is_hard(self) -> bool:
        """Whether the larger landmark model serves for them."""
        return self.hard_frames >= HARD_FRAMES


class _Seen(NamedTuple):
    """A frame in which known people were followed.

    people: Who was seen. lost: The regions of those who were not. before: As whom people were
    followed, by `id`. are_behind: Those who stand behind another. scheduled, moving: Windows to
    search. searching: The same with boxes to come, where that has begun.
    """

    frame: Frame
    people: list[Landmarks]
    lost: list[Region]
    before: dict[int, _Followed]
    are_behind: list[Landmarks]
    scheduled: list[Region]
    moving: list[Region]
    searching: list[tuple[Region, "Future[Floats]"]]


class _Unsearched(NamedTuple):
    """A frame to search: who was followed in it, and windows; those not scheduled come again."""

    frame: Frame
    people: list[Landmarks]
    scheduled: list[Region]
    others: list[Region]


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
        self._at_once, self._calls = at_once, Calls(at_once)
        self._turns = Turns(look, look_every, self._calls) if look is not None else None

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Forget the people of earlier videos."""
        self._known: list[_Followed] = []
        self._meeting = Meeting(self._networks, self._max_people)
        self._lost = Lost(self._networks, self._meeting)
        self._search = Search(video.fps)
        self._movement = Movement(self._search.interval)
        self._unsearched: _Unsearched | None = None
        self._missing: list[Region] = []  # where people were lost since a search last began
        self._met: deque[_Followed] = deque()  # who was found by searches of earlier frames
        self._networks.has_time = video.frame_count == 1

    def close(self) -> None:
        """Free the models."""
        self._calls.close()
        for name in ("_networks", "_turns", "_meeting", "_lost"):
            self.__dict__.pop(name, None)

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame; those known longest come first."""
        seen = self._follow_all(frame, searches_meanwhile=True)
        people = seen.people
        lost = self._lost.find(people, seen.lost, frame)
        searching = [*seen.searching, *self._search_in(frame.rgb, self._search.lost(lost))]
        refused: list[Floats] = []
        for window, boxes in searching:
            self._meeting.look(people, refused, frame.rgb, window, self._calls.result(boxes))
        while also_due := self._search.also_due([person.region for person in people]):
            for window, boxes in self._search_in(frame.rgb, also_due):
                self._meeting.look(people, refused, frame.rgb, window, self._calls.result(boxes))
        known = self._to_follow(seen)
        shifts = self._looked(frame.rgb, people, [one.shift for one in known])
        self._known = [one._replace(shift=shift) for one, shift in zip(known, shifts, strict=True)]
        return to_detections(frame, people, shifts)

    def prepare(self) -> None:
        """Load what a later frame would wait for."""
        self._networks.prepare(self._at_once)

    def detect_known(self, frame: Frame) -> Detections:
        """Find the people in a frame who were known before."""
        if self._unsearched is not None:
            self._search.put_off(self._unsearched.scheduled)
        while self._met:
            self._known.append(self._met.popleft())
        self._search.also_due([one.region for one in self._known])  # those wait for their turns
        seen = self._follow_all(frame, searches_meanwhile=False)
        self._unsearched = _Unsearched(
            frame,
            [*seen.people],
            seen.scheduled,
            [*seen.moving, *self._search.lost(seen.lost)],
        )
        self._missing += seen.lost
        self._known = self._to_follow(seen)
        shifts = [UNSEEN] * len(seen.people)
        if self._turns is not None and self._turns.every == 1:
            shifts = self._turns(frame.rgb, seen.people, shifts)
        return to_detections(frame, seen.people, shifts)

    def search(self) -> Callable[[], None] | None:
        """Begin to search the last frame for others."""
        if self._unsearched is None or self._met:  # those who are met would be met again
            return None
        unsearched, self._unsearched = self._unsearched, None
        missing, self._missing = self._missing, []
        return partial(self._search_beside, unsearched, missing)

    def _search_beside(self, unsearched: _Unsearched, missing: list[Region]) -> None:
        """Search a frame for others, and for those who were lost before."""
        frame, people, scheduled, others = unsearched
        followed, refused = len(people), list[Floats]()
        self._lost.find(people, missing, frame)
        for window in (*scheduled, *others):
            boxes = self._networks.boxes_in(frame.rgb, window)
            self._meeting.look(people, refused, frame.rgb, window, boxes)
        self._met.extend(_followed(person, frame.rgb) for person in people[followed:])

    def _follow_all(self, frame: Frame, searches_meanwhile: bool) -> _Seen:
        """Follow known people into the next frame.

        Args:
            frame: The next one.
            searches_meanwhile: Whether its search begins beside that.
        """
        known, (height, width) = self._known, frame.rgb.shape[:2]
        regions = [one.region for one in known]
        see = self._see if searches_meanwhile else self._see_promptly
        seeing = [self._calls.begin(see, frame.rgb, one) for one in known]
        most = None if searches_meanwhile else MOST_WINDOWS
        scheduled = self._search.due((width, height), regions, frame.starts_shot, most)
        least_side = self._search.least_side(regions)
        boxes = [one.box for one in known]
        moving = self._movement.due(frame.rgb, boxes, least_side, frame.starts_shot)
        due = [*scheduled, *moving] if searches_meanwhile else []
        searching = self._search_in(frame.rgb, due)
        looks = [self._calls.result(person) for person in seeing]
        seen = [person for person, _ in looks]
        if frame.index % INTERVAL == 0:
            right(seen, self._models(known, searches_meanwhile), frame.rgb, self._calls)
        known = [one._replace(moved=moved) for one, (_, moved) in zip(known, looks, strict=True)]
        if frame.starts_shot:
            known = [one._replace(shift=UNSEEN) for one in known]
        before = {id(person): one for person, one in zip(seen, known, strict=True)}
        are_behind = untangle(
            seen,
            regions,
            [one.is_behind for one in known],
            frame.rgb,
            self._networks.landmarks,
            self._calls,
        )
        people: list[Landmarks] = []
        lost = [
            region
            for region, person in zip(regions, seen, strict=True)
            if not self._meeting.add(people, person, frame.rgb, MIN_PRESENCE)
        ]
        return _Seen(frame, people, lost, before, are_behind, scheduled, moving, searching)

    def _models(self, known: list[_Followed], may_wait: bool) -> list[LandmarkModel | None]:
        """What looks at each person again; nothing at those whom it would take too long to see."""
        return [
            self._networks.landmarks_of(one.is_hard) if may_wait or not one.is_hard else None
            for one in known
        ]

    def _see(self, rgb: Picture, one: _Followed) -> tuple[Landmarks, Moved]:
        """A person in a frame, and how the larger landmark model sees them."""
        return self._networks.landmarks_of(one.is_hard)(rgb, one.region), NOT_YET

    def _see_promptly(self, rgb: Picture, one: _Followed) -> tuple[Landmarks, Moved]:
        """The same, but the larger model does not look in every frame."""
        if not one.is_hard:
            return self._see(rgb, one)
        return see_sparingly(self._networks, rgb, one.region, one.moved)

    def _to_follow(self, seen: _Seen) -> list[_Followed]:
        """Those in a frame, as they are followed into the next one."""
        rgb = seen.frame.rgb
        known = []
        for person in seen.people:
            before = seen.before.get(id(person))
            is_behind = any(person is one for one in seen.are_behind)
            hard_frames = HARD_FRAMES if before is None else before.hard_frames
            one = _followed(person, rgb, is_behind, hard_frames)
            if before is not None:
                one = one._replace(shift=before.shift, moved=before.moved)
            known.append(one)
        return known

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


def _followed(
    person: Landmarks,
    rgb: Picture,
    is_behind: bool = False,
    hard_frames: int = HARD_FRAMES,
) -> _Followed:
    """A person in a frame, as they are followed into the next one.

    Args:
        person: The landmarks.
        rgb: (H, W, 3) the frame.
        is_behind: Whether they stand behind another.
        hard_frames: For how many frames before they were hard to see; of one who is met, enough.
    """
    hard_frames = hard_frames + 1 if is_hard(person, rgb, hard_frames > 0) else 0
    box = box_around(person.xy[BODY], rgb)
    return _Followed(person.region, box, is_behind, hard_frames)


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
