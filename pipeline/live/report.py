"""What a live run says of itself."""

import platform
from datetime import datetime
from typing import Any

from pipeline.grounding.online import GROUNDING
from pipeline.live.latency import Latency
from pipeline.live.record import Recorder
from pipeline.media.live_reader import STALLED_S, LiveReader
from pipeline.media.live_source import LiveSource

_MUCH_BEHIND_S = 1.0


def live_report(
    source: LiveSource, started: datetime, reader: LiveReader, recorder: Recorder, latency: dict[str, Latency],
    failure: Exception | None,
) -> dict[str, Any]:  # fmt: skip
    """`report.json` but for the metadata that `poses.npz` has, too."""
    frames, seconds = recorder.frames, recorder.last_s
    return {
        "status": "done",
        "versions": {"python": platform.python_version()},
        "frames": frames,
        "frames_per_second": round((frames - 1) / seconds, 2) if seconds > 0 else None,
        "live": {
            "source": source.shown,
            "started": started.isoformat(),
            "ended": f"failed: {failure}" if failure else reader.ended or "stopped",
            "seconds": round(seconds, 3),
            "frames_arrived": reader.arrived,
            "frames_missed": reader.arrived - frames,
            "latency_ms": {name: one.as_dict() for name, one in latency.items()},
        },
        "grounding": GROUNDING,
        "people": [
            {"track_id": track_id, **vars(seen)}
            for track_id, seen in sorted(recorder.people.items())
        ],
        "warnings": _warnings(reader, recorder),
    }


def _warnings(reader: LiveReader, recorder: Recorder) -> list[str]:
    warnings = []
    if not recorder.people:
        warnings.append("nobody was found in this video")
    if reader.ended == "stalled":
        warnings.append(f"the source sent nothing for {STALLED_S:g} s and was given up")
    if reader.most_behind_s > _MUCH_BEHIND_S:
        warnings.append(
            f"decoding fell {reader.most_behind_s:.0f} s behind the source at worst: this machine is too slow, or too "
            "busy, for pictures so large"
        )
    return warnings
