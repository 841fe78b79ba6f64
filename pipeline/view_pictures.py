"""Pass 2 of several views: all of them beside the 3D view, on the first one's frames."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

import numpy as np

from core.types import Array, Floats, Frame, Picture
from pipeline.media.options import ClipOptions
from pipeline.multiview.shared_frames import SharedTracks
from pipeline.render.mosaic import Mosaic
from pipeline.render.person import PersonInFrame
from pipeline.runtime.prefetch import prefetch
from pipeline.view_tracks import JoinedViews


class ViewPictures:
    """The frames of several views as one picture for each frame of the first.

    Args:
        views: The views.
        mosaic: How they are laid out.
        person_of: For each view the person by track.
    """

    def __init__(
        self, views: JoinedViews, mosaic: Mosaic, person_of: Sequence[dict[int, int]]
    ) -> None:
        self._views, self._mosaic, self._person_of = views, mosaic, person_of

    @contextmanager
    def frames(self, options: ClipOptions) -> Iterator[Iterable[Frame]]:
        """The first view's frames, with the picture of all instead of its own."""
        with ExitStack() as opened:
            streams = []
            for view, size in zip(self._views.filmed, self._mosaic.sizes, strict=True):
                reader = opened.enter_context(view.first.again(view.video, options, size))
                streams.append(opened.enter_context(closing(prefetch(reader))))
            others = [
                Follower(stream, clock.to_shared)
                for stream, clock in zip(streams[1:], self._views.clocks[1:], strict=True)
            ]
            yield (self._composed(number, frame, others) for number, frame in enumerate(streams[0]))

    def _composed(self, number: int, frame: Frame, others: Sequence["Follower"]) -> Frame:
        pictures = [frame.rgb, *(other.at(frame.time_s) for other in others)]
        people = [
            list(_people(tracks, number, persons))
            for tracks, persons in zip(self._views.shared, self._person_of, strict=True)
        ]
        return Frame(frame.index, frame.time_s, self._mosaic.draw(pictures, people))


class Follower:
    """The pictures of another view at given times, which rise."""

    def __init__(self, frames: Iterable[Frame], to_shared: Callable[[Floats], Floats]) -> None:
        self._frames, self._to_shared = iter(frames), to_shared
        self._gap_s = (
            0.0  # between the last two frames: a picture is shown no longer before or after
        )
        self._here: tuple[float, Picture] | None = None
        self._next = self._take()

    def _take(self) -> tuple[float, Picture] | None:
        frame = next(self._frames, None)
        if frame is None:
            return None
        return float(self._to_shared(np.array(frame.time_s))), frame.rgb

    def at(self, time_s: float) -> Picture | None:
        """The picture nearest to a time; None before the first one and after the last."""
        while self._next is not None and self._next[0] <= time_s:
            if self._here is not None:
                self._gap_s = self._next[0] - self._here[0]
            self._here, self._next = self._next, self._take()
        if self._here is None:
            return None
        if self._next is None:
            return None if time_s - self._here[0] > self._gap_s else self._here[1]
        is_next = self._next[0] - time_s < time_s - self._here[0]
        return self._next[1] if is_next else self._here[1]


def _people(tracks: SharedTracks, frame: int, persons: dict[int, int]) -> Iterator[PersonInFrame]:
    """The people that one view sees in a shared frame, under the result's numbers."""
    for track_id, rows in tracks.in_frame(frame):
        if track_id in persons:
            yield _seen(persons[track_id], rows[0], tracks)


def _seen(track_id: int, row: Array, tracks: SharedTracks) -> PersonInFrame:
    joints = len(tracks.joints)
    return PersonInFrame(
        track_id, row["box_xyxy"], row["keypoints_2d"], row["keypoint_scores"],
        np.full((joints, 3), np.nan), np.full(joints, np.nan), tracks.joints,
    )  # fmt: skip
