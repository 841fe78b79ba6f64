"""Cameras from the people they see: who is who, bundle adjustment, scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.camera import intrinsics_from_fov
from core.errors import InputError
from core.types import Floats
from pipeline.lifting.stature import stature_m
from pipeline.multiview.adjustment.bodies import body_links, body_of, bone_lengths_m
from pipeline.multiview.adjustment.bundle import adjust
from pipeline.multiview.adjustment.problem import Body, Problem, State, free_unknowns, reprojected
from pipeline.multiview.adjustment.sides import with_sides_corrected
from pipeline.multiview.adjustment.start import cameras_of, start_from
from pipeline.multiview.adjustment.steadiness import steadiness
from pipeline.multiview.adjustment.sureness import camera_sigmas
from pipeline.multiview.doubts import check_angles, check_fit, check_motion
from pipeline.multiview.first_cameras import first_cameras
from pipeline.multiview.matching import Key, agreements, group_tracks
from pipeline.multiview.scene import Calibration, Camera, MatchedPerson, Sighting, View

_STAGES = ((1.0, (8.0, 4.0)), (0.1, (8.0, 4.0, 3.0)))
"""Weight of lifts beside keypoints, and widths of the robust loss: lifts find the way to the
cameras, but their errors last and would turn them."""
_MOST_FRAMES = 60  # of each person
_MOST_PEOPLE = 4  # that decide about cameras, those seen longest
_MIN_COMMON = 5  # frames
_INDEPENDENT_S = 0.25  # errors of keypoints and lifts last: so far apart they are independent
_ROUNDS = 2  # of adjusting cameras and matching people
_LIKELY_FOV_RAD = math.radians(65)  # of a lens of which nothing is known: phones, webcams


def calibrate(
    views: Sequence[View],
    fps: float,
    *,
    cameras: Sequence[Camera] | None = None,
    height_m: float | None = None,
) -> Calibration:
    """Find cameras and people.

    Args:
        views: Two or more.
        fps: Of the shared frames.
        cameras: Known ones, of the same views, in any shared axes; None to find them.
        height_m: How tall people are; None for what is likely.

    Returns:
        Cameras in the axes of the first one, and everyone who is seen.

    Raises:
        InputError: The views cannot be joined.
    """
    sightings = [view.sightings for view in views]
    for view in views:
        if not view.sightings:
            raise InputError(f"{view.name}: no person is found; leave this view out")
    found = first_cameras(views) if cameras is None else _relative(cameras)
    groups = group_tracks(sightings, agreements(sightings, found))
    solution = None
    for _ in range(_ROUNDS):
        people = _deciding_people(groups, sightings)
        if not people:
            if solution is not None:
                check_fit(found, solution.misfits())
            raise InputError(
                f"{views[0].name}: no person is seen by two cameras at the same time; check the "
                "calibration and that all views show the same moment"
            )
        found, solution = _adjusted(views, found, people, fps, cameras is None)
        groups = group_tracks(sightings, agreements(sightings, found))
    assert solution is not None
    matched = tuple(
        _matched(number, _tracks(group, sightings), found, solution)
        for number, group in enumerate(groups, 1)
    )
    factor = 1.0  # lifts have likely heights already
    if cameras is None and height_m is not None:
        skeleton = sightings[0][0].poses.skeleton
        lengths = [bone_lengths_m(person.lengths_m, skeleton) for person in matched]
        factor = height_m / float(np.median([stature_m(own) for own in lengths]))
    doubts = check_fit(found, solution.misfits())
    if cameras is None:
        doubts += check_angles(found, solution.state.joints) + check_motion(solution.state.joints)
    return Calibration(
        tuple(replace(camera, translation=camera.translation * factor) for camera in found),
        tuple(replace(person, lengths_m=person.lengths_m * factor) for person in matched),
        solution.residual_px(),
        solution.focal_sigma,
        solution.position_sigma_m * factor,
        tuple(doubts),
    )


def _relative(cameras: Sequence[Camera]) -> tuple[Camera, ...]:
    """The same cameras in the axes of the first one."""
    first = cameras[0]
    turned = []
    for camera in cameras:
        rotation = camera.rotation @ first.rotation.T
        turned.append(
            replace(
                camera,
                rotation=rotation,
                translation=camera.translation - rotation @ first.translation,
            )
        )
    return tuple(turned)


_Person = list[list[Sighting]]
"""Of each view, the tracks of one person."""


def _tracks(group: Sequence[Key], sightings: Sequence[Sequence[Sighting]]) -> _Person:
    return [
        [sightings[v][index] for view, index in group if view == v] for v in range(len(sightings))
    ]


def _deciding_people(
    groups: Sequence[Sequence[Key]], sightings: Sequence[Sequence[Sighting]]
) -> list[tuple[_Person, NDArray[np.int64]]]:
    """The people that decide about cameras, and frames in which two or more views have them."""
    people = []
    for group in groups:
        tracks = _tracks(group, sightings)
        frames, counts = np.unique(
            np.concatenate([track.frames for own in tracks for track in own]), return_counts=True
        )
        common = frames[counts > 1]
        if len(common) >= _MIN_COMMON:
            chosen = np.linspace(0, len(common) - 1, min(_MOST_FRAMES, len(common)))
            people.append((len(common), tracks, common[chosen.astype(int)]))
    people.sort(key=lambda person: -person[0])
    return [(tracks, frames) for _, tracks, frames in people[:_MOST_PEOPLE]]


@dataclass(frozen=True)
class _Solution:
    """The people that decide, their `steadiness`, the adjustment's answer and how sure it is."""

    people: list[tuple[_Person, NDArray[np.int64]]]
    bodies: list[Body]
    steady: list[Floats]
    state: State
    focal_sigma: Floats
    position_sigma_m: Floats

    def log_lengths_of(self, tracks: _Person) -> Floats | None:
        """Of the person with one of these tracks; None where they did not decide."""
        keys = _keys(tracks)
        for (own, _), lengths in zip(self.people, self.state.log_lengths, strict=True):
            if keys & _keys(own):
                return lengths
        return None

    def residual_px(self) -> Floats:
        """(V,) median distance of keypoints from the joints' images; NaN where nothing is seen."""
        return self._median_distances([np.ones(body.point_px.shape) for body in self.bodies])

    def misfits(self) -> Floats:
        """The same in the usual errors of each view's keypoints."""
        pairs = zip(self.bodies, self.steady, strict=True)
        return self._median_distances([body.point_px / steady[:, None] for body, steady in pairs])

    def _median_distances(self, units: Sequence[Floats]) -> Floats:
        distances = [
            np.where(
                body.point_weights > 0,
                np.linalg.norm(reprojected(self.state, joints) - body.points, axis=-1)
                / unit[..., None],
                np.nan,
            ).reshape(len(body.points), -1)
            for body, joints, unit in zip(self.bodies, self.state.joints, units, strict=True)
        ]
        return np.asarray(np.nanmedian(np.concatenate(distances, 1), axis=1))


