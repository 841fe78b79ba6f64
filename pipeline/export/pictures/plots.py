"""`plots`: a person's angles over time, how sure they are, and when feet rest on the ground."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from core.types import Array, Floats
from pipeline.export.base import Exporter
from pipeline.motion.quantities import QUANTITIES
from pipeline.motion.stretches import stretches
from pipeline.results.result import Result

_PANELS = {
    "knee flexion": "knee_flexion", "hip flexion": "hip_flexion",
    "ankle dorsiflexion": "ankle_dorsiflexion", "elbow flexion": "elbow_flexion",
    "shoulder flexion": "shoulder_flexion", "shoulder adduction": "shoulder_adduction",
}  # fmt: skip
_TRUNK = ("trunk_flexion", "trunk_lateral_lean", "trunk_rotation")
_COLOURS = {"r": "#d1495b", "l": "#2e86ab"}
_TRUNK_COLOURS = ("#3a3a3a", "#8a8a8a", "#c08a2e")
_SIDES = {"r": "right", "l": "left"}
_MAX_POINTS = 4000  # of a line: more are not seen
_FEET = {"l": (0, 1), "r": (2, 3)}  # columns of contacts


class PlotsExporter(Exporter):
    """A PNG a person: a panel a joint, right and left; bands are one standard deviation."""

    name = "plots"
    about = "joint angles over time as a picture, one file a person"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        for person in result.people:
            path = folder / f"{result.stem}_person{person.track_id}_angles.png"
            _plot(path, result, person.track_id)


def _plot(path: Path, result: Result, track_id: int) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # takes a while to load
    from matplotlib.figure import Figure

    times, angles, contacts = _series(result, track_id)
    figure = Figure(figsize=(11, 13), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots(len(_PANELS) + 1, 1, sharex=True)
    for axis, (title, name) in zip(axes, _PANELS.items(), strict=False):
        for side, word in _SIDES.items():
            _line(axis, times, *angles[f"{side}_{name}"], _COLOURS[side], word)
        axis.set_ylabel(f"{title}, °")
    for name, colour in zip(_TRUNK, _TRUNK_COLOURS, strict=True):
        _line(axes[-1], times, *angles[name], colour, name.removeprefix("trunk_").replace("_", " "))
    axes[-1].set_ylabel("trunk, °")
    for axis in axes:
        axis.grid(alpha=0.3)
        for side, columns in _FEET.items():
            rests = contacts[:, columns].any(1)
            low, high = (0.0, 0.02) if side == "l" else (0.025, 0.045)
            axis.fill_between(
                times, low, high, where=rests, transform=axis.get_xaxis_transform(),
                color=_COLOURS[side], linewidth=0,
            )  # fmt: skip
    axes[0].legend(loc="upper right")
    axes[-1].legend(loc="upper right")
    axes[-1].set_xlabel("time, s; bars: the foot rests on the ground")
    axes[0].set_title(f"{result.stem}, person {track_id}", parse_math=False)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # letters without a glyph
        figure.savefig(path, dpi=100)


def _line(axis: Any, times: Floats, values: Floats, sigmas: Floats, colour: str, word: str) -> None:
    axis.plot(times, values, color=colour, linewidth=1.2, label=word)
    axis.fill_between(
        times, values - sigmas, values + sigmas, color=colour, alpha=0.15, linewidth=0
    )


def _series(
    result: Result, track_id: int
) -> tuple[Floats, dict[str, tuple[Floats, Floats]], Array]:
    """Times (N,), each angle's values (N,) and sigmas (N,), contacts (N, 4).

    A NaN stands between stretches, where lines break.
    """
    table = result.table
    every = sum(int((ids == track_id).sum()) for ids in table.chunks("track_id")) // _MAX_POINTS + 1
    wanted = {
        name: quantity for name, quantity in QUANTITIES.entries().items() if quantity.unit == "deg"
    }
    times: list[Floats] = []
    contacts: list[Array] = []
    values: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in wanted}
    last_frame = None
    for stretch in stretches(table, track_id=track_id):
        own = slice(stretch.own.start, stretch.own.stop, every)
        frame = int(stretch["frame_index"][stretch.own.start])
        if last_frame is not None and frame != last_frame + 1:
            times.append(np.full(1, np.nan))
            contacts.append(np.zeros((1, 4), bool))
            for parts in values.values():
                parts.append((np.full(1, np.nan), np.full(1, np.nan)))
        last_frame = int(stretch["frame_index"][stretch.own.stop - 1])
        times.append(stretch["time_s"][own])
        contacts.append(stretch["contacts"][own])
        joints, sigmas = stretch["joints_world_m"][own], stretch["joint_sigma_m"][own]
        for name, quantity in wanted.items():
            of_stretch = quantity.values(joints, table.joints)
            values[name].append((of_stretch, quantity.sigma(joints, sigmas, table.joints)))
    angles = {
        name: (np.concatenate([v for v, _ in parts]), np.concatenate([s for _, s in parts]))
        for name, parts in values.items()
    }
    return np.concatenate(times), angles, np.concatenate(contacts)
