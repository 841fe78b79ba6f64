"""Is σ what it says? `python -m train calibrate --mocap … --shots …`.

σ is the radius around a lifted joint in which the true one lies in 68 of 100 cases, and 2 σ that of
95, as for a normal distribution. Here both are counted, joint by joint and apart for keypoints that
the detector saw and those it did not. `--output` writes the lifter with σ of each joint multiplied,
seen and hidden ones apart, so that 68 % holds for the people it was measured on; measure that file
on others.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from tqdm import tqdm

from core.errors import UsageError
from core.options import Parser, add_flags, check_options, option
from core.skeletons import H36M_21
from core.types import Floats, Intrinsics, LifterInput
from lifter.checkpoint import read_lifter, write_lifter
from lifter.input_keypoints import seen_joints
from lifter.predict import Lifter
from train.arguments import add_motion, add_shots
from train.wild.loss import COVERAGE
from train.wild.motion.mocap import load_mocap
from train.wild.people.shots import Shots
from train.wild.validate import filmed_clips
from train.wild.validation_clips import detected

_ENOUGH = 100  # hidden joints of a kind, to calibrate them apart


@dataclass(frozen=True)
class CalibrateOptions:
    """The options of `python -m train calibrate`.

    Raises:
        UsageError: A value is out of its range.
    """

    mocap: list[Path] = field(default_factory=list)
    shots: list[Path] = field(default_factory=list)
    lifter: Path = option(Path("weights/lifter.safetensors"), "the lifter to measure")
    every: int = option(1, "use every Nth clip", at_least=1)
    noise: float = option(1.0, "strength of the 2D errors of clips", at_least=0)
    figure: Path | None = option(None, "draw the curve there, a .png")
    output: Path | None = option(None, "write the calibrated lifter there, a .safetensors")

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True)
class Samples:
    """N joints of lifted people.

    joint (N,) its index in H36M_21; ratio (N,) its error over its σ; seen (N,) whether the detector
    saw its keypoint, for joints of the trunk all of shoulders and hips.
    """

    joint: NDArray[np.int64]
    ratio: Floats
    seen: NDArray[np.bool_]


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train calibrate`."""
    parser = Parser(prog="python -m train calibrate", description="Count how often σ holds.")
    add_motion(parser)
    add_shots(parser)
    add_flags(parser, fields(CalibrateOptions), defaults=True)
    options = CalibrateOptions(**vars(parser.parse_args(argv)))
    if not options.mocap and not options.shots:
        parser.error("--mocap or --shots is needed")
    lifter = Lifter.load(options.lifter)
    if lifter.spec.model.features_out != 4:
        raise UsageError(f"{options.lifter}: this lifter does not say how sure joints are")
    samples = measure(lifter, _people(lifter, options))
    print(table(samples))
    if options.figure:
        draw(samples, options.figure)
    if options.output:
        _write_calibrated(options.lifter, samples, options.output)
    return 0


def _people(
    lifter: Lifter, options: CalibrateOptions
) -> Iterator[tuple[LifterInput, Intrinsics, Floats]]:
    """What a detector saw of people, the camera, and their joints (T, 22, 3) in camera space."""
    clips = load_mocap(options.mocap)[:: options.every] if options.mocap else []
    for number, truth in filmed_clips(clips, lifter.spec.fps):
        yield *detected(truth, lifter.spec.fps, options.noise, number), truth
    for folder in options.shots:
        for shot in Shots.load(folder).sequences():
            yield shot.lifter_input, shot.camera, shot.joints


