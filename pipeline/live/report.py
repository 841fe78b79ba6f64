"""What a live run says of itself: the same report as of a file, and how the run went."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.types import Intrinsics
from pipeline.grounding.online import ONLINE_GROUNDING
from pipeline.live.latency import Latency
from pipeline.live.record import Recorder
from pipeline.media.live.reader import STALLED_S, LiveReader
from pipeline.media.live.source import LiveSource
from pipeline.results.report import NO_PEOPLE, Report, versions
from pipeline.results.report_parts import (
    DetectorReport,
    LiveReport,
    PersonReport,
    StanceReport,
    WeightsReport,
)

_MUCH_BEHIND_S = 1.0


def live_report(
    source: LiveSource,
    started: datetime,
    reader: LiveReader,
    recorder: Recorder,
    latency: Mapping[str, Latency],
    failure: Exception | None,
    *,
    intrinsics: Intrinsics,
    detector: DetectorReport,
    weights: Mapping[str, WeightsReport],
    config: Mapping[str, Any],
    measures: Mapping[str, float | None],
    stances: Mapping[int, tuple[StanceReport, ...]],
) -> Report:
    """The report of a live run, all but its files.

    Args:
        source: Where the pictures came from.
        started: When the first frame came.
        reader: Has ended.
        recorder: Has everything that was recorded.
        latency: Of the poses and of the picture.
        failure: What ended the run, if an error did.
        intrinsics: The camera.
        detector: Which detector, and why.
        weights: The networks' files by role.
        config: The options by name.
        measures: Of what was recorded.
        stances: Of those who were recorded, by track id.
    """
    frames, seconds = recorder.frames, recorder.last_s
    live = LiveReport(
        source=source.shown,
        name=source.name,
        started=started.isoformat(),
        ended=f"failed: {failure}" if failure else reader.ended or "stopped",
        seconds=round(seconds, 3),
        frames_arrived=reader.arrived,
        frames_missed=reader.arrived - frames,
        latency_ms={name: one.as_dict() for name, one in latency.items()},
        frames_not_drawn=frames - recorder.pictures if recorder.pictures else 0,
    )
    people = sorted(recorder.people.values(), key=lambda person: person.track_id)
    return Report(
        video=reader.info,
        intrinsics=intrinsics,
        detector=detector,
        weights=weights,
        config=config,
        grounding=ONLINE_GROUNDING,
        frames=frames,
        people=tuple(
            PersonReport.of(person, ONLINE_GROUNDING, stances.get(person.track_id, ()))
            for person in people
        ),
        measures=measures,
        warnings=_warnings(reader, recorder, failure),
        frames_per_second=round((frames - 1) / seconds, 2) if seconds > 0 else None,
        versions=versions(),
        live=live,
    )


def _warnings(reader: LiveReader, recorder: Recorder, failure: Exception | None) -> tuple[str, ...]:
    warnings = []
    if failure is not None:
        warnings.append(f"the recording ends early: {failure}")
    if not recorder.people:
        warnings.append(NO_PEOPLE)
    if reader.size_change is not None:
        warnings.append(reader.size_change.warning(reader.info.width, reader.info.height))
    if reader.ended == "stalled":
        warnings.append(f"the source sent nothing for {STALLED_S:g} s and was given up")
    if reader.max_lag_s > _MUCH_BEHIND_S:
        warnings.append(
            f"decoding fell {reader.max_lag_s:.0f} s behind the source at worst: this machine "
            "is too slow, or too busy, for pictures so large"
        )
    return tuple(warnings)
