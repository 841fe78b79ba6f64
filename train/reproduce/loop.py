"""The training run."""

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
from train.reproduce.checkpoints import Progress, resume, write_checkpoint
from train.reproduce.curves import Curves
from train.reproduce.evaluate import clip_errors
from train.reproduce.generators import Batch, Examples, Shuffled
from train.reproduce.losses import Terms, supervised_loss
from train.reproduce.networks import Networks, make_optimizer
from train.reproduce.semi import SemiSupervision
from train.reproduce.session import Session
from train.reproduce.team import Team, join_team, leave_team

_LABELLED_SEED, _UNLABELLED_SEED = 1234, 4321  # VideoPose3D's, so that batches are the same
_IN_MM = ("3d", "traj")


class Training:
    """A network in training, from the options to the last epoch."""

    def __init__(self, session: Session, team: Team) -> None:
        o = session.options
        self.session, self.team = session, team
        torch.manual_seed(o.seed)
        trajectory = session.network(1) if o.semi_supervised else None
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
                f"-sun and -k {o.keypoints}: keypoints must be the joints, so that these project onto them"
            )
        self.progress = Progress(
            networks,
            make_optimizer(networks, o.learning_rate),
            self._shuffled(self.train_clips, padding, _LABELLED_SEED),
            self._shuffled(self.unlabelled_clips, padding, _UNLABELLED_SEED)
            if o.semi_supervised
            else None,
        )
        if o.resume:
            resume(session, self.progress)
        self.bf16 = o.precision == "bf16" or (
            o.precision == "auto" and fast_bf16(session.device, o.channels)
        )
        self.step_module = self._distribute(networks)

    def _shuffled(self, clips: list[Clip], padding: tuple[int, int], seed: int) -> Shuffled:
        o = self.session.options
        mirror = None if o.no_data_augmentation else self.session.mirror
        examples = Examples(clips, o.stride, padding, mirror, self.session.device)
        return Shuffled(examples, o.batch_size // o.stride, seed)

    def _distribute(self, networks: Networks) -> nn.Module:
        module: nn.Module = networks
        if self.session.options.compile:
            module.compile()
        return module if self.team.size == 1 else DistributedDataParallel(module)

    def run(self) -> TemporalConvNet:
        """Train to the last epoch."""
        o, progress = self.session.options, self.progress
        curves = Curves(o, self.session.checkpoint_dir) if self.team.leads else None
        while progress.epoch < o.epochs:
            started = time.perf_counter()
            errors = self.epoch()
            if self.team.leads and not o.no_eval:
                errors |= self.evaluate()
            learning_rate = progress.learning_rate
            for group in progress.optimizer.param_groups:
                group["lr"] *= o.lr_decay
            progress.epoch += 1
            progress.history.append(errors)
            if curves is not None:
                print(
                    _line(progress.epoch, time.perf_counter() - started, learning_rate, errors),
                    flush=True,
                )
                curves.update(progress.history)
                if progress.epoch % o.checkpoint_frequency == 0 or progress.epoch == o.epochs:
                    write_checkpoint(self.session, progress)
        return progress.networks.pose

    def epoch(self) -> dict[str, float]:
        """One pass over the labelled examples; the mean errors by name, in metres and screen coordinates."""
        totals: dict[str, tuple[Tensor, int]] = {}
        for terms in self.steps():
            for name, (error, frames) in terms.items():
                total, count = totals.get(name, (torch.zeros_like(error), 0))
                totals[name] = total + error * frames, count + frames
        return {name: float(total) / count for name, (total, count) in totals.items()}

    def steps(self) -> Iterator[Terms]:
        """The steps of an epoch, one taken each time the next is asked for."""
        o, progress = self.session.options, self.progress
        # What is dropped depends on the epoch alone, so that a resumed run drops the same.
        words = np.random.SeedSequence([o.seed, progress.epoch, self.team.rank]).generate_state(2)
        torch.manual_seed(int(words[0]) << 32 | int(words[1]))
        progress.networks.decay_momentum(progress.epoch / o.epochs)
        self.step_module.train()
        for labelled, unlabelled, weight in self._batches():
            yield self.step(labelled, unlabelled, weight)

    def _batches(self) -> Iterator[tuple[Batch, Batch | None, float]]:
        o, progress, team = self.session.options, self.progress, self.team
        unlabelled = None if progress.unlabelled is None else progress.unlabelled.endless()
        bar = tqdm(
            progress.labelled.epoch(),
            total=progress.labelled.batches,
            desc=f"epoch {progress.epoch + 1}",
            leave=False,
            disable=None if team.leads else True,
        )
        for which in bar:
            other = None if unlabelled is None else next(unlabelled)
            if len(which) < 2 * team.size:
                continue  # batch normalisation needs two examples in each process
            mine, weight = team.share(which)
            batch = None
            if other is not None and progress.unlabelled is not None and progress.epoch >= o.warmup:
                batch = self._gather(progress.unlabelled, team.share(other)[0])
            yield self._gather(progress.labelled, mine), batch, weight

    def _gather(self, source: Shuffled, which: Tensor) -> Batch:
        return source.examples.gather(which.to(self.session.device, non_blocking=True))

    def step(self, labelled: Batch, unlabelled: Batch | None, weight: float) -> Terms:
        """Move the networks a step down the loss; the errors of the batch."""
        optimizer = self.progress.optimizer
        optimizer.zero_grad(set_to_none=True)
        with self._precision():
            if self.semi is None:
                loss, terms = supervised_loss(self.step_module, labelled)
            else:
                loss, terms = self.semi.loss(self.step_module, labelled, unlabelled)
        torch.autograd.backward(loss * weight)
        optimizer.step()
        return terms

    def _precision(self) -> AbstractContextManager[None]:
        return torch.autocast(self.session.device.type, torch.bfloat16, enabled=self.bf16)

    def evaluate(self) -> dict[str, float]:
        """The errors on whole clips of test, training and unlabelled subjects, without averaging mirrored ones."""
        networks = self.progress.networks.eval()
        results = {}
        for suffix, clips in (
            ("eval", self.train_clips),
            ("valid", self.test_clips),
            ("unlabeled_eval", self.unlabelled_clips),
        ):
            for name, error in clip_errors(networks.pose, networks.trajectory, clips).items():
                if suffix != "unlabeled_eval" or name == "2d":
                    results[f"{name}_{suffix}"] = error
        return results


def _line(epoch: int, seconds: float, learning_rate: float, errors: dict[str, float]) -> str:
    """An epoch in a line, errors of poses and trajectories in millimetres."""
    values = (
        f"{name} {error * (1000 if name.startswith(_IN_MM) else 1):.6g}"
        for name, error in errors.items()
    )
    return f"[{epoch}] time {seconds / 60:.2f} lr {learning_rate:.6f} " + " ".join(values)


def train(session: Session) -> TemporalConvNet | None:
    """Train as the options say; the network, or None in a process that only helps another."""
    team = join_team(session.device)
    try:
        training = Training(session, team)
        if team.leads:
            count = sum(
                parameter.numel() for parameter in training.progress.networks.pose.parameters()
            )
            field = training.progress.networks.pose.config.receptive_field
            frames = training.progress.labelled.examples.frames
            print(
                f"receptive field {field} frames, {count} parameters, {frames} frames to train on",
                flush=True,
            )
        pose = training.run()
        return pose if team.leads else None
    finally:
        leave_team()