def _keys(tracks: _Person) -> set[Key]:
    return {(view, track.track_id) for view, own in enumerate(tracks) for track in own}


def _adjusted(
    views: Sequence[View],
    cameras: Sequence[Camera],
    people: list[tuple[_Person, NDArray[np.int64]]],
    fps: float,
    are_free: bool,
) -> tuple[tuple[Camera, ...], _Solution]:
    """Bundle adjustment over the people that decide; cameras stay where they are not free."""
    skeleton = views[0].sightings[0].poses.skeleton
    links = body_links(skeleton)
    focals = [are_free and view.intrinsics.source != "given" for view in views]
    undistorted = [
        replace(camera, distortion=np.zeros(4)) if is_free else camera
        for camera, is_free in zip(cameras, focals, strict=True)
    ]
    both = [body_of(tracks, frames, undistorted, skeleton) for tracks, frames in people]
    steady = [steadiness(tracks, cameras, fps) for tracks, _ in people]
    bodies = [
        _tempered(body, frames, own, fps)
        for (body, _), (_, frames), own in zip(both, people, steady, strict=True)
    ]
    state = start_from(cameras, bodies, [lifted for _, lifted in both])
    free = free_unknowns(len(views), links.lengths * len(bodies), are_free, focals)
    is_guessed = np.array([view.intrinsics.source == "assumed" for view in views])
    supposed = np.log([_likely_focal_px(view) for view in views])
    for lifts, widths in _STAGES:
        weighted = [replace(body, lifted_weights=lifts * body.lifted_weights) for body in bodies]
        problem = Problem(weighted, links, supposed, free, is_guessed)
        state = adjust(problem, state, widths)
        bodies = [
            with_sides_corrected(body, state, index, skeleton, widths[-1])
            for index, body in enumerate(bodies)
        ]
    sigmas = camera_sigmas(problem, state, widths[-1])
    return cameras_of(state, cameras), _Solution(people, bodies, steady, state, *sigmas)


def _likely_focal_px(view: View) -> float:
    """A view's focal length as far as known, else the likely one."""
    if view.intrinsics.source != "assumed":
        return view.intrinsics.fx
    return intrinsics_from_fov(view.width, view.height, _LIKELY_FOV_RAD, "assumed").fx


def _tempered(body: Body, frames: NDArray[np.int64], steady: Floats, fps: float) -> Body:
    """Frames weighted so that together they count as the independent ones among them.

    Keypoints are weighted by how sure their view is, `steady` (V,), too: by less than the square,
    which would be due, because nothing but its own keypoints says where a camera stands.
    """
    independent = 1 + (frames[-1] - frames[0]) / fps / _INDEPENDENT_S
    share = min(1.0, independent / len(frames))
    return replace(
        body,
        point_weights=share * steady[:, None, None] * body.point_weights,
        lifted_weights=share * body.lifted_weights,
    )


def _matched(
    number: int, tracks: _Person, cameras: Sequence[Camera], solution: _Solution
) -> MatchedPerson:
    """A person with their bones: those of the adjustment, else the lifted ones."""
    lengths = solution.log_lengths_of(tracks)
    if lengths is None:
        frames = np.unique(np.concatenate([track.frames for own in tracks for track in own]))
        skeleton = next(track for own in tracks for track in own).poses.skeleton
        lengths = body_of(tracks, frames, cameras, skeleton)[0].log_lengths
    ids = tuple(tuple(track.track_id for track in own) for own in tracks)
    return MatchedPerson(number, ids, np.exp(lengths))
