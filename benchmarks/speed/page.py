"""What was measured as tables and as a picture, put into docs/performance.md."""

import re
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

BEGIN, END = "<!-- measured -->", "<!-- as far as here -->"


def write_page(page: Path, found: dict[str, Any]) -> None:
    """Replace what the page says between its marks, and draw its picture beside it."""
    tables = "\n\n".join((_machine(found), _end_to_end(found), _stages(found), _rest(found)))
    text = page.read_text()
    inside = f"{BEGIN}\n{tables}\n{END}"
    page.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: inside, text, flags=re.S))
    draw_profile(page.with_suffix(".svg"), found)


def _table(*rows: tuple[object, ...]) -> str:
    head, *body = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join((head, "|" + "---|" * len(rows[0]), *body))


def spread(one: dict[str, float]) -> str:
    """A median with its range."""
    return f"{one['median']:.3g} ({one['least']:.3g} to {one['most']:.3g})"


def _machine(found: dict[str, Any]) -> str:
    machine = found["machine"]
    return (
        f"Measured {found['date']} on {machine['cores']} cores of {machine['processor']}"
        f" (load before: {machine['load']:.1f}); medians, with the least and the most in brackets."
    )


def _end_to_end(found: dict[str, Any]) -> str:
    head = (
        "clip", "ours, s", "core-s", "peak MiB", "MediaPipe's loop, s", "core-s",
        "speed, ours / MediaPipe's", "the same, its start-up left out",
    )  # fmt: skip
    rows = (
        (
            clip["clip"], spread(clip["ours_s"]), spread(clip["ours_cpu_s"]),
            f"{clip['peak_mib']:.0f}", spread(clip["peer_s"]), spread(clip["peer_cpu_s"]),
            spread(clip["ratio"]), spread(clip["loop_ratio"]),
        )
        for clip in found["end_to_end"]
    )  # fmt: skip
    return _table(head, *rows)


def _stages(found: dict[str, Any]) -> str:
    head = ("stage", "core-ms a frame", "it cannot do without", "core-ms a frame")
    rows = [
        (one["name"], f"{one['core_ms']:.1f}", one["floor"], f"{one['floor_ms']:.1f}")
        for one in found["stages"]
    ]
    return _table(head, *rows)


def _rest(found: dict[str, Any]) -> str:
    start = found["start_up"]
    lift = found["lifting"]
    rows = [
        ("`infer_video.py --help`, s", spread(start["help_s"])),
        ("from the command to the first frame's people, s", spread(start["first_frame_s"])),
        ("three frames, whole process, s", spread(start["three_frames_s"])),
        ("two workers on eight clips / the cores' share", f"{found['workers']:.2f}"),
        ("lifting a person, frames/s", spread(lift["whole lift"])),
        (
            "lifting network / the same by torch, eager, fp32",
            f"{lift['network']['median'] / lift['torch, eager, fp32']['median']:.2f}",
        ),
    ]
    costs = [
        (one["clip"], f"{one['cpu_ms']:.1f}", f"{one['wall_ms']:.1f}", f"{one['peak_mib']:.0f}")
        for one in found["costs"]
    ]
    head = ("clip", "core-ms a frame", "ms a frame", "peak MiB")
    return f"{_table(('measure', 'value'), *rows)}\n\n{_table(head, *costs)}"


def draw_profile(path: Path, found: dict[str, Any]) -> None:
    """Core-milliseconds a frame of both sides as bars, ours stage by stage."""
    clip, parts = found["end_to_end"][0], found["stages"]
    figure = Figure((8, 2.2), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    per_frame = 1e3 / clip["frames"]
    left = 0.0
    named = [(one["name"], one["core_ms"]) for one in parts]
    rest = clip["ours_cpu_s"]["median"] * per_frame - sum(value for _, value in named)
    for name, value in [*named, ("start-up, waiting, the rest", max(rest, 0.0))]:
        axes.barh("ours", value, left=left, label=name)
        left += value
    axes.barh("MediaPipe", clip["peer_cpu_s"]["median"] * per_frame, color="0.6")
    axes.set_xlabel(f"core-ms a frame, {clip['clip']}")
    axes.invert_yaxis()
    figure.legend(loc="outside upper center", ncols=4, fontsize="small", frameon=False)
    figure.savefig(path, metadata={"Date": None})
