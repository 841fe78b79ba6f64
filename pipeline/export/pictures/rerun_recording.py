"""`rrd`: video, keypoints and people in 3D for the Rerun viewer, https://rerun.io."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.types import Array, Picture
from pipeline.export.base import Exporter
from pipeline.export.libraries import library
from pipeline.export.pictures.frames import frames_with_people
from pipeline.motion.stretches import stretches
from pipeline.render.palette import track_colour
from pipeline.results.result import Result

MAX_HEIGHT, JPEG_QUALITY = 480, 75
"""Of the pictures, px; smaller than the video's, in whose place they are shown."""
_COLUMNS = (
    "frame_index", "track_id", "time_s", "keypoints_2d", "keypoint_scores", "joints_world_m",
    "joint_sigma_m",
)  # fmt: skip
_VIDEO, _WORLD = "video", "world"
_POINT_PX = 3.0
_LEAST_RADIUS_M, _MOST_RADIUS_M = 0.012, 0.08
"""Of a joint's sphere, which is as large as the joint is unsure."""


class RerunExporter(Exporter):
    """A recording with timelines `frame` and `time`, and a blueprint that opens both views.

    Pictures are JPEGs, which every viewer shows; a person is a class of the annotation context,
    whose colour is that of our own pictures.
    """

    name = "rrd"
    about = "video, 2D and 3D for the Rerun viewer"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        rerun = library("rerun")
        views = library("rerun.blueprint")
        recording = rerun.RecordingStream("video3d", recording_id=result.stem)
        blueprint = views.Blueprint(
            views.Horizontal(
                views.Spatial2DView(origin=_VIDEO, name="Video"),
                views.Spatial3DView(origin=_WORLD, name="World, metres, z up"),
            ),
            views.TimePanel(timeline="time"),
            collapse_panels=True,
        )
        recording.save(folder / f"{result.stem}.rrd", default_blueprint=blueprint)
        try:
            _log_static(rerun, recording, result)
            with frames_with_people(result) as (frames, note):
                self.note(note)
                if not note:
                    for frame, _ in frames:
                        _set_times(recording, frame.index, frame.time_s)
                        picture = rerun.EncodedImage(
                            contents=_jpeg(frame.rgb), media_type="image/jpeg"
                        )
                        recording.log(f"{_VIDEO}/picture", picture)
            _log_people(rerun, recording, result)
        finally:
            recording.flush()
            recording.disconnect()


def _log_static(rerun: Any, recording: Any, result: Result) -> None:
    """What holds for all times: axes, and each person's colour, names and bones."""
    recording.log(_WORLD, rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    for place, skeleton in ((_VIDEO, result.keypoints), (_WORLD, result.joints)):
        people = [
            rerun.ClassDescription(
                info=rerun.AnnotationInfo(
                    id=person.track_id,
                    label=f"person {person.track_id}",
                    color=track_colour(person.track_id),
                ),
                keypoint_annotations=[
                    rerun.AnnotationInfo(id=number, label=name)
                    for number, name in enumerate(skeleton.joints)
                ],
                keypoint_connections=list(skeleton.bones),
            )
            for person in result.people
        ]
        recording.log(place, rerun.AnnotationContext(people), static=True)
    note = f"frames from {result.stem}; positions in metres, z up, floor at z = 0"
    recording.log("about", rerun.TextDocument(note), static=True)


def _log_people(rerun: Any, recording: Any, result: Result) -> None:
    """Log each person's points, and their end wherever they go out of view."""
    shrink = min(1.0, MAX_HEIGHT / result.report.video.height)
    interval_s = 1 / result.report.video.fps
    last: dict[int, tuple[int, float]] = {}
    for stretch in stretches(result.table, _COLUMNS):
        own, person = stretch.own, stretch.track_id
        frames, times = stretch["frame_index"][own], stretch["time_s"][own]
        if person in last and frames[0] != last[person][0] + 1:
            _clear(rerun, recording, person, *last[person], interval_s)
        last[person] = int(frames[-1]), float(times[-1])
        when = [
            rerun.TimeColumn("frame", sequence=frames),
            rerun.TimeColumn("time", duration=times),
        ]
        keypoints, joints = stretch["keypoints_2d"][own] * shrink, stretch["joints_world_m"][own]
        radii = _radii(stretch["joint_sigma_m"][own])
        for place, columns in (
            (_VIDEO, _point_columns(rerun.Points2D, keypoints, None, person)),
            (_WORLD, _point_columns(rerun.Points3D, joints, radii, person)),
        ):
            recording.send_columns(f"{place}/person{person}", when, columns)
    for person, (frame, time_s) in last.items():
        _clear(rerun, recording, person, frame, time_s, interval_s)


def _point_columns(make: Any, points: Array, radii: Array | None, person: int) -> Any:
    """Points (T, K, 2 or 3) as columns of an archetype, those that are not known left out."""
    is_known = np.isfinite(points).all(-1)
    counts = is_known.sum(1)
    keypoints = np.nonzero(is_known)[1]
    return make.columns(
        positions=points[is_known],
        radii=np.full(counts.sum(), _POINT_PX) if radii is None else radii[is_known],
        class_ids=np.full(counts.sum(), person, np.uint16),
        keypoint_ids=keypoints.astype(np.uint16),
    ).partition(counts)


def _radii(sigmas: Array) -> Array:
    return np.asarray(np.clip(np.nan_to_num(sigmas), _LEAST_RADIUS_M, _MOST_RADIUS_M))


def _clear(
    rerun: Any, recording: Any, person: int, frame: int, time_s: float, interval_s: float
) -> None:
    """Take a person away, a frame after their last one."""
    _set_times(recording, frame + 1, time_s + interval_s)
    for place in (_VIDEO, _WORLD):
        recording.log(f"{place}/person{person}", rerun.Clear(recursive=False))


def _set_times(recording: Any, frame: int, time_s: float) -> None:
    recording.set_time("frame", sequence=frame)
    recording.set_time("time", duration=time_s)


def _jpeg(rgb: Picture) -> bytes:
    """A picture at most `MAX_HEIGHT` high as JPEG."""
    height, width = rgb.shape[:2]
    if height > MAX_HEIGHT:
        size = round(width * MAX_HEIGHT / height), MAX_HEIGHT
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), quality)
    return encoded.tobytes()
