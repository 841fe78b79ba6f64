"""BlazePose as a detector of several people: regions that follow people, and a search for new ones.

Each person's region comes from their landmarks in the frame before, so a known person costs one run
of the landmark model. A finder looks at parts of the frames (`search`) and proposes people; the
landmark model decides.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.skeletons import COCO_21
from core.types import Detections, Floats, Frame, Picture, VideoInfo
from detectors.base import Follower
from detectors.blazepose.boxes import BoxFinder
from detectors.blazepose.calls import Calls
from detectors.blazepose.clearness import (
    COCO,
    KEYPOINTS,
    MIN_PRESENCE,
    clearness,
    is_hard,
    keypoint_scores,
    outside,
)
from detectors.blazepose.likeness import (
    BODY,
    SAME_BOX,
    box_around,
    fit,
    is_alone,
    is_in,
    is_known,
    is_one_of,
    unknown,
)
from detectors.blazepose.models import LANDMARK_SIZE, LandmarkModel, Landmarks, PersonFinder, iou
from detectors.blazepose.movement import Movement
from detectors.blazepose.region import Region, standing_in
from detectors.blazepose.search import Search
from detectors.blazepose.tangles import behind, untangle
from detectors.blazepose.turns import NONE_YET, UNSEEN, Look, Shift, Turns

MIN_POINTS = 3
"""A person with fewer keypoints in the picture has left it."""
NEW_PERSON_PRESENCE = 0.8
"""The presence that a new person needs. It is more than a known one's: most things that are no
person reach 0.5 at times."""
NEW_PERSON_CLEARNESS = 0.5
"""The clearness of limbs that a new person needs. Measured: 0.6 and more on people however hidden,
0.4 and less on round shapes that have a head's presence."""
FOLLOWED_PRESENCE = 0.5
"""The presence below which a person who is followed back is lost: they are soon seen well."""
LOST_FRAMES, FOUND_AGAIN_PRESENCE = 8, 0.7
"""Frames for which the larger landmark model looks for a small person where the other one lost
them, and the presence that it has to see there."""
BOX_WINDOW, IN_BOX_PRESENCE = 1.1, 0.35
"""The side of the window in which a box is looked for around a small person who was lost, in their
region's side, and the presence that they are given there."""
HARD_FRAMES = 8
"""Frames for which a followed person has to be hard to see: who only comes or goes is not."""
AIM_SIDE = 1.3
"""The side of the square in which BlazePose's finder aims at a box, in the box's longer side."""
ON_TARGET = 0.3
"""The least IoU of a new person with the box that proposed them: else the landmarks have slid to
somebody else."""

