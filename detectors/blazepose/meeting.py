"""Who is met: a finder proposes someone, the landmark model decides whether it is a new person."""

import numpy as np

from core.types import Floats, Picture
from detectors.blazepose.clearness import COCO, clearness, is_hard, keypoint_scores
from detectors.blazepose.likeness import SAME_BOX, fit, is_alone, is_known, is_one_of, unknown
from detectors.blazepose.networks.choice import Networks
from detectors.blazepose.networks.models import LANDMARK_SIZE, Landmarks, iou
from detectors.blazepose.networks.region import Region, standing_in
from detectors.blazepose.tangles import behind

MIN_POINTS = 3
"""A person with fewer keypoints in the picture has left it."""
NEW_PERSON_PRESENCE = 0.8
"""The presence that a new person needs. It is more than a known one's: most things that are no
person reach 0.5 at times."""
NEW_PERSON_CLEARNESS = 0.5
"""The clearness of limbs that a new person needs. Measured: 0.6 and more on people however hidden,
0.4 and less on round shapes that have a head's presence."""
AIM_SIDE = 1.3
"""The side of the square in which BlazePose's finder aims at a box, in the box's longer side."""
ON_TARGET = 0.3
"""The least IoU of a new person with the box that proposed them: else the landmarks have slid to
another person."""
REFUSED = 0.7
"""The IoU from which a box is one in which no one was found: neighbouring windows see it, too."""


class Meeting:
    """Adds people to those who are known.

    Args:
        networks: What sees them.
        max_people: The most people in a frame.

    Attributes:
        is_full: Whether there were more.
    """

    def __init__(self, networks: Networks, max_people: int) -> None:
        self._networks, self._max_people = networks, max_people
        self.is_full = False

    def look(
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
        if not self._networks.have_boxes or (not people and window.side >= min(rgb.shape[:2])):
            for region in self._networks.finder.find(rgb, window):
                self._meet(people, rgb, region)

    def _aimed(self, rgb: Picture, box: Floats) -> Region:
        """The region of the person in a box.

        BlazePose's finder gives it best, because it tells a whole body from one that is cut by the
        picture, and how it is turned.
        """
        middle, side = (box[:2] + box[2:]) / 2, AIM_SIDE * float((box[2:] - box[:2]).max())
        seen = self._networks.finder.find(
            rgb, Region(float(middle[0]), float(middle[1]), side, 0.0)
        )
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
            self.is_full = True
            return
        if clearness(person, rgb) >= NEW_PERSON_CLEARNESS:
            self.add(people, person, rgb, NEW_PERSON_PRESENCE)

    def _new_person(
        self, people: list[Landmarks], rgb: Picture, region: Region, box: Floats | None
    ) -> Landmarks | None:
        """The person in a region, if there is one, who is not among `people`."""
        if is_known(region, people):
            return None
        # The finder's region is rough: the landmarks are taken from the region of a first run, as
        # in later frames.
        first = self._networks.landmarks(rgb, region)
        is_unsure = first.presence < NEW_PERSON_PRESENCE
        is_small = box is not None and region.side < LANDMARK_SIZE
        if is_unsure and is_small and is_alone(region, people):
            first = self._networks.heavy(rgb, region)
        if first.presence < NEW_PERSON_PRESENCE or is_known(first.region, people):
            return None
        person = self._networks.landmarks_of(is_unsure or is_hard(first, rgb, False))(
            rgb, first.region
        )
        return person if box is None or fit(box, person, rgb) >= ON_TARGET else None

    def _hidden_person(
        self, people: list[Landmarks], rgb: Picture, box: Floats
    ) -> Landmarks | None:
        """The person in a box who stands behind some of `people`, so that the model sees those."""
        first = behind(self._networks.landmarks, rgb, standing_in(box, rgb), people)
        person = first and behind(self._networks.landmarks, rgb, first.region, people)
        return person if person is not None and fit(box, person, rgb) >= SAME_BOX else None

    def add(
        self, people: list[Landmarks], person: Landmarks, rgb: Picture, min_presence: float
    ) -> bool:
        """Add a person who is present, in the picture, and not one of `people` already."""
        if person.presence < min_presence or is_one_of(person, people):
            return False
        if np.count_nonzero(keypoint_scores(person, rgb, COCO) >= 0.5) < MIN_POINTS:
            return False
        people.append(person)
        return True
