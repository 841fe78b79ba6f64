"""Train the lifter that ships: `python -m train wild --mocap FOLDER … --output runs/wild`.

Endless synthetic windows (train/wild/synthesis.py), Muon for the hidden layers and Adam (AMSGrad, as in the paper) for the
first and last, a constant rate that falls to zero over the last part of the run, and a running average of the weights,
which is what is kept. The error counts as it is and once more after alignment: how a body is turned to the camera is
often unclear where its shape is not. Drawing a window costs more than learning from it, so each is learnt from several
times, each time in other company and half the time mirrored. With `--shots` a part of each batch is what a detector
really said of filmed people (train/people), and its errors about them are copied into half of the other windows. A
killed run goes on when it is started again with the same output folder. On a GPU drawing is cheap and starting a
computation is not: `--batch 4096 --reuse 2 --lr 2e-3`.
"""

import argparse
import copy
import itertools
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from core.errors import InputError, UsageError
from core.skeletons import COCO_17, H36M_17
from lifter.checkpoint import LifterSpec, load_lifter, save_lifter
from lifter.model import ModelConfig, TemporalConvNet
from lifter.normalize import flip_joints, flip_person_windows
from train.arguments import filter_widths, refuse_below
from train.devices import fast_bf16, usable_device
from train.metrics import mpjpe, p_mpjpe
from train.wild.mocap import load_mocap
from train.wild.motion_bank import MotionBank
from train.wild.people.errors import FilmedErrors
from train.wild.people.shots import FPS, FilmedWindows, Shots
from train.wild.synthesis import Recipe, Synthesizer, changed

STAGES = (
    (0.35, Recipe(build=1.0, level_deg=(6.0, 12.0), steep=0.35)),
    (1.0, Recipe()),
)
"""What is drawn until which share of the run: bodies of any build first, then only those that there are.

A run that starts from a trained lifter begins with the last."""

_WARMUP_STEPS = 50
_COOLDOWN = 0.5  # last share of the run, in which the learning rate falls to zero
_SAVE_EVERY_S = 120.0
_LOG_EVERY = 50  # steps
_POOL = 48  # batches from which windows are drawn again
_GPU_WINDOWS = (
    16_384  # drawn at once on a GPU, where starting a computation costs more than doing it
)

Batch = tuple[Tensor, Tensor]
"""Network input (B, T, 18, 3) and target (B, 17, 3)."""


