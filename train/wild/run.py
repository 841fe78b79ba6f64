"""Train the lifter that ships: `python -m train wild --mocap FOLDER … --output runs/wild`.

The network learns from endless synthetic windows (`synthesis`) and, with `--shots`, from what a
detector made of filmed people (`people`); the detector's errors about those are also copied into
half of the synthetic windows. The loss (`loss.py`) is the error as it is plus the error after
alignment, how far feet are off from their ankles, and how badly σ tells the error. A run may start
from a lifter without feet (`--start`), whose first and last layer are widened.

The learning rate warms up, stays, and falls to zero over the last part of the run. A running
average of the weights is kept as the lifter. A killed run goes on when it is started again with the
same output folder. On a GPU drawing is cheap and starting a computation is not: `--batch 4096
--reuse 2 --lr 2e-3`.
"""

import copy
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from core.errors import InputError, UsageError, one_line
from core.files import make_way, open_input, remove_partial, written_whole
from core.limits import keep_freed_memory
from core.options import Parser, add_flags, check_options, option
from core.skeletons import COCO_21, H36M_21
from lifter.checkpoint import LifterSpec, save_lifter
from lifter.config import ModelConfig, NetworkConfig
from lifter.model import TemporalConvNet
from train.arguments import add_motion, add_recipe, add_shots, filter_widths
from train.devices import fast_bf16, usable_device
from train.wild.batches import BatchPlan, training_batches
from train.wild.loss import training_loss
from train.wild.motion.bank import MotionBank
from train.wild.motion.mocap import load_mocap
from train.wild.optimizer import MuonWithAdam, update_average
from train.wild.people.errors import FilmedErrors
from train.wild.people.shots import FPS, Shots
from train.wild.people.windows import FilmedWindows
from train.wild.synthesis.recipe import STAGES, Recipe, with_changes
from train.wild.synthesis.synthesizer import Synthesizer
from train.wild.widening import starting_weights
from train.window_pass import train_windows

_WARMUP_STEPS = 50
_COOLDOWN = 0.5  # last share of the run, in which the learning rate falls to zero
_SAVE_EVERY_S = 120.0
_LOG_EVERY = 50  # steps


