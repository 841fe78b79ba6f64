"""Small people who were lost: looked for where they were, for some frames."""

from dataclasses import replace

import numpy as np

from core.types import Frame, Picture
from detectors.blazepose.clearness import outside
from detectors.blazepose.likeness import SAME_BOX, fit, is_in, is_one_of, unknown
from detectors.blazepose.meeting import Meeting
from detectors.blazepose.networks.choice import Networks
from detectors.blazepose.networks.models import LANDMARK_SIZE, Landmarks
from detectors.blazepose.networks.region import Region

LOST_FRAMES, FOUND_AGAIN_PRESENCE = 8, 0.7
"""Frames for which the larger landmark model looks for a small person where the other one lost
them, and the presence that it has to see there."""
BOX_WINDOW, IN_BOX_PRESENCE = 1.1, 0.35
"""The side of the window in which a box is looked for around a small person who was lost, in their
region's side, and the presence that they are given there."""


class Lost:
    """Those who were lost in a video, and are waited for.

    Args:
        networks: What sees them.
        meeting: Adds them.
    """

    def __init__(self, networks: Networks, meeting: Meeting) -> None:
        self._networks, self._meeting = networks, meeting
        self._waiting: list[tuple[Region, int]] = []  # regions, and for how many frames

    def find(self, people: list[Landmarks], lost: list[Region], frame: Frame) -> list[Region]:
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
        waiting = [] if frame.starts_shot else [(region, 0) for region in small] + self._waiting
        self._waiting = []
        found: list[Region] = []
        for region, frames in waiting:
            hips = np.array([[region.x, region.y]])
            if outside(hips, frame.rgb)[0] or any(is_in(region, person) for person in people):
                continue
            person = self._networks.heavy(frame.rgb, region)
            if self._meeting.add(
                people, person, frame.rgb, FOUND_AGAIN_PRESENCE
            ) or self._add_in_box(people, person, frame.rgb, region):
                found.append(region)
            elif frames + 1 < LOST_FRAMES:
                self._waiting.append((region, frames + 1))
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
        for box in unknown(self._networks.boxes_in(rgb, window), people, rgb):
            if fit(box, person, rgb) >= SAME_BOX and not is_one_of(person, people):
                people.append(replace(person, presence=IN_BOX_PRESENCE, region=region))
                return True
        return False