def measure(lifter: Lifter, people: Iterator[tuple[LifterInput, Intrinsics, Floats]]) -> Samples:
    """Lift people and compare errors with σ; the pelvis, which has neither, is left out."""
    columns: list[tuple[Any, Any, Any]] = []
    for sequence, camera, truth in tqdm(people, unit="clip", desc="calibrate"):
        poses = lifter.lift(sequence, camera)
        target = truth[:, : len(H36M_21)]
        error = np.linalg.norm(poses.joints_m - (target - target[:, :1]), axis=-1)[:, 1:]
        joint = np.broadcast_to(np.arange(1, len(H36M_21)), error.shape)
        seen = seen_joints(sequence.observed, H36M_21)[:, 1:]
        columns.append((joint.ravel(), (error / poses.sigma_m[:, 1:]).ravel(), seen.ravel()))
    joint, ratio, seen = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Samples(joint, ratio, seen.astype(bool))


def table(samples: Samples) -> str:
    """The shares within σ and 2 σ by joint, and of all, for seen and hidden keypoints."""
    lines = [
        f"{'joint':<12}{'seen: n':>10}{'1 σ':>8}{'2 σ':>8}{'hidden: n':>12}{'1 σ':>8}{'2 σ':>8}"
    ]
    rows = [("all", np.ones(len(samples.joint), bool))]
    rows += [(name, samples.joint == row) for row, name in enumerate(H36M_21.joints) if row]
    for name, is_in in rows:
        line = f"{name:<12}"
        for part, width in ((is_in & samples.seen, 10), (is_in & ~samples.seen, 12)):
            ratio = samples.ratio[part]
            line += f"{len(ratio):>{width}}"
            for multiple in (1, 2):
                share = f"{(ratio <= multiple).mean():.2f}" if len(ratio) else "-"
                line += f"{share:>8}"
        lines.append(line)
    return "\n".join(lines)


def draw(samples: Samples, path: Path) -> None:
    """The share of joints within z σ over that of a normal distribution, erf(z / √2)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    multiples = np.linspace(0, 3, 61)
    expected = erf(multiples / math.sqrt(2))
    figure = Figure(figsize=(4.5, 4.5), layout="tight")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, part in (("seen", samples.seen), ("hidden", ~samples.seen)):
        if part.any():
            ratios = np.sort(samples.ratio[part])
            share = np.searchsorted(ratios, multiples, side="right") / len(ratios)
            axes.plot(expected, share, label=f"{name}, {len(ratios):,} joints")
    for multiple in (1, 2):
        axes.axvline(erf(multiple / math.sqrt(2)), color="0.85", linewidth=1, zorder=0)
        axes.text(erf(multiple / math.sqrt(2)), 0.02, f"{multiple} σ", ha="right")
    axes.set(xlabel="share that should lie within", ylabel="share that does")
    axes.legend()
    figure.savefig(path, dpi=150)


def _write_calibrated(path: Path, samples: Samples, output: Path) -> None:
    """Write a lifter with σ multiplied joint by joint, the left and the right one alike.

    σ of the network is multiplied by the 68 % quantile q_s of the error over σ of seen joints.
    Hidden joints have a factor h besides, in the header, which becomes h q_h / q_s with their own
    quantile q_h, at least 1; it stays where too few were measured.
    """
    state, spec = read_lifter(path)
    hidden = np.array(spec.hidden_sigma or np.ones(len(H36M_21)))
    raised = np.ones(len(H36M_21))
    for joint, other in enumerate(H36M_21.flip_order):
        own = np.isin(samples.joint, (joint, other))
        seen, unseen = (samples.ratio[own & part] for part in (samples.seen, ~samples.seen))
        if len(seen):
            raised[joint] = np.quantile(seen, COVERAGE)
        if len(unseen) >= _ENOUGH:
            hidden[joint] *= np.quantile(unseen, COVERAGE) / raised[joint]
    hidden = hidden.clip(1.0)  # no joint is surer for being hidden
    bias = state["shrink.bias"].astype(np.float64).reshape(len(H36M_21), 4)
    bias[:, 3] += np.log(raised)
    factors = tuple(hidden.round(3).tolist())
    write_lifter(output, state | {"shrink.bias": bias.ravel()}, replace(spec, hidden_sigma=factors))