REFUSED = 0.7
"""The IoU from which a box is one in which no one was found: neighbouring windows see it, too."""


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
        self._finder = PersonFinder(finder, num_threads)
        self._boxes = BoxFinder(boxes, num_threads) if boxes is not None else None
        self._landmarks = LandmarkModel(landmarks, num_threads)
        self._heavy_file, self._num_threads = heavy, num_threads
        self._max_people = max_people
        self._calls = Calls(at_once)
        self._turns = Turns(look, look_every, self._calls) if look is not None else None

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Forget the people of earlier videos."""
        self._regions: list[Region] = []
        self._are_behind: list[bool] = []  # whether those of `_regions` stood behind somebody
        self._hard_frames: list[int] = []  # and for how many frames they were hard to see
        self._shifts: list[Shift] = []  # and what a second look at them gave
        self._lost: list[tuple[Region, int]] = []  # and of those lost, for how many frames
        self._search = Search(video.fps)
        self._movement = Movement(self._search.interval)
        self._known: list[Floats] = []  # the boxes of those in `_regions`
        self._is_full = False
        self._is_picture = video.frame_count == 1

    def close(self) -> None:
        """Free the models."""
        self._calls.close()
        self.__dict__.pop("_heavy", None)
        del self._finder, self._boxes, self._landmarks, self._turns

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
            self._look(people, refused, frame.rgb, window, self._calls.result(boxes))
        while also_due := self._search.also_due([person.region for person in people]):
            for window, boxes in self._search_in(frame.rgb, also_due):
                self._look(people, refused, frame.rgb, window, self._calls.result(boxes))
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
        seeing = [
            self._calls.begin(self._model(hard_frames >= HARD_FRAMES), frame.rgb, region)
            for region, hard_frames in zip(self._regions, self._hard_frames, strict=True)
        ]
        due = self._search.due((width, height), self._regions, frame.starts_shot)
        least_side = self._search.least_side(self._regions)
        due += self._movement.due(frame.rgb, self._known, least_side, frame.starts_shot)
        searching = self._search_in(frame.rgb, due) if searches_meanwhile else []
        seen = [self._calls.result(person) for person in seeing]
        before = {
            id(person): frames for person, frames in zip(seen, self._hard_frames, strict=True)
        }
        are_behind = untangle(
            seen, self._regions, self._are_behind, frame.rgb, self._landmarks, self._calls
        )
        shifts = {
            id(person): shift
            for person, shift in zip(seen, self._shifts, strict=True)
            if not frame.starts_shot
        }
        lost = [
            region
            for region, person in zip(self._regions, seen, strict=True)
            if not self._add(people, person, frame.rgb, MIN_PRESENCE)
        ]
        lost = self._find_lost(people, lost, frame)
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
                first = self._landmarks(frame.rgb, region)
                region, is_rough = first.region, False
                was_hard = is_hard(first, frame.rgb, was_hard)
            people: list[Landmarks] = []
            person = self._model(was_hard)(frame.rgb, region)
            if not self._add(people, person, frame.rgb, FOLLOWED_PRESENCE):
                return None
            region, was_hard = person.region, is_hard(person, frame.rgb, was_hard)
            shifts = self._looked(frame.rgb, people, shifts)
            return to_detections(frame, people, shifts)

        return step

    def warnings(self, video: VideoInfo) -> tuple[str, ...]:
        """Whether there were more people than are followed."""
        if not self._is_full:
            return ()
        return (
            f"more than {self._max_people} people at once: those found first are followed; "
            "--max-people N follows more",
        )

    def _looked(self, rgb: Picture, people: list[Landmarks], before: list[Shift]) -> list[Shift]:
        """By how much people's points are to move, after second looks at some of them."""
        return before if self._turns is None else self._turns(rgb, people, before)

    @cached_property
    def _heavy(self) -> LandmarkModel:
        """The larger landmark model, loaded when first needed; the other where there is none."""
        if self._heavy_file is None:
            return self._landmarks
        return LandmarkModel(self._heavy_file, self._num_threads)

    def _model(self, is_hard: bool) -> LandmarkModel:
        """The landmark model for people who are easy or hard to see; a picture alone has time."""
        return self._heavy if is_hard or self._is_picture else self._landmarks

    def _find_lost(self, people: list[Landmarks], lost: list[Region], frame: Frame) -> list[Region]:
        """Add small people whom the larger landmark model sees where the other one lost them.

        Where it is not sure, the finder of boxes is asked, too. It is not asked where another
        person is: it would see that one.

        Args:
            people: Who is known; added to.
            lost: The regions of those who are not seen as in the frame before.
            frame: The frame.

        Returns:
            Those of `lost` in which there is no one.
        """
        small = [region for region in lost if region.side < LANDMARK_SIZE]
        waiting = [] if frame.starts_shot else [(region, 0) for region in small] + self._lost
        self._lost = []
        found: list[Region] = []
        for region, frames in waiting:
            hips = np.array([[region.x, region.y]])
            if outside(hips, frame.rgb)[0] or any(is_in(region, person) for person in people):
                continue
            person = self._heavy(frame.rgb, region)
            if self._add(people, person, frame.rgb, FOUND_AGAIN_PRESENCE) or self._add_in_box(
                people, person, frame.rgb, region
            ):
                found.append(region)
            elif frames + 1 < LOST_FRAMES:
                self._lost.append((region, frames + 1))
        return [region for region in lost if region not in found]

    def _add_in_box(
        self, people: list[Landmarks], person: Landmarks, rgb: Picture, region: Region
    ) -> bool:
        """Add someone whose presence is low, but around whom the finder of boxes sees a person.

        Args:
            people: Who is known; added to.
            person: What the landmark model sees in the region.
            rgb: (H, W, 3) the frame.
            region: Where the person was, and is looked for in the next frame.
        """
        window = Region(region.x, region.y, BOX_WINDOW * region.side, 0.0)
        for box in unknown(self._boxes_in(rgb, window), people, rgb):
            if fit(box, person, rgb) >= SAME_BOX and not is_one_of(person, people):
                people.append(replace(person, presence=IN_BOX_PRESENCE, region=region))
                return True
        return False

    def _search_in(
        self, rgb: Picture, windows: Sequence[Region]
    ) -> list[tuple[Region, "Future[Floats]"]]:
        """Let the finder of boxes, if there is one, look at windows: each with boxes to come."""
        return [(window, self._calls.begin(self._boxes_in, rgb, window)) for window in windows]

    def _boxes_in(self, rgb: Picture, window: Region) -> Floats:
        """The boxes (N, 4) px of people in a window; none without their finder."""
        return np.zeros((0, 4)) if self._boxes is None else self._boxes.find(rgb, window)

    def _look(
        self,
        people: list[Landmarks],
        refused: list[Floats],
        rgb: Picture,
        window: Region,
        boxes: Floats,
    ) -> None:
        """Add those whom a finder sees in a window and who are not among `people` yet.

        BlazePose's finder sees less, but not only what the other sees, and not in small windows. It
        helps out where no person is known.

        Args:
            people: Who is known; added to.
            refused: Boxes (4,) px of other windows of the frame in which there was no one; added
                to.
            rgb: (H, W, 3) the frame.
            window: The part of it.
            boxes: (N, 4) px, what the finder of boxes sees in the window.
        """
        for box in unknown(boxes, people, rgb):
            if any(iou(box, other[None])[0] >= REFUSED for other in refused):
                continue
            known = len(people)
            self._meet(people, rgb, self._aimed(rgb, box), box)
            if len(people) == known:
                refused.append(box)
        if self._boxes is None or (not people and window.side >= min(rgb.shape[:2])):
            for region in self._finder.find(rgb, window):
                self._meet(people, rgb, region)

    def _aimed(self, rgb: Picture, box: Floats) -> Region:
        """The region of the person in a box.

        BlazePose's finder gives it best, because it tells a whole body from one that is cut by the
        picture, and how it is turned.
        """
        middle, side = (box[:2] + box[2:]) / 2, AIM_SIDE * float((box[2:] - box[:2]).max())
        seen = self._finder.find(rgb, Region(float(middle[0]), float(middle[1]), side, 0.0))
        inside = [region for region in seen if box[0] < region.x < box[2]]
        if inside:
            return min(inside, key=lambda region: abs(region.x - float(middle[0])))
        return standing_in(box, rgb)

    def _meet(
        self, people: list[Landmarks], rgb: Picture, region: Region, box: Floats | None = None
    ) -> None:
        """Add the person in a region, and in a box if there is one, who is not among `people`."""
        person = self._new_person(people, rgb, region, box)
        if person is None and box is not None:
            person = self._hidden_person(people, rgb, box)
        if person is None:
            return
        if len(people) >= self._max_people:
            self._is_full = True
            return
        if clearness(person, rgb) >= NEW_PERSON_CLEARNESS:
            self._add(people, person, rgb, NEW_PERSON_PRESENCE)

    def _new_person(
        self, people: list[Landmarks], rgb: Picture, region: Region, box: Floats | None
    ) -> Landmarks | None:
        """The person in a region, if there is one, who is not among `people`."""
        if is_known(region, people):
            return None
        # The finder's region is rough: the landmarks are taken from the region of a first run, as
        # in later frames.
        first = self._landmarks(rgb, region)
        is_unsure = first.presence < NEW_PERSON_PRESENCE
        is_small = box is not None and region.side < LANDMARK_SIZE
        if is_unsure and is_small and is_alone(region, people):
            first = self._heavy(rgb, region)
        if first.presence < NEW_PERSON_PRESENCE or is_known(first.region, people):
            return None
        person = self._model(is_unsure or is_hard(first, rgb, False))(rgb, first.region)
        return person if box is None or fit(box, person, rgb) >= ON_TARGET else None

    def _hidden_person(
        self, people: list[Landmarks], rgb: Picture, box: Floats
    ) -> Landmarks | None:
        """The person in a box who stands behind some of `people`, so that the model sees those."""
        first = behind(self._landmarks, rgb, standing_in(box, rgb), people)
        person = first and behind(self._landmarks, rgb, first.region, people)
        return person if person is not None and fit(box, person, rgb) >= SAME_BOX else None

    def _add(
        self, people: list[Landmarks], person: Landmarks, rgb: Picture, min_presence: float
    ) -> bool:
        """Add a person who is present, in the picture, and not one of `people` already."""
        if person.presence < min_presence or is_one_of(person, people):
            return False
        if np.count_nonzero(keypoint_scores(person, rgb, COCO) >= 0.5) < MIN_POINTS:
            return False
        people.append(person)
        return True


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
