"""What the page knows of a result: a table of plain values, its arrays packed."""

from dataclasses import asdict
from typing import Any

import numpy as np

from core.skeletons import Skeleton
from core.types import Floats
from pipeline.motion.film_camera import film_camera
from pipeline.motion.quantities import DEGREES, QUANTITIES, Quantity
from pipeline.render.overlay import LINKS
from pipeline.render.palette import TRACK_HUES, side_of
from pipeline.results.result import Person, Result
from pipeline.results.verdicts.evidence import Evidence, gather_evidence
from pipeline.results.verdicts.questions import LIMITS, verdicts
from pipeline.viewer.packed import packed

_MM, _HALF_PX, _HALF_DEG = 0.001, 0.5, 0.5
_TENTH_MS = 1e-4
_SIGMA_M = 0.004
_SCORE, _ERROR = 1 / 16, 0.0025


def clip_content(
    result: Result, frames: Floats | None = None, shown_height: int | None = None
) -> dict[str, Any]:
    """Gather what the page shows of a result.

    Args:
        result: The result.
        frames: (F, 2) index and presentation time, seconds, of every frame of the page's video;
            None where it has none: the frames in which there are people.
        shown_height: Of the page's video, px, which says how exact keypoints need to be; None for
            the height of the source.

    Returns:
        Plain values for `page_html`.
    """
    table, video = result.table, result.report.video
    if frames is None:
        index, first = np.unique(table.column("frame_index"), return_index=True)
        frames = np.stack([index, table.column("time_s")[first]], 1)
    evidence = {one.person.track_id: one for one in gather_evidence(result.report, table)}
    zoom = max(video.height / (shown_height or video.height), 1.0)
    return {
        "name": result.stem,
        "width": video.width,
        "height": video.height,
        "fps": video.fps,
        "frames": packed(frames[:, 0], 1),
        "times": packed(frames[:, 1], _TENTH_MS),
        "joints": {
            "names": table.joints.joints,
            "parents": table.joints.parents,
            "sides": _sides(table.joints),
        },
        "keypoints": {
            "names": table.keypoints.joints,
            "sides": _sides(table.keypoints),
            "links": _links(table.keypoints),
        },
        "camera": _camera(result, frames[:, 0]),
        "angles": [{"name": angle.name} for angle in _angles(result)],
        "people": [
            _person(person, result, frames[:, 0], zoom, evidence[person.track_id])
            for person in result.people
        ],
        "verdicts": [asdict(one) for one in verdicts(evidence.values())],
        "limits": LIMITS,
        "about": _about(result),
    }


def _sides(skeleton: Skeleton) -> str:
    """A letter a joint: l, r or m."""
    return "".join(side_of(skeleton, (joint,)).value[0] for joint in range(len(skeleton)))


def _links(skeleton: Skeleton) -> list[list[int]]:
    """Pairs of keypoints that a line joins."""
    count = len(skeleton)
    return [[a, b] for a, b, _, _ in LINKS if max(a, b) < count]


def _angles(result: Result) -> list[Quantity]:
    return [
        quantity
        for quantity in QUANTITIES.entries().values()
        if quantity.unit == DEGREES and quantity.is_known_of(result.joints)
    ]


def _person(
    person: Person, result: Result, frames: Floats, zoom: float, evidence: Evidence
) -> dict[str, Any]:
    """One person's rows, those whose frame the page has."""
    is_shown = np.isin(person.frame_indices, frames)
    world = person.joints_world_m[is_shown].astype(np.float64)
    root, sigma = world[:, 0], person.joint_sigma_m[is_shown]
    angles = [angle.values(world, result.joints) for angle in _angles(result)]
    return {
        "id": person.track_id,
        "hue": TRACK_HUES[(person.track_id - 1) % len(TRACK_HUES)],
        "rows": packed(np.searchsorted(frames, person.frame_indices[is_shown]), 1),
        "root": packed(root, _MM),
        "joints": packed(world - root[:, None], _MM),
        "sigma": packed(sigma, _SIGMA_M),
        "keypoints": packed(person.keypoints_2d[is_shown], zoom * _HALF_PX),
        "scores": packed(
            np.where(person.observed[is_shown], person.keypoint_scores[is_shown], 0), _SCORE
        ),
        "error": packed(evidence.error[is_shown], _ERROR),
        "contacts": packed(person.contacts[is_shown], 1),
        "angles": packed(np.stack(angles, 1), _HALF_DEG),
    }


def _camera(result: Result, frames: Floats) -> dict[str, Any] | None:
    """The film camera: rotation and position, one or one a frame, and its lens."""
    table = result.table
    is_moving = result.report.config.get("camera") == "moving"
    joints = table.column("joints_camera_m") + table.column("root_camera_m")[:, None]
    index = table.column("frame_index")
    camera = film_camera(joints, table.column("joints_world_m"), table.column("time_s"), is_moving)
    if camera is None:
        return None
    rows = np.searchsorted(index, frames).clip(0, len(index) - 1) if is_moving else [0]
    return {
        "rotation": packed(camera.rotation[rows].reshape(len(rows), 9), 1e-4),
        "position": packed(camera.position[rows], _MM),
        "lens": vars(result.report.intrinsics),
    }


def _about(result: Result) -> dict[str, Any]:
    """What was done, with what, for people; without the names of folders."""
    report = result.report
    folder = f"{report.video.path.parent}/"
    return {
        "detector": report.detector.name,
        "grounding": report.grounding,
        "warnings": [warning.replace(folder, "") for warning in report.warnings],
        "frames": report.frames,
    }
