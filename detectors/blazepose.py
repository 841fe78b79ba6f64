"""BlazePose as a detector of several people: regions that follow people, and a search that finds new ones.

Each person's region comes from their own landmarks in the frame before, so a person known costs one run of the
landmark model. The person finder looks at one window of the frame now and then, in turn: the whole frame, and
overlapping squares of its shorter side, because the finder's 224 px are too few for people small in a wide frame.
"""

from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.skeletons import BLAZEPOSE_33, COCO_17
from core.types import Detections, Floats, Frame
from detectors.blazepose_models import LandmarkModel, Landmarks, PersonFinder, Region
from weights.store import resolve

COCO = BLAZEPOSE_33.indices(COCO_17.joints)
BODY = slice(0, len(BLAZEPOSE_33))

SAME_PLACE, SAME_SIDE = 0.15, 1.5
"""Regions are of one person where their centres are closer than this part of the side, and the sides, as a factor."""
SAME_BODY = 0.06
"""Two sets of landmarks are of one person where half of them lie closer than this part of a region's side."""
MIN_POINTS = 3
"""A person of whom fewer points are seen has left the picture."""
NEWCOMER_PRESENCE = 0.8
"""People are harder to take for one than to keep as one: most things that are nobody reach 0.5 at times."""
ALARM_FRAMES = 12
"""After somebody was lost, so many frames are searched one after another."""
NUM_THREADS = 2
"""LiteRT's, where nobody says otherwise."""
BOX_MARGIN = 0.08
"""Of the box's longer side: the points end at the eyes, the wrists and the toes, people do not."""


class BlazePose:
    """People in the frames of one video, as COCO-17.

    The landmark `model` is "full" or "heavy"; `max_people` bounds the work per frame; a person is followed while the
    landmark model is `min_presence` sure of them, which is little: it doubts people half hidden or upside down, and is
    soon sure again; a candidate of which the person finder is `min_score` sure is looked at; the frame is searched
    every `search_interval` frames, one window at a time; `num_threads` are LiteRT's.
    """

    skeleton = COCO_17

    def __init__(
        self,
        model: str = "full",
        max_people: int = 8,
        min_presence: float = 0.3,
        min_score: float = 0.5,
        search_interval: int = 4,
        num_threads: int = NUM_THREADS,
    ) -> None:
        finder, landmarks = model_files(model)
        self._finder = PersonFinder(finder, num_threads)
        self._landmarks = LandmarkModel(landmarks, num_threads)
        self._max_people, self._min_presence, self._min_score = max_people, min_presence, min_score
        self._search_interval = search_interval
        self.reset()

    def reset(self) -> None:
        """Forget the people of the video so far."""
        self._regions: list[Region] = []
        self._windows: deque[Region] = deque()
        self._frame_size = (0, 0)
        self._idle = 0  # frames since the last search
        self._alarm = 0  # frames in which to search because somebody was lost

    def close(self) -> None:
        """Free the models."""
        del self._finder, self._landmarks

    def detect(self, frame: Frame) -> Detections:
        """The people in `frame`, those known longest first."""
        people: list[Landmarks] = []
        lost = [region for region in self._regions if not self._follow(people, frame.rgb, region)]
        for window in self._windows_due(frame.rgb, lost):
            self._search(people, frame.rgb, window)
        self._regions = [person.region for person in people]
        return to_detections(frame, people)

    def _follow(self, people: list[Landmarks], rgb: NDArray[np.uint8], region: Region) -> bool:
        """Add the person of the frame before, unless they are gone."""
        return self._add(people, self._landmarks(rgb, region), rgb, self._min_presence)

    def _windows_due(self, rgb: NDArray[np.uint8], lost: list[Region]) -> list[Region]:
        """The windows to search in this frame: all at first, where somebody was just lost, else one in turn."""
        if rgb.shape[:2] != self._frame_size:
            self._frame_size = rgb.shape[:2]
            self._windows = deque(search_windows(rgb.shape[1], rgb.shape[0]))
            return list(self._windows)
        if lost:
            self._alarm = ALARM_FRAMES
            return [min(self._windows, key=region.distance) for region in lost]
        self._idle += 1
        if self._regions and self._alarm == 0 and self._idle < self._search_interval:
            return []
        self._idle = 0
        self._alarm = max(0, self._alarm - 1)
        self._windows.rotate(-1)
        return [self._windows[-1]]

    def _search(self, people: list[Landmarks], rgb: NDArray[np.uint8], window: Region) -> None:
        """Add the people that the finder sees in a window and that are not among `people` yet."""
        for region in self._finder.find(rgb, window, self._min_score):
            if len(people) >= self._max_people:
                return
            if is_known(region, people):
                continue
            # The finder's region is rough: the second look, at that of the landmarks themselves, is as in later frames.
            first = self._landmarks(rgb, region)
            if first.presence >= NEWCOMER_PRESENCE and not is_known(first.region, people):
                self._add(people, self._landmarks(rgb, first.region), rgb, NEWCOMER_PRESENCE)

    def _add(
        self,
        people: list[Landmarks],
        person: Landmarks,
        rgb: NDArray[np.uint8],
        min_presence: float,
    ) -> bool:
        """Take a person in unless they are not there, out of the picture, or one of `people` already."""
        if person.presence < min_presence or any(same_body(person, other) for other in people):
            return False
        if np.count_nonzero(keypoint_scores(person, rgb) >= 0.5) < MIN_POINTS:
            return False
        people.append(person)
        return True


