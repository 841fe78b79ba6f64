"""Frames per second of training: a plain loop in PyTorch, and ours, with the same data and network.

    python -m benchmarks.train            # -arc 3,3,3 -ch 1024 -b 1024 on the reference clips
    python -m benchmarks.train -arc 3,3,3,3,3 --peak-tflops 989
    python -m benchmarks.train -arc 3,3,3 -ch 256 -b 64 --videopose3d ../VideoPose3D
    python -m benchmarks.train -arc 3,3,3 -ch 256 -b 64 -e 8 --videopose3d ../VideoPose3D --whole

The plain loop is the textbook one: fp32, strided Conv1d layers, torch's dropout and Adam, batches
put together example by example in numpy. Both take their steps in turn, so that other load on the
machine slows both. At the end, both networks' errors on the test subjects are printed. With
`--videopose3d` VideoPose3D's own code, its folder given, takes steps too. With `--whole` its
`run.py` and `python -m train` run instead, from start to last evaluation, in turns, in processes of
their own.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from core.options import Parser
from lifter.model import TemporalConvNet
from testkit.command_lines import existing, positive, run_benchmark
from train.reproduce.evaluate import average, evaluate_actions
from train.reproduce.loop import Training
from train.reproduce.options import parse
from train.reproduce.processes import ProcessGroup
from train.reproduce.session import Session, open_session

ROOT = Path(__file__).absolute().parents[1]
DATA = ROOT / "tests/data/h36m_like"


class PlainNet(TemporalConvNet):
    """The same parameters in strided convolutions, as single frames were trained in the paper."""

    def forward_windows(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(2).transpose(1, 2)
        widths = self.config.filter_widths
        x = F.conv1d(x, self.expand_conv.weight, stride=widths[0])
        x = self.dropout(F.relu(self.expand_bn(x)))
        for i, width in enumerate(widths[1:]):
            residual = x[:, :, width - 1 if self.config.causal else width // 2 :: width]
            for layer, stride in ((2 * i, width), (2 * i + 1, 1)):
                x = F.conv1d(x, self.layers_conv[layer].weight, stride=stride)
                x = self.dropout(F.relu(self.layers_bn[layer](x)))
            x = residual + x
        return self.shrink(x).view(len(x), -1, 3)


class PlainTraining:
    """The textbook loop: batches in numpy, fp32, torch's Adam."""

    def __init__(self, session: Session) -> None:
        o = session.options
        self.session = session
        torch.manual_seed(o.seed)
        fitting = session.network(len(session.data.skeleton))
        self.net = PlainNet(fitting.config).to(session.device)
        self.net.load_state_dict(fitting.state_dict())
        self.optimizer = torch.optim.Adam(self.net.parameters(), o.learning_rate, amsgrad=True)
        self.clips = session.clips("subjects_train")
        self.examples = [
            (c, t, flip)
            for c, clip in enumerate(self.clips)
            for flip in (0, 1)
            for t in range(len(clip))
        ]
        self.random, self.epochs_done = np.random.RandomState(1234), 0

    def steps(self) -> Iterator[None]:
        o = self.session.options
        self.net.train()
        self.net.set_bn_momentum(0.1 * 0.01 ** (self.epochs_done / o.epochs))
        order = self.random.permutation(len(self.examples))
        for start in range(0, len(order), o.batch_size):
            keypoints, joints = self.gather(order[start : start + o.batch_size])
            self.optimizer.zero_grad()
            predicted = self.net.forward_windows(keypoints.to(self.session.device))
            (predicted - joints.to(self.session.device)).norm(dim=-1).mean().backward()
            self.optimizer.step()
            yield
        for group in self.optimizer.param_groups:
            group["lr"] *= o.lr_decay
        self.epochs_done += 1

    def gather(self, which: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        before, after = self.net.config.padding
        mirror = self.session.mirror
        keypoints, joints = [], []
        for number in which:
            c, t, flip = self.examples[number]
            clip = self.clips[c]
            frames = np.arange(t - before, t + after + 1).clip(0, len(clip) - 1)
            window, pose = clip.keypoints[frames], clip.joints_m[t]
            if flip:
                window, pose = (
                    window[:, mirror.keypoints] * [-1, 1],
                    pose[mirror.joints] * [-1, 1, 1],
                )
            keypoints.append(window)
            joints.append(pose)
        return torch.from_numpy(np.float32(keypoints)), torch.from_numpy(np.float32(joints))


class PublishedTraining:
    """VideoPose3D's generator, network and loss, and the loop of its `run.py`."""

    def __init__(self, session: Session, folder: Path) -> None:
        sys.path.insert(0, str(folder))
        from common.generators import ChunkedGenerator
        from common.loss import mpjpe
        from common.model import TemporalModelOptimized1f

        o, mirror = session.options, session.mirror
        self.mpjpe, config = mpjpe, session.network(len(session.data.skeleton)).config
        self.net = TemporalModelOptimized1f(
            config.joints_in, config.features_in, config.joints_out, list(config.filter_widths),
            config.causal, config.dropout, config.channels,
        )  # fmt: skip
        self.optimizer = torch.optim.Adam(self.net.parameters(), o.learning_rate, amsgrad=True)
        sides = []
        for order in (mirror.keypoints, mirror.joints):
            left = [i for i, other in enumerate(order) if i < other]
            sides += [left, [order[i] for i in left]]
        clips = session.labelled_clips("subjects_train")
        self.generator = ChunkedGenerator(
            o.batch_size, None, [np.array(clip.joints_m) for clip in clips],
            [clip.keypoints for clip in clips], 1, pad=(config.receptive_field - 1) // 2,
            causal_shift=config.padding[0] - (config.receptive_field - 1) // 2, augment=True,
            kps_left=sides[0], kps_right=sides[1], joints_left=sides[2], joints_right=sides[3],
        )  # fmt: skip

    def steps(self) -> Iterator[None]:
        self.net.train()
        for _, joints, keypoints in self.generator.next_epoch():
            target = torch.from_numpy(joints.astype("float32"))
            target[:, :, 0] = 0
            self.optimizer.zero_grad()
            loss = self.mpjpe(self.net(torch.from_numpy(keypoints.astype("float32"))), target)
            loss.item()
            loss.backward()
            self.optimizer.step()
            yield


class OurTraining:
    def __init__(self, session: Session) -> None:
        self.training = Training(session, ProcessGroup())

    @property
    def net(self) -> nn.Module:
        return self.training.state.networks.pose

    def steps(self) -> Iterator[None]:
        for _ in self.training.steps():
            yield
        self.training.state.epoch += 1
        self.training.state.decay_learning_rate(self.training.session.options.lr_decay)


def flops_per_frame(net: TemporalConvNet) -> float:
    """Multiplications and additions of a training step on one window; backward is twice forward."""
    frames, total = net.config.receptive_field, 0
    for layer in (net.expand_conv, *net.layers_conv):
        frames //= layer.kernel_size[0]
        total += 2 * layer.weight.numel() * frames
    return 3 * (total + 2 * net.shrink.weight.numel())


def timed_epoch(
    contenders: "dict[str, PlainTraining | PublishedTraining | OurTraining]", device: torch.device
) -> dict[str, float]:
    """Run an epoch of each, step by step in turn.

    Returns:
        The seconds of each, without its first step, which warms up.
    """
    spent = dict.fromkeys(contenders, 0.0)
    running = {name: contender.steps() for name, contender in contenders.items()}
    first = True
    while running:
        for name, steps in list(running.items()):
            started = time.perf_counter()
            if next(steps, running) is running:
                del running[name]
            if device.type == "cuda":
                torch.cuda.synchronize()
            spent[name] += 0.0 if first else time.perf_counter() - started
        first = False
    return spent


def whole_runs(folder: Path, flags: list[str], runs: int) -> None:
    """Train by VideoPose3D's `run.py` and by `python -m train`, several times in turns.

    Prints seconds, core-seconds and the error of each run, and the ratios of the medians.
    """
    programs = {"VideoPose3D": [str(folder.absolute() / "run.py")], "ours": ["-m", "train"]}
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "data").symlink_to(DATA)  # where run.py looks
        for name in list(programs) * runs:
            command = [sys.executable, *programs[name], "-k", "gt", *flags]
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                command, cwd=work, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            took[name].append((time.perf_counter() - start, cores))
            mpjpe = re.findall(r"average:? +([\d.]+)", done.stdout)[0]
            print(
                f"{name:<11} {took[name][-1][0]:7.1f} s {cores:7.1f} core-s {mpjpe} mm", flush=True
            )
    for number, unit in enumerate(("seconds", "core-seconds")):
        peer, ours = (median(run[number] for run in took[name]) for name in programs)
        print(f"in {unit} ours is {peer / ours:.1f} times as fast")


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peak-tflops",
        type=positive(float),
        help="the machine's bf16 peak, to say what share of it is used",
    )
    parser.add_argument("--no-plain", action="store_true", help="leave the plain loop out")
    parser.add_argument(
        "--videopose3d", type=existing, metavar="FOLDER", help="compare with its code, on a CPU"
    )
    parser.add_argument("--whole", action="store_true", help="compare whole runs, see above")
    parser.add_argument(
        "--runs", type=positive(int), default=3, help="of each program with --whole"
    )
    arguments, flags = parser.parse_known_args()
    if arguments.whole:
        if not arguments.videopose3d:
            parser.error("--whole: --videopose3d FOLDER is needed")
        whole_runs(arguments.videopose3d, flags, arguments.runs)
        return
    data = ["--data-dir", str(DATA), "-k", "gt"]
    session = open_session(parse([*data, "-e", "4", "--no-eval", *flags]))
    o = session.options
    contenders = {} if arguments.no_plain else {"plain": PlainTraining(session)}
    if arguments.videopose3d:
        contenders["VideoPose3D"] = PublishedTraining(session, arguments.videopose3d)
    contenders["ours"] = OurTraining(session)
    frames = len(contenders["ours"].training.state.labelled.examples)
    print(
        f"-arc {o.architecture} -ch {o.channels} -b {o.batch_size} on {session.device}, "
        f"{frames} frames an epoch"
    )
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for epoch in range(o.epochs):
        for name, spent in timed_epoch(contenders, session.device).items():
            times[name].append(spent)
            print(
                f"epoch {epoch + 1} {name:<5} {(frames - o.batch_size) / spent:9.0f} frames/s",
                flush=True,
            )
    rates = {name: (frames - o.batch_size) / median(values) for name, values in times.items()}
    for name, contender in contenders.items():
        if isinstance(contender, PublishedTraining):
            print(f"{name} {rates[name]:9.0f} frames/s")
            continue
        errors = average(
            evaluate_actions(contender.net, session.clips("subjects_test"), session.mirror)
        )
        tflops = rates[name] * flops_per_frame(contender.net) / 1e12
        share = (
            f", {100 * tflops / arguments.peak_tflops:.1f} % of peak"
            if arguments.peak_tflops
            else ""
        )
        print(
            f"{name:<5} {rates[name]:9.0f} frames/s, {tflops:.3f} TFLOP/s{share}; "
            f"MPJPE {errors.mpjpe:.1f} mm"
        )
    for name in rates.keys() - {"ours"}:
        print(f"ours is {rates['ours'] / rates[name]:.1f} times as fast as {name}")


if __name__ == "__main__":
    run_benchmark(main)
