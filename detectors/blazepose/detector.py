"""BlazePose as a detector of several people: regions that follow people, and a search for new ones.

Each person's region comes from their landmarks in the frame before, so a known person costs one run
of the landmark model. The person finder looks at one window of the frame every few frames, in turn:
the whole frame, and overlapping squares of its shorter side, because the finder's 224 px are too
few for people who are small in a wide frame.
"""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.skeletons import BLAZEPOSE_33, COCO_17
from core.types import Detections, Floats, Frame, VideoInfo
from detectors.blazepose.models import LandmarkModel, Landmarks, PersonFinder
from detectors.blazepose.region import Region

COCO = BLAZEPOSE_33.indices(COCO_17.joints)
BODY = slice(0, len(BLAZEPOSE_33))

SAME_CENTRE, SAME_SIDE = 0.15, 1.5
"""Two regions are of one person if their centres are closer than this share of the larger side, and
the sides differ by less than this factor."""
SAME_BODY = 0.06
"""Two sets of landmarks are of one person if their median distance is less than this share of a
region's side."""
MIN_POINTS = 3
"""A person with fewer keypoints in the picture has left it."""
NEW_PERSON_PRESENCE = 0.8
"""The presence that a new person needs. It is more than a known one's: most things that are no
person reach 0.5 at times."""
FRAMES_AFTER_LOSS = 12
"""After a person was lost, this many frames are searched one after another."""
BOX_MARGIN = 0.08
"""Share of the box's longer side. The points end at the eyes, the wrists and the toes, people do
not."""


class BlazePose:
    """People in the frames of one video, as COCO-17.

    Args:
        finder, landmarks: The files of the person finder and of the landmark model.
        max_people: The most people in a frame; it bounds the work.
        min_presence: The presence below which a known person is lost. It is low: the landmark model
            gives little to people half hidden or upside down, and more soon after.
        min_score: The finder's score from which the landmark model looks at a candidate.
        search_interval: Every how many frames a window is searched.
        num_threads: LiteRT's threads.
    """

    skeleton = COCO_17

    def __init__(
        self,
        finder: Path,
        landmarks: Path,
        max_people: int = 8,
        min_presence: float = 0.3,
        min_score: float = 0.5,
        search_interval: int = 4,
        num_threads: int = 2,
    ) -> None:
        self._finder = PersonFinder(finder, num_threads)
        self._landmarks = LandmarkModel(landmarks, num_threads)
        self._max_people, self._min_presence, self._min_score = max_people, min_presence, min_score
        self._search_interval = search_interval

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Forget the people of earlier videos."""
        self._regions: list[Region] = []
        self._windows: deque[Region] = deque()
        self._frame_size = (0, 0)
        self._frames_since_search = 0
        self._searches_after_loss = 0  # how many frames are still searched because of a loss

    def close(self) -> None:
        """Free the models."""
        del self._finder, self._landmarks

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame; those known longest come first."""
        people: list[Landmarks] = []
        lost = [region for region in self._regions if not self._follow(people, frame.rgb, region)]
        for window in self._windows_due(frame.rgb, lost):
            self._search(people, frame.rgb, window)
        self._regions = [person.region for person in people]
        return to_detections(frame, people)

    def _follow(self, people: list[Landmarks], rgb: NDArray[np.uint8], region: Region) -> bool:
        """Add the person of a region of the frame before; False if they are lost."""
        return self._add(people, self._landmarks(rgb, region), rgb, self._min_presence)

    def _windows_due(self, rgb: NDArray[np.uint8], lost: list[Region]) -> list[Region]:
        """The windows to search in a frame.

        All in the first one, those nearest to people just lost, else one in turn where it is due.
        """
        if rgb.shape[:2] != self._frame_size:
            self._frame_size = rgb.shape[:2]
            self._windows = deque(search_windows(rgb.shape[1], rgb.shape[0]))
            return list(self._windows)
        if lost:
            self._searches_after_loss = FRAMES_AFTER_LOSS
            return [min(self._windows, key=region.distance) for region in lost]
        self._frames_since_search += 1
        is_due = self._frames_since_search >= self._search_interval
        if self._regions and self._searches_after_loss == 0 and not is_due:
            return []
        self._frames_since_search = 0
        self._searches_after_loss = max(0, self._searches_after_loss - 1)
        self._windows.rotate(-1)
        return [self._windows[-1]]

    def _search(self, people: list[Landmarks], rgb: NDArray[np.uint8], window: Region) -> None:
        """Add the people whom the finder sees in a window and who are not among `people` yet."""
        for region in self._finder.find(rgb, window, self._min_score):
            if len(people) >= self._max_people:
                return
            if is_known(region, people):
                continue
            # The finder's region is rough: the landmarks are taken from the region of a first run,
            # as in later frames.
            first = self._landmarks(rgb, region)
            if first.presence >= NEW_PERSON_PRESENCE and not is_known(first.region, people):
                self._add(people, self._landmarks(rgb, first.region), rgb, NEW_PERSON_PRESENCE)

    def _add(
        self,
        people: list[Landmarks],
        person: Landmarks,
        rgb: NDArray[np.uint8],
        min_presence: float,
    ) -> bool:
        """Add a person who is present, in the picture, and not one of `people` already."""
        if person.presence < min_presence or any(same_body(person, other) for other in people):
            return False
        if np.count_nonzero(keypoint_scores(person, rgb) >= 0.5) < MIN_POINTS:
            return False
        people.append(person)
        return True