def model_files(model: str) -> tuple[Path, Path]:
    """The person finder and a landmark model, "full" or "heavy", fetched if need be."""
    return resolve("blazepose-detector"), resolve(f"blazepose-landmark-{model}")


def search_windows(width: int, height: int) -> list[Region]:
    """Squares of the shorter side at half overlap, evenly along the longer one, then the whole frame."""
    longer, side = max(width, height), min(width, height)
    squares = -(-2 * (longer - side) // side) + 1 if longer > side else 0  # rounded up
    middles = np.linspace(side / 2, longer - side / 2, squares).tolist()
    places = [(m, side / 2) if width > height else (side / 2, m) for m in middles]
    return [Region(x, y, side, 0.0) for x, y in places] + [
        Region(width / 2, height / 2, longer, 0.0)
    ]


def is_known(region: Region, people: list[Landmarks]) -> bool:
    """Whether a region is that of one of `people`."""
    return any(
        region.distance(known) < SAME_PLACE * max(region.side, known.side)
        and max(region.side, known.side) < SAME_SIDE * min(region.side, known.side)
        for known in (person.region for person in people)
    )


def same_body(a: Landmarks, b: Landmarks) -> bool:
    """Whether two sets of landmarks are of one person."""
    apart = float(np.median(np.linalg.norm(a.xy[BODY] - b.xy[BODY], axis=1)))
    return apart < SAME_BODY * max(a.region.side, b.region.side)


def keypoint_scores(person: Landmarks, rgb: NDArray[np.uint8]) -> Floats:
    """(17,) 0…1 for COCO-17: the model's visibility, 0 outside the frame, where nothing can have been seen.

    Not its `presence` of a point: that says the point lies in the crop, hidden or not, which visibility implies.
    """
    xy = person.xy[COCO]
    outside = ((xy < 0) | (xy > (rgb.shape[1], rgb.shape[0]))).any(1)
    return np.where(outside, 0.0, person.visibility[COCO])


def to_detections(frame: Frame, people: list[Landmarks]) -> Detections:
    """People's landmarks as COCO-17."""
    count, joints = len(people), len(COCO)
    return Detections(
        frame.index,
        np.array([box_around(person.xy[BODY], frame.rgb) for person in people], np.float32).reshape(
            count, 4
        ),
        np.array([person.presence for person in people], np.float32),
        np.array([person.xy[COCO] for person in people], np.float32).reshape(count, joints, 2),
        np.array([keypoint_scores(person, frame.rgb) for person in people], np.float32).reshape(
            count, joints
        ),
        np.array([person.metres[COCO] for person in people], np.float32).reshape(count, joints, 3),
        COCO_17,
    )


def box_around(xy: Floats, rgb: NDArray[np.uint8]) -> Floats:
    """(4,) px: corners of the box around points (K, 2) px with a margin, inside the frame (H, W, 3)."""
    low, high = xy.min(0), xy.max(0)
    margin = BOX_MARGIN * (high - low).max()
    height, width = rgb.shape[:2]
    box: Floats = np.clip(
        np.concatenate([low - margin, high + margin]), 0, [width, height, width, height]
    )
    return box
