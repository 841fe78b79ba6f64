"""The lifter beside a plain pass of the same network by torch, run in turns."""

import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.speed.programs import Spread
from lifter.checkpoint import load_lifter
from lifter.predict import Lifter
from testkit.walker import CAMERA, keypoints, moving_root, sequence_of, walking, with_feet
from weights.store import resolve

FRAMES, WINDOWS, TIMES = 3000, 256, 5


def lifting() -> dict[str, Spread]:
    """Frames of a person lifted a second, and windows a second of the network and of torch's."""
    path = resolve("lifter")
    lifter, (plain, spec) = Lifter.load(path), load_lifter(path)
    model, random = spec.model, np.random.default_rng(0)
    shape = (WINDOWS, model.receptive_field, model.joints_in, model.features_in)
    windows = random.normal(size=shape).astype(np.float32)
    tensor = torch.from_numpy(windows)
    sequence = sequence_of(keypoints(with_feet(walking(FRAMES)), moving_root(FRAMES)))

    def by_torch() -> None:
        with torch.inference_mode():
            plain(tensor)

    return rates({
        "whole lift": (lambda: lifter.lift(sequence, CAMERA), FRAMES),
        "network": (lambda: lifter.model.lift_windows(windows), WINDOWS),
        "torch, eager, fp32": (by_torch, WINDOWS),
    })  # fmt: skip


def rates(actions: dict[str, tuple[Callable[[], object], int]]) -> dict[str, Spread]:
    """Things a second of actions that do so many each, run in turns; the first turn warms up."""
    known: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(TIMES + 1):
        for name, (action, count) in actions.items():
            start = time.perf_counter()
            action()
            if turn:
                known[name].append(count / (time.perf_counter() - start))
    return {name: Spread.of(own) for name, own in known.items()}