def search_windows(width: int, height: int) -> list[Region]:
    """The windows that the finder looks at in frames of a size in px.

    Squares of the shorter side at half overlap, evenly along the longer one, then the whole frame.
    """
    longer, side = max(width, height), min(width, height)
    squares = -(-2 * (longer - side) // side) + 1 if longer > side else 0  # rounded up
    middles = np.linspace(side / 2, longer - side / 2, squares).tolist()
    centres = [(m, side / 2) if width > height else (side / 2, m) for m in middles]
    whole = Region(width / 2, height / 2, longer, 0.0)
    return [*(Region(x, y, side, 0.0) for x, y in centres), whole]


def is_known(region: Region, people: list[Landmarks]) -> bool:
    """Whether a region is that of one of `people`."""
    return any(
        region.distance(known) < SAME_CENTRE * max(region.side, known.side)
        and max(region.side, known.side) < SAME_SIDE * min(region.side, known.side)
        for known in (person.region for person in people)
    )


def same_body(a: Landmarks, b: Landmarks) -> bool:
    """Whether two sets of landmarks are of one person."""
    distance = float(np.median(np.linalg.norm(a.xy[BODY] - b.xy[BODY], axis=1)))
    return distance < SAME_BODY * max(a.region.side, b.region.side)


def keypoint_scores(person: Landmarks, rgb: NDArray[np.uint8]) -> Floats:
    """The scores of COCO-17: the model's visibility, 0 outside the frame.

    The model's `presence` of a point is not used: it says that the point lies in the crop, hidden
    or not, which visibility implies.

    Args:
        person: The landmarks.
        rgb: (H, W, 3) the frame.

    Returns:
        (17,) in 0…1.
    """
    xy = person.xy[COCO]
    outside = ((xy < 0) | (xy > (rgb.shape[1], rgb.shape[0]))).any(1)
    return np.where(outside, 0.0, person.visibility[COCO])


def to_detections(frame: Frame, people: list[Landmarks]) -> Detections:
    """Convert people's landmarks to COCO-17."""
    count, joints = len(people), len(COCO)
    boxes = [box_around(person.xy[BODY], frame.rgb) for person in people]
    scores = [keypoint_scores(person, frame.rgb) for person in people]
    return Detections(
        frame.index,
        np.array(boxes, np.float32).reshape(count, 4),
        np.array([person.presence for person in people], np.float32),
        np.array([person.xy[COCO] for person in people], np.float32).reshape(count, joints, 2),
        np.array(scores, np.float32).reshape(count, joints),
        np.array([person.metres[COCO] for person in people], np.float32).reshape(count, joints, 3),
        COCO_17,
    )


def box_around(xy: Floats, rgb: NDArray[np.uint8]) -> Floats:
    """The box around points, with a margin, inside the frame.

    Args:
        xy: (K, 2) px.
        rgb: (H, W, 3) the frame.

    Returns:
        (4,) px: x0, y0, x1, y1.
    """
    low, high = xy.min(0), xy.max(0)
    margin = BOX_MARGIN * (high - low).max()
    height, width = rgb.shape[:2]
    box: Floats = np.clip(
        np.concatenate([low - margin, high + margin]), 0, [width, height, width, height]
    )
    return box
