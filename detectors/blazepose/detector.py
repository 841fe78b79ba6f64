"""BlazePose as a detector of several people: regions that follow people, and a search for new ones.

Each person's region comes from their landmarks in the frame before, so a known person costs one run
of the landmark model. A finder looks at parts of the frames (`search`) and proposes people; the
landmark model decides.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.skeletons import BLAZEPOSE_33, COCO_17
from core.types import Detections, Floats, Frame, Picture, VideoInfo
from detectors.base import Follower
from detectors.blazepose.boxes import BoxFinder
from detectors.blazepose.models import LandmarkModel, Landmarks, PersonFinder, iou
from detectors.blazepose.region import Region
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
AIM_SIDE = 1.3
"""The side of the square in which BlazePose's finder aims at a box, in the box's longer side."""
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
        self._finder = PersonFinder(finder, num_threads)
        self._boxes = BoxFinder(boxes, num_threads) if boxes is not None else None
        self._landmarks = LandmarkModel(landmarks, num_threads)
        self._max_people = max_people

    def begin(self, video: VideoInfo, picture_numbers: Sequence[int] | None = None) -> None:
        """Forget the people of earlier videos."""
        self._regions: list[Region] = []
        self._search = Search()
        self._is_full = False

    def close(self) -> None:
        """Free the models."""
        del self._finder, self._boxes, self._landmarks

    def detect(self, frame: Frame) -> Detections:
        """Find the people in a frame; those known longest come first."""
        people: list[Landmarks] = []
        height, width = frame.rgb.shape[:2]
        lost = [region for region in self._regions if not self._follow(people, frame.rgb, region)]
        known = [person.region for person in people]
        for window in self._search.due((width, height), lost, known, frame.starts_shot):
            self._look(people, frame.rgb, window)
        for window in self._search.also_due([person.region for person in people]):
            self._look(people, frame.rgb, window)
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

    def _look(self, people: list[Landmarks], rgb: Picture, window: Region) -> None:
        """Add those whom a finder sees in a window and who are not among `people` yet."""
        if self._boxes is None:
            for region in self._finder.find(rgb, window):
                self._meet(people, rgb, region)
            return
        for box in unknown(self._boxes.find(rgb, window), people, rgb):
            self._meet(people, rgb, self._aimed(rgb, box), box)

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
        return Region.of_box(box, is_cut=bool(box[3] >= rgb.shape[0] - 1))

    def _meet(
        self, people: list[Landmarks], rgb: Picture, region: Region, box: Floats | None = None
    ) -> None:
        """Add the person in a region, and in a box if there is one, who is not among `people`."""
        if is_known(region, people):
            return
        # The finder's region is rough: the landmarks are taken from the region of a first run, as
        # in later frames.
        first = self._landmarks(rgb, region)
        if first.presence < NEW_PERSON_PRESENCE or is_known(first.region, people):
            return
        person = self._landmarks(rgb, first.region)
        if box is not None and iou(box, box_around(person.xy[BODY], rgb)[None])[0] < ON_TARGET:
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


def unknown(found: Floats, people: list[Landmarks], rgb: Picture) -> list[Floats]:
    """Those of a window's boxes (N, 4) px that are not of `people`.

    A person has one box; of two that overlap them it is the one that does so more.
    """
    if not people:
        return list(found)
    own = np.array([box_around(person.xy[BODY], rgb) for person in people])
    overlaps = np.array([iou(box, own) for box in found]).reshape(len(found), len(people))
    nearest = overlaps.argmax(1)
    return [
        box
        for box, overlap, person in zip(found, overlaps, nearest, strict=True)
        if overlap[person] < SAME_BOX or overlap[person] < overlaps[:, person].max()
    ]


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
