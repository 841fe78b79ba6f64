"""The training loop."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from core.errors import UsageError
from lifter.model import TemporalConvNet
from train.devices import fast_bf16
from train.motion_data import Clip
from train.reproduce.checkpoints import TrainingState, resume, write_checkpoint
from train.reproduce.evaluate import validation_errors
from train.reproduce.generators import BatchSampler, ExampleBatch, Examples
from train.reproduce.losses import LossTerms, supervised_loss
from train.reproduce.networks import Networks, make_optimizer
from train.reproduce.output.curves import Curves
from train.reproduce.processes import ProcessGroup, join_processes, leave_processes
from train.reproduce.semi import SemiSupervision
from train.reproduce.session import Session

_LABELLED_SEED, _UNLABELLED_SEED = 1234, 4321  # VideoPose3D's, so that batches are the same
_IN_MM = ("3d", "traj")


class Training:
    """A training run: networks, data and optimizer, from the options to the last epoch.

    Random numbers come from two sources, so that a resumed run equals one without a break: the
    order of examples from the samplers, whose state checkpoints keep, and initial weights and
    dropout from torch's generator, which is seeded at the beginning and with each epoch.
    """

    def __init__(self, session: Session, processes: ProcessGroup) -> None:
        """Build a run, and restore the checkpoint that `--resume` names.

        Args:
            session: The options and the data.
            processes: The processes that train together.

        Raises:
            UsageError: The options don't fit the data.
            WeightsError: The checkpoint cannot be resumed.
        """
        o = session.options
        self.session, self.processes = session, processes
        torch.manual_seed(o.seed)
        trajectory = session.network(1) if o.semi_supervised else None
        # Windows of separate frames don't overlap; dense filters have no such form.
        single_frames = o.stride == 1 and not o.dense and not o.disable_optimizations
        networks = Networks(session.network(len(session.data.skeleton)), trajectory, single_frames)
        padding = networks.pose.config.padding
        self.train_clips = session.labelled_clips("subjects_train")
        self.test_clips = [] if o.no_eval else session.labelled_clips("subjects_test")
        self.unlabelled_clips = session.clips("subjects_unlabeled") if o.semi_supervised else []
        self.semi = (
            SemiSupervision(o, session.data.skeleton, padding[0]) if o.semi_supervised else None
        )
        if self.semi and session.data.keypoint_skeleton != session.data.skeleton:
            raise UsageError(
                f"-sun and -k {o.keypoints}: keypoints must be the joints, "
                "so that these project onto them"
            )
        self.state = TrainingState(
            networks,
            make_optimizer(networks, o.learning_rate),
            self._sampler(self.train_clips, padding, _LABELLED_SEED),
            self._sampler(self.unlabelled_clips, padding, _UNLABELLED_SEED)
            if o.semi_supervised
            else None,
        )
        if o.resume:
            resume(session, self.state)
        self.bf16 = o.precision == "bf16" or (
            o.precision == "auto" and fast_bf16(session.device, o.channels)
        )
        self.step_module = self._distribute(networks)

    def _sampler(self, clips: list[Clip], padding: tuple[int, int], seed: int) -> BatchSampler:
        o = self.session.options
        mirror = None if o.no_data_augmentation else self.session.mirror
        examples = Examples(clips, o.stride, padding, mirror, self.session.device)
        # `--batch-size` counts predicted frames, of which an example has `stride`.
        return BatchSampler(examples, o.batch_size // o.stride, seed)

    def _distribute(self, networks: Networks) -> nn.Module:
        """The module that steps call: compiled and synchronised across processes as needed."""
        module: nn.Module = networks
        if self.session.options.compile:
            module.compile()
        return module if self.processes.size == 1 else DistributedDataParallel(module)

    def run(self) -> TemporalConvNet:
        """Train to the last epoch, writing checkpoints; returns the pose network."""
        o, state = self.session.options, self.state
        curves = Curves(o, self.session.checkpoint_dir) if self.processes.is_main else None
        while state.epoch < o.epochs:
            started = time.perf_counter()
            errors = self.epoch()
            if self.processes.is_main and not o.no_eval:
                errors |= self.evaluate()
            learning_rate = state.learning_rate
            state.decay_learning_rate(o.lr_decay)
            state.epoch += 1
            state.history.append(errors)
            if curves is not None:
                seconds = time.perf_counter() - started
                print(_log_line(state.epoch, seconds, learning_rate, errors), flush=True)
                curves.update(state.history)
                if state.epoch % o.checkpoint_frequency == 0 or state.epoch == o.epochs:
                    write_checkpoint(self.session, state)
        return state.networks.pose

    def epoch(self) -> dict[str, float]:
        """One pass over the labelled examples.

        Returns:
            The mean of each loss term over the pass, metres and screen coordinates.
        """
        totals: dict[str, tuple[Tensor, int]] = {}
        for terms in self.steps():
            for name, (error, frames) in terms.items():
                # Summed on the device: reading a number each step would wait for the GPU.
                total, count = totals.get(name, (torch.zeros_like(error), 0))
                totals[name] = total + error * frames, count + frames
        return {name: float(total) / count for name, (total, count) in totals.items()}

    def steps(self) -> Iterator[LossTerms]:
        """The steps of an epoch, one taken each time the next is asked for."""
        o, state = self.session.options, self.state
        # The seed of dropout depends on the epoch alone: a resumed run drops the same activations.
        seed = [o.seed, state.epoch, self.processes.rank]
        words = np.random.SeedSequence(seed).generate_state(2)
        torch.manual_seed(int(words[0]) << 32 | int(words[1]))
        state.networks.restart_dropout()
        state.networks.decay_momentum(state.epoch / o.epochs)
        self.step_module.train()
        for labelled, unlabelled, weight in self._batches():
            yield self.step(labelled, unlabelled, weight)

    def _batches(self) -> Iterator[tuple[ExampleBatch, ExampleBatch | None, float]]:
        """This process' batches of an epoch: labelled, unlabelled (None in warm-up), weight."""
        o, state, processes = self.session.options, self.state, self.processes
        unlabelled = None if state.unlabelled is None else state.unlabelled.endless()
        bar = tqdm(
            state.labelled.epoch(),
            total=state.labelled.batches,
            desc=f"epoch {state.epoch + 1}",
            leave=False,
            disable=None if processes.is_main else True,
        )
        for numbers in bar:
            # Drawn during the warm-up too, which keeps VideoPose3D's order of examples.
            unlabelled_numbers = None if unlabelled is None else next(unlabelled)
            if len(numbers) < 2 * processes.size:
                continue  # batch normalisation needs two examples in each process
            shard, weight = processes.shard(numbers)
            batch = None
            if (
                unlabelled_numbers is not None
                and state.unlabelled is not None
                and state.epoch >= o.warmup
            ):
                batch = self._gather(state.unlabelled, processes.shard(unlabelled_numbers)[0])
            yield self._gather(state.labelled, shard), batch, weight

    def _gather(self, source: BatchSampler, numbers: Tensor) -> ExampleBatch:
        return source.examples.gather(numbers.to(self.session.device, non_blocking=True))

    def step(
        self, labelled: ExampleBatch, unlabelled: ExampleBatch | None, weight: float
    ) -> LossTerms:
        """Take one step of the optimizer.

        Args:
            labelled: This process' share of the labelled batch.
            unlabelled: The same of the unlabelled batch; None without.
            weight: The factor on the loss, see `ProcessGroup.shard`.

        Returns:
            The terms of the loss, without gradients.
        """
        optimizer = self.state.optimizer
        optimizer.zero_grad(set_to_none=True)
        with self._precision():
            if self.semi is None:
                loss, terms = supervised_loss(self.step_module, labelled)
            else:
                loss, terms = self.semi.loss(self.step_module, labelled, unlabelled)
        # DistributedDataParallel averages gradients over processes; `weight` makes that the mean
        # over the whole batch.
        torch.autograd.backward(loss * weight)
        optimizer.step()
        return terms

    def _precision(self) -> AbstractContextManager[None]:
        return torch.autocast(self.session.device.type, torch.bfloat16, enabled=self.bf16)

    def evaluate(self) -> dict[str, float]:
        """The errors on whole clips, without test-time augmentation.

        Returns:
            `3d_eval` on training subjects, `3d_valid` on test subjects, `2d_unlabeled_eval` on
            unlabelled ones and so on, see `validation_errors`.
        """
        networks = self.state.networks.eval()
        results = {}
        for suffix, clips in (
            ("eval", self.train_clips),
            ("valid", self.test_clips),
            ("unlabeled_eval", self.unlabelled_clips),
        ):
            for name, error in validation_errors(networks.pose, networks.trajectory, clips).items():
                if suffix != "unlabeled_eval" or name == "2d":
                    results[f"{name}_{suffix}"] = error
        return results


def _log_line(epoch: int, seconds: float, learning_rate: float, errors: dict[str, float]) -> str:
    """An epoch in a line, errors of poses and trajectories in millimetres."""
    values = (
        f"{name} {error * (1000 if name.startswith(_IN_MM) else 1):.6g}"
        for name, error in errors.items()
    )
    return f"[{epoch}] time {seconds / 60:.2f} lr {learning_rate:.6f} " + " ".join(values)


def train(session: Session) -> TemporalConvNet | None:
    """Train as the options say.

    Returns:
        The pose network; None in a process that only trains along with the main one.
    """
    processes = join_processes(session.device)
    try:
        training = Training(session, processes)
        state = training.state
        if processes.is_main:
            pose = state.networks.pose
            count = sum(parameter.numel() for parameter in pose.parameters())
            print(
                f"receptive field {pose.config.receptive_field} frames, {count} parameters, "
                f"{state.labelled.examples.frames} frames to train on",
                flush=True,
            )
        trained = training.run()
        return trained if processes.is_main else None
    finally:
        leave_processes()
