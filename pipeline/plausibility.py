"""What cannot be right about a result: said in the report, because nothing else would say it."""

from dataclasses import dataclass, field

import numpy as np

from pipeline.results.measures import PersonPart, RunningMoments, reprojection_error

_ABSURD_SHARE = 0.1
"""Reprojection error of a person's size beyond which the result is wrong; some 0.02 are usual."""


@dataclass
class Plausibility:
    """Gathers the parts of people, and says who cannot be right."""

    _errors_px: dict[int, RunningMoments] = field(default_factory=dict)
    _sizes_px: dict[int, RunningMoments] = field(default_factory=dict)

    def add(self, part: PersonPart) -> None:
        """Take a part whose rows have the field `box_xyxy`, too."""
        boxes = part.rows["box_xyxy"]
        sizes = np.max(boxes[:, 2:] - boxes[:, :2], axis=1)
        self._sizes_px.setdefault(part.track_id, RunningMoments()).add(sizes)
        errors = reprojection_error(part)
        self._errors_px.setdefault(part.track_id, RunningMoments()).add(errors)

    def doubts(self) -> tuple[str, ...]:
        """A line for each person whose lifted joints are far from the keypoints."""
        lines = []
        for track_id, errors in self._errors_px.items():
            sizes = self._sizes_px[track_id]
            if not errors.count or not sizes.count:
                continue
            error = float(errors.total / errors.count)
            share = error / max(float(sizes.total / sizes.count), 1.0)
            if share > _ABSURD_SHARE:
                lines.append(
                    f"person {track_id} is wrong in 3D: the joints lie {error:.0f} px from the"
                    f" keypoints, {share:.0%} of the person's size; either the keypoints are of"
                    " another skeleton, or the lifter does not suit them"
                )
        return tuple(lines)