@dataclass(frozen=True)
class WildOptions:
    """One run; see `--help` for what each means."""

    mocap: list[Path]
    shots: list[Path]
    shot_share: float
    output: Path
    windows: float
    batch: int
    arc: str
    channels: int
    causal: bool
    start: Path | None
    reuse: int
    recipe: list[str]
    lr: float
    seed: int
    device: str


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train wild`."""
    parser = argparse.ArgumentParser(
        prog="python -m train wild", description="Train the lifter for any footage."
    )
    parser.add_argument(
        "--mocap", nargs="+", type=Path, required=True, help="folders, archives or files of motion"
    )
    parser.add_argument(
        "--shots", nargs="+", type=Path, default=[], help="folders of `python -m train film`"
    )
    parser.add_argument(
        "--shot-share", type=float, default=0.1, help="of each batch, if there are shots"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("runs/wild"), help="where checkpoints and the log go"
    )
    parser.add_argument("--windows", type=float, default=8e6, help="windows to train on in all")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument(
        "--arc", default="3,3,3,3", help="filter widths; the receptive field is their product"
    )
    parser.add_argument("--channels", type=int, default=512)
    parser.add_argument("--causal", action="store_true", help="see only the past, for live use")
    parser.add_argument(
        "--start", type=Path, metavar="LIFTER", help="begin with the weights of this lifter"
    )
    parser.add_argument(
        "--reuse", type=int, default=3, help="times each synthetic window is learnt from"
    )
    parser.add_argument(
        "--recipe", nargs="+", default=[], metavar="FIELD=X", help="change fields of the recipe"
    )
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parsed = parser.parse_args(argv)
    refuse_below(1, parsed, "windows", "channels", "reuse")
    refuse_below(2, parsed, "batch")  # fewer have no variance to normalise by
    refuse_below(0, parsed, "lr")
    if not 0 <= parsed.shot_share < 1:
        raise UsageError(f"--shot-share: must be from 0 to less than 1, got {parsed.shot_share:g}")
    train(WildOptions(**vars(parsed)))
    return 0


def train(options: WildOptions) -> None:
    """Run or resume a training; leaves `lifter.safetensors`, `state.pt` and `log.jsonl` in the output folder."""
    stages = [
        (until, changed(recipe, options.recipe))
        for until, recipe in STAGES[-1 if options.start else 0 :]
    ]
    device = usable_device(options.device)
    torch.manual_seed(options.seed)
    widths = filter_widths("--arc", options.arc)
    config = ModelConfig(
        len(COCO_17) + 1, 3, len(H36M_17), widths, options.channels, options.causal, dropout=0.0
    )
    model = TemporalConvNet(config).to(device)
    if options.start:
        try:
            model.load_state_dict(load_lifter(options.start)[0].state_dict())
        except RuntimeError as error:
            raise InputError(
                f"{options.start}: not a network of this --arc and --channels"
            ) from error
    bf16 = fast_bf16(device, options.channels)
    average = copy.deepcopy(model)
    optimizer = _Optimizer(model)
    state_path = options.output / "state.pt"
    done = 0
    if state_path.exists():
        state = torch.load(state_path, map_location=device, weights_only=True)
        try:
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            average.load_state_dict(state["average"])
        except (RuntimeError, KeyError) as error:
            message = (
                "a run of another --arc or --channels, or of another version; name another --output"
            )
            raise UsageError(f"{state_path}: {message}") from error
        done = state["windows"]
    centre = config.receptive_field - 1 if config.causal else config.receptive_field // 2
    generator = torch.Generator(device).manual_seed(
        options.seed + done
    )  # resumed: other windows, not the same again
    bank = MotionBank(load_mocap(options.mocap), FPS, config.receptive_field, device)
    filmed = errors = None
    if options.shots:
        filmed = FilmedWindows(
            Shots.load(*options.shots), config.receptive_field, centre, generator
        )
        errors = FilmedErrors(filmed)
    synthesizer = Synthesizer(bank, stages[0][1], generator, centre, errors)
    spec = LifterSpec(config, COCO_17, H36M_17, FPS, "person")

    def save() -> None:
        state = {
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimizer": optimizer.state_dict(),
            "windows": done,
        }
        partial = state_path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(state_path)
        save_lifter(options.output / "lifter.safetensors", average, spec)

    options.output.mkdir(parents=True, exist_ok=True)
    log, saved, losses = (options.output / "log.jsonl").open("a"), time.monotonic(), []
    bar = tqdm(total=options.windows, initial=done, unit="win", unit_scale=True, smoothing=0.05)
    with log, bar:
        for step, (windows, target) in enumerate(
            _batches(synthesizer, filmed, options, options.windows - done)
        ):
            synthesizer.recipe = next(
                recipe for until, recipe in stages if done < until * options.windows or until == 1
            )
            rate = options.lr * min(
                (step + 1) / _WARMUP_STEPS, 1.0, (1 - done / options.windows) / _COOLDOWN
            )
            losses.append(_step(model, optimizer, rate, windows, target, bf16))
            done += len(windows)
            _follow(average, model, done / options.batch)
            bar.update(len(windows))
            if step % _LOG_EVERY == _LOG_EVERY - 1:
                loss = torch.stack(losses).mean().item() * 1000
                losses.clear()
                bar.set_postfix_str(f"{loss:.1f} mm")
                log.write(
                    json.dumps({"windows": done, "loss_mm": round(loss, 2), "lr": rate}) + "\n"
                )
                log.flush()
            if time.monotonic() - saved > _SAVE_EVERY_S:
                save()
                saved = time.monotonic()
    save()


def _follow(average: TemporalConvNet, model: TemporalConvNet, steps: float) -> None:
    """Draw the average to the weights and statistics, so that it is of the last thousand steps; of fewer at first."""
    decay = min(0.999, steps / (9 + steps))
    pairs = zip(average.state_dict().values(), model.state_dict().values(), strict=True)
    averages, values = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
    torch._foreach_lerp_(averages, values, 1 - decay)


class _Optimizer:
    """Muon (Jordan et al., 2024) for the convolutions between the first layer and the last, Adam for all else."""

    def __init__(self, model: TemporalConvNet) -> None:
        self._hidden = [
            weight for name, weight in model.named_parameters() if name.startswith("layers_conv.")
        ]
        self._matrices = [
            nn.Parameter(weight.detach().flatten(1)) for weight in self._hidden
        ]  # the same memory
        hidden = set(self._hidden)
        others = [parameter for parameter in model.parameters() if parameter not in hidden]
        muon = torch.optim.Muon(self._matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
        self._both = {"muon": muon, "adam": torch.optim.Adam(others, amsgrad=True, fused=True)}

    def step(self, rate: float) -> None:
        """Down the gradients that the model has, at this learning rate."""
        for matrix, weight in zip(self._matrices, self._hidden, strict=True):
            assert weight.grad is not None
            matrix.grad = weight.grad.flatten(1)
        for optimizer in self._both.values():
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        return {name: optimizer.state_dict() for name, optimizer in self._both.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, optimizer in self._both.items():
            optimizer.load_state_dict(state[name])


def _step(
    model: TemporalConvNet,
    optimizer: _Optimizer,
    rate: float,
    windows: Tensor,
    target: Tensor,
    bf16: bool,
) -> Tensor:
    with torch.autocast(windows.device.type, torch.bfloat16, enabled=bf16):
        predicted = model.forward_windows(windows)
    error: Tensor = mpjpe(predicted.float(), target)
    loss = error + p_mpjpe(predicted.float(), target)
    model.zero_grad()
    loss.backward()
    optimizer.step(rate)
    return error.detach()


def _batches(
    synthesizer: Synthesizer, filmed: FilmedWindows | None, options: WildOptions, windows: float
) -> Iterator[Batch]:
    """Batches of synthetic windows with filmed ones, if there are any, behind them."""
    count = round(options.batch * options.shot_share) if filmed else 0
    drawn = _replayed(
        synthesizer, options, options.batch - count, math.ceil(windows / options.batch)
    )
    if filmed is None or not count:
        yield from drawn
        return
    shot = _one_by_one(filmed.batch, count, synthesizer.bank.device)
    for step, ((synthetic, target), batch) in enumerate(zip(drawn, shot, strict=False)):
        seen, true = _mirrored(*batch) if step % 2 else batch
        yield torch.cat([synthetic, seen]), torch.cat([target, true])


def _replayed(
    synthesizer: Synthesizer, options: WildOptions, size: int, steps: int
) -> Iterator[Batch]:
    """Batches of windows, one in `reuse` new; the others out of a pool of recent ones, half of them mirrored."""
    fresh = _ahead(synthesizer, size, math.ceil(steps / options.reuse))
    generator = torch.Generator().manual_seed(options.seed)
    pool: list[Batch] = []
    for step in range(steps):
        if step % options.reuse == 0:
            batch = next(fresh)
            pool = [*pool[1 - _POOL :], batch]
        else:
            batch = _mixed(pool, size, generator)
            if step % 2:
                batch = _mirrored(*batch)
        yield batch


def _mirrored(windows: Tensor, target: Tensor) -> Batch:
    return flip_person_windows(windows), flip_joints(target, H36M_17)


def _mixed(pool: list[Batch], size: int, generator: torch.Generator) -> Batch:
    """A batch of windows from anywhere in the pool."""
    rows = torch.randint(size, (len(pool), math.ceil(size / len(pool))), generator=generator)
    windows = torch.cat([windows[some] for (windows, _), some in zip(pool, rows, strict=True)])
    target = torch.cat([target[some] for (_, target), some in zip(pool, rows, strict=True)])
    return windows[:size], target[:size]


def _ahead(synthesizer: Synthesizer, size: int, count: int) -> Iterator[Batch]:
    """Batches drawn by a thread of their own, two ahead of the network: torch lets both compute at once."""
    batches: queue.Queue[Batch] = queue.Queue(2)

    def draw() -> None:
        for batch in itertools.islice(
            _one_by_one(synthesizer.batch, size, synthesizer.bank.device), count
        ):
            batches.put(batch)

    threading.Thread(target=draw, daemon=True).start()
    for _ in range(count):
        yield batches.get()


def _one_by_one(draw: Callable[[int], Batch], size: int, device: torch.device) -> Iterator[Batch]:
    """Batches without end, on a GPU many drawn at once."""
    together = max(1, _GPU_WINDOWS // size) if device.type == "cuda" else 1
    while True:
        windows, target = draw(size * together)
        yield from zip(torch.split(windows, size), torch.split(target, size), strict=True)