@dataclass(frozen=True)
class WildOptions:
    """The options of `python -m train wild`.

    Raises:
        UsageError: A value is out of its range.
    """

    mocap: list[Path]
    shots: list[Path] = field(default_factory=list)
    recipe: list[str] = field(default_factory=list)
    shot_share: float = option(0.1, "of each batch, if there are shots", at_least=0, below=1)
    output: Path = option(Path("runs/wild"), "where checkpoints and the log go")
    windows: float = option(8e6, "windows to train on in all", at_least=1)
    batch: int = option(1024, "windows in a batch", at_least=2)  # one has no variance
    arc: str = option("3,3,3,3", "filter widths; the receptive field is their product")
    channels: int = option(512, "hidden channels", at_least=1)
    causal: bool = option(False, "see only the past, for live use")
    start: Path | None = option(None, "begin with the weights of this lifter", metavar="LIFTER")
    reuse: int = option(3, "times each synthetic window is learnt from", at_least=1)
    lr: float = option(1e-3, "learning rate", at_least=0)
    seed: int = option(0, "of the network's first weights and of all that is drawn")
    device: str = option("auto", "auto, cpu, cuda or cuda:N")

    def __post_init__(self) -> None:
        check_options(self)


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train wild`."""
    parser = Parser(prog="python -m train wild", description="Train the lifter for any footage.")
    add_motion(parser, required=True)
    add_shots(parser)
    add_recipe(parser)
    add_flags(parser, fields(WildOptions), defaults=True)
    train(WildOptions(**vars(parser.parse_args(argv))))
    return 0


def train(options: WildOptions) -> None:
    """Run or resume a training.

    It leaves `lifter.safetensors`, `state.pt` to resume from and `log.jsonl` in the output folder.

    Raises:
        UsageError: Options contradict each other or the run in the output folder.
        InputError: Motion, shots or the lifter to start from cannot be used.
    """
    stages = [
        (until, with_changes(recipe, options.recipe))
        for until, recipe in STAGES[-1 if options.start else 0 :]
    ]
    device = usable_device(options.device)
    keep_freed_memory()
    torch.manual_seed(options.seed)
    run = Run(options, device)
    run.resume()
    # Resumed, a run draws other windows, not the same again.
    generator = torch.Generator(device).manual_seed(options.seed + run.windows)
    synthesizer, filmed = _data_sources(options, run.spec.model, stages[0][1], generator)
    count = round(options.batch * options.shot_share) if filmed else 0
    plan = BatchPlan(options.batch, count, options.reuse, options.seed)
    steps = math.ceil((options.windows - run.windows) / options.batch)

    options.output.mkdir(parents=True, exist_ok=True)
    make_way(options.output / "log.jsonl")
    log = (options.output / "log.jsonl").open("a")
    losses: list[Tensor] = []
    saved = time.monotonic()
    bar = tqdm(
        total=options.windows, initial=run.windows, unit="win", unit_scale=True, smoothing=0.05
    )
    with log, bar:
        for step, batch in enumerate(training_batches(plan, synthesizer, filmed, steps)):
            done = run.windows / options.windows
            synthesizer.recipe = _recipe_at(stages, run.windows, options.windows)
            rate = options.lr * min((step + 1) / _WARMUP_STEPS, 1.0, (1 - done) / _COOLDOWN)
            losses.append(run.step(*batch, rate))
            bar.update(len(batch[0]))
            if step % _LOG_EVERY == _LOG_EVERY - 1:
                loss = torch.stack(losses).mean().item() * 1000
                losses.clear()
                bar.set_postfix_str(f"{loss:.1f} mm")
                entry = {"windows": run.windows, "loss_mm": round(loss, 2), "lr": rate}
                log.write(json.dumps(entry) + "\n")
                log.flush()
            if time.monotonic() - saved > _SAVE_EVERY_S:
                run.save()
                saved = time.monotonic()
    run.save()


def _data_sources(
    options: WildOptions, config: NetworkConfig, recipe: Recipe, generator: torch.Generator
) -> tuple[Synthesizer, FilmedWindows | None]:
    """What draws synthetic windows, and what draws filmed ones if there are shots."""
    frames, centre_frame = config.receptive_field, config.padding[0]
    bank = MotionBank(load_mocap(options.mocap), FPS, frames, generator.device)
    if not options.shots:
        return Synthesizer(bank, recipe, generator, centre_frame), None
    filmed = FilmedWindows(Shots.load(*options.shots), frames, centre_frame, generator)
    errors = FilmedErrors(filmed)
    return Synthesizer(bank, recipe, generator, centre_frame, errors), filmed


def _recipe_at(stages: Sequence[tuple[float, Recipe]], windows: int, all_windows: float) -> Recipe:
    """The recipe after some of a run's windows."""
    return next(recipe for until, recipe in stages if windows < until * all_windows or until == 1)


class Run:
    """The network, its running average and the optimizer, and the windows they have learnt from."""

    def __init__(self, options: WildOptions, device: torch.device) -> None:
        config = ModelConfig(
            len(COCO_21) + 1,  # the torso's path counts as a keypoint
            3,
            len(H36M_21),
            filter_widths("--arc", options.arc),
            options.channels,
            options.causal,
            dropout=0.0,
            features_out=4,  # with log σ
        )
        self.spec = LifterSpec(config, COCO_21, H36M_21, FPS, "person")
        self.windows = 0
        self._folder = options.output
        self._batch = options.batch
        self._device = device
        self._bf16 = fast_bf16(device, options.channels)
        self._model = TemporalConvNet(config).to(device)
        if options.start:
            try:
                self._model.load_state_dict(starting_weights(options.start))
            except RuntimeError as error:
                raise InputError(
                    f"{options.start}: not a network of this --arc and --channels"
                ) from error
        self._optimizer = MuonWithAdam(self._model)
        self._average = copy.deepcopy(self._model)

    def resume(self) -> None:
        """Go on from the output folder's `state.pt`, if it is there.

        Raises:
            UsageError: It is that of another network or version.
        """
        path = self._state_path
        if not path.exists():
            return
        try:
            with open_input(path) as file:
                state = torch.load(file, map_location=self._device, weights_only=True)
        except Exception as error:  # torch raises anything at damaged files
            raise UsageError(
                f"{path}: damaged ({one_line(error)}); name another --output"
            ) from error
        try:
            self._model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._average.load_state_dict(state["average"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            message = (
                "a run of another --arc or --channels, or of another version; name another --output"
            )
            raise UsageError(f"{path}: {message}") from error
        self.windows = state["windows"]

    def save(self) -> None:
        """Write `state.pt` and `lifter.safetensors` into the output folder."""
        state = {
            "model": self._model.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "windows": self.windows,
        }
        remove_partial(self._state_path)  # of a run that was killed while it saved
        with written_whole(self._state_path) as partial:
            torch.save(state, partial)
        save_lifter(self._folder / "lifter.safetensors", self._average, self.spec)

    def step(self, windows: Tensor, target: Tensor, rate: float) -> Tensor:
        """Learn from one batch.

        Args:
            windows: (B, T, 22, 3) network input.
            target: (B, 21, 3) metres.
            rate: The learning rate.

        Returns:
            The batch's MPJPE in metres, before the step.
        """
        with torch.autocast(windows.device.type, torch.bfloat16, enabled=self._bf16):
            if windows.device.type == "cpu":
                predicted = train_windows(self._model, windows, None)
            else:
                predicted = self._model.forward_windows(windows)
        loss, error = training_loss(predicted.float(), target)
        self._model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step(rate)
        self.windows += len(windows)
        update_average(self._average, self._model, self.windows / self._batch)
        return error.detach()

    @property
    def _state_path(self) -> Path:
        return self._folder / "state.pt"
