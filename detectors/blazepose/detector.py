"""BlazePose as a detector of several people: regions that follow people, and a search for new ones.

Each person's region comes from their landmarks in the frame before, so a known person costs one run
of the landmark model. A finder looks at parts of the frames (`search`) and proposes people; the
landmark model decides.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.skeletons import BLAZEPOSE_33, COCO_17
from core.types import Detections, Floats, Frame, Picture, VideoInfo
from detectors.base import Follower
from detectors.blazepose.boxes import BoxFinder
from detectors.blazepose.models import LandmarkModel, Landmarks, PersonFinder, iou
from detectors.blazepose.region import Candidate, Region
from detectors.blazepose.search import Search

COCO = BLAZEPOSE_33.indices(COCO_17.joints)
BODY = slice(0, len(BLAZEPOSE_33))

SAME_CENTRE, SAME_SIDE = 0.15, 1.5
"""Two regions are of one person if their centres are closer than this share of the larger side, and
the sides differ by less than this factor."""
SAME_BODY = 0.06
"""Two sets of landmarks are of one person if their median distance is less than this share of a
region's side."""
SAME_BOX = 0.5
"""The IoU from which a box is a known person's."""
MIN_POINTS = 3
"""A person with fewer keypoints in the picture has left it."""
MIN_PRESENCE = 0.3
"""The presence below which a known person is lost. It is low: the landmark model gives little to
people half hidden or upside down, and more soon after."""
NEW_PERSON_PRESENCE = 0.8
"""The presence that a new person needs. It is more than a known one's: most things that are no
person reach 0.5 at times."""
ON_TARGET = 0.3
"""The least IoU of a new person with the box that proposed them: else the landmarks have slid to
somebody else."""
BOX_MARGIN = 0.08
"""Share of the box's longer side. The points end at the eyes, the wrists and the toes, people do
not."""


class BlazePose:
    """People in the frames of one video, as COCO-17.

    Args:
        finder, landmarks: The files of BlazePose's person finder and of the landmark model.
        boxes: The file of the finder of boxes, which serves instead of BlazePose's where there is
            one.
        max_people: The most people in a frame; it bounds the work.
        num_threads: LiteRT's threads.
    """

    skeleton = COCO_17

    def __init__(
        self,
        finder: Path,
        landmarks: Path,
        boxes: Path | None = None,
        max_people: int = 64,
        num_threads: int = 2,
    ) -> None:
        self._finder = (
            PersonFinder(finder, num_threads) if boxes is None else BoxFinder(boxes, num_threads)
        )
        self._landmarks = LandmarkModel(landmarks, num_threads)
        self._max_people = max_people

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Forget the people of earlier videos."""
        self._regions: list[Region] = []
        self._search = Search()
        self._is_full = False

    def close(self) -> None:
        """Free the models."""
        del self._finder, self._landmarks

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame; those known longest come first."""
        people: list[Landmarks] = []
        height, width = frame.rgb.shape[:2]
        lost = [region for region in self._regions if not self._follow(people, frame.rgb, region)]
        is_empty = not people
        for window in self._search.due((width, height), lost, is_empty, frame.starts_shot):
            for candidate in unknown(self._finder.find(frame.rgb, window), people, frame.rgb):
                self._meet(people, frame.rgb, candidate)
        self._regions = [person.region for person in people]
        return to_detections(frame, people)

    def follow(self, detections: Detections, row: int) -> Follower:
        """Follow a person on, beside those that `detect` follows."""
        region = Region.of_keypoints(detections.keypoints_xy[row])
        is_rough = True

        def step(frame: Frame) -> Detections | None:
            nonlocal region, is_rough
            if is_rough:
                region, is_rough = self._landmarks(frame.rgb, region).region, False
            people: list[Landmarks] = []
            if not self._follow(people, frame.rgb, region):
                return None
            region = people[0].region
            return to_detections(frame, people)

        return step

    def warnings(self, video: VideoInfo) -> tuple[str, ...]:
        """Whether there were more people than are followed."""
        if not self._is_full:
            return ()
        return (
            f"more than {self._max_people} people at once: those found first are followed; "
            "--max-people N follows more",
        )

    def _follow(self, people: list[Landmarks], rgb: Picture, region: Region) -> bool:
        """Add the person of a region of the frame before; False if they are lost."""
        return self._add(people, self._landmarks(rgb, region), rgb, MIN_PRESENCE)

    def _meet(self, people: list[Landmarks], rgb: Picture, candidate: Candidate) -> None:
        """Add the person of a candidate, if there is one who is not among `people` yet."""
        # The finder's region is rough: the landmarks are taken from the region of a first run, as
        # in later frames.
        first = self._landmarks(rgb, candidate.region)
        if first.presence < NEW_PERSON_PRESENCE or is_known(first.region, people):
            return
        person = self._landmarks(rgb, first.region)
        if candidate.box is not None:
            own = box_around(person.xy[BODY], rgb)
            if iou(candidate.box, own[None])[0] < ON_TARGET:
                return
        if len(people) >= self._max_people:
            self._is_full = True
            return
        self._add(people, person, rgb, NEW_PERSON_PRESENCE)

    def _add(
        self, people: list[Landmarks], person: Landmarks, rgb: Picture, min_presence: float
    ) -> bool:
        """Add a person who is present, in the picture, and not one of `people` already."""
        if person.presence < min_presence or any(same_body(person, other) for other in people):
            return False
        if np.count_nonzero(keypoint_scores(person, rgb) >= 0.5) < MIN_POINTS:
            return False
        people.append(person)
        return True


def unknown(
    candidates: list[Candidate], people: list[Landmarks], rgb: Picture
) -> Iterator[Candidate]:
    """The candidates who are not among `people`: neither by their region nor by their box.

    A person has one box in a window; of two that overlap them it is the nearer one.
    """
    boxes = np.array([box_around(person.xy[BODY], rgb) for person in people]).reshape(-1, 4)
    overlaps = np.array(
        [
            iou(candidate.box, boxes) if candidate.box is not None else np.zeros(len(boxes))
            for candidate in candidates
        ]
    ).reshape(len(candidates), len(boxes))
    for candidate, overlap in zip(candidates, overlaps, strict=True):
        if is_known(candidate.region, people):
            continue
        nearest = int(overlap.argmax()) if len(boxes) else 0
        is_nearest = len(boxes) and overlap[nearest] == overlaps[:, nearest].max()
        if not (is_nearest and overlap[nearest] >= SAME_BOX):
            yield candidate


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


def keypoint_scores(person: Landmarks, rgb: Picture) -> Floats:
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


def box_around(xy: Floats, rgb: Picture) -> Floats:
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
