"""Train the network that weighs a lifter's poses with a detector's own 3D: `python -m train fuse`.

    python -m train fuse --shots runs/shots --lifter runs/wild/lifter.safetensors --output runs/fused.safetensors
    python -m train fuse --evaluate runs/unseen --lifter runs/fused.safetensors

What the detector errs by cannot be invented, so it is trained on filmed people (train/people/film.py). The result is
the lifter's file with the second network in it.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from core.camera import pixels_to_rays
from core.skeletons import COCO_17, H36M_17
from core.types import Floats, Intrinsics, LifterInput
from lifter.checkpoint import load_lifter, save_lifter
from lifter.fusion import FUSION_ROWS, flip_fusion_windows, fuse, fusion_windows
from lifter.model import ModelConfig, TemporalConvNet
from lifter.normalize import flip_joints
from lifter.predict import LIMBS_IN, LIMBS_OUT, Lifter
from train.metrics import mean_velocity_error, mpjpe, p_mpjpe
from train.people.film import FPS, Shots
from train.validate import filled

_ROLL_RAD = 0.3  # pictures are turned by so much, normally distributed: what was filmed upright serves more often
_GAPS = 0.1  # share of windows from which the detector's 3D is taken, for all or some of their frames


def main(argv: Sequence[str]) -> int:
    """Command line of `python -m train fuse`."""
    parser = argparse.ArgumentParser(prog="python -m train fuse", description="Train or measure a lifter's fusion.")
    parser.add_argument("--lifter", type=Path, default=Path("weights/lifter.safetensors"))
    parser.add_argument("--shots", nargs="+", type=Path, default=[], help="folders of `python -m train film`")
    parser.add_argument("--evaluate", nargs="+", type=Path, default=[], help="folders of it, of other motion")
    parser.add_argument("--output", type=Path, help="where the lifter goes with its new second network")
    parser.add_argument("--arc", default="3,3,3", help="filter widths")
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    lifter = Lifter.load(options.lifter)
    if options.shots:
        if options.output is None:
            parser.error("--shots needs --output")
        lifter.fusion = None
        lifter.fusion = train(lifter, [lifted(lifter, Shots.load(folder)) for folder in options.shots], options)
        save_lifter(options.output, *load_lifter(options.lifter), fusion=lifter.fusion)
    for folder in options.evaluate:
        evaluate(lifter, Shots.load(folder), str(folder))
    return 0


class Lifted:
    """Filmed shots and what a lifter makes of them; S shots of T frames, as tensors."""

    def __init__(self, rays: Floats, scores: Floats, points: Floats, joints: Floats, truth: Floats) -> None:
        self.rays, self.scores, self.points, self.joints, self.truth = (
            torch.from_numpy(values.astype(np.float32)) for values in (rays, scores, points, joints, truth)
        )

    def __len__(self) -> int:
        return len(self.rays)


def inputs(shots: Shots) -> Iterator[tuple[LifterInput, Intrinsics, Floats]]:
    """Each shot in which somebody was seen, as a lifter takes it, with the true joints (T, 17, 3) in camera space."""
    for keypoints, scores, points, truth, camera in zip(*vars(shots).values(), strict=True):
        if np.isnan(keypoints[..., 0]).all():
            continue
        fx, fy, cx, cy = camera.astype(float).tolist()
        times = np.arange(len(keypoints)) / FPS
        seen = np.where(np.isnan(keypoints[..., 0]), 0.0, scores)
        gone = seen < _MIN_SCORE
        keypoints = np.where(gone[..., None], np.nan, keypoints).astype(np.float64)
        sequence = LifterInput(times, filled(keypoints), np.where(gone, 0.0, seen), points, FPS, COCO_17)
        yield sequence, Intrinsics(fx, fy, cx, cy, "given"), truth[:, : len(H36M_17)].astype(np.float64)


_MIN_SCORE = 0.1  # as in the application: below it a keypoint counts as not seen


def without_3d(sequence: LifterInput) -> LifterInput:
    """The same from a detector that has no 3D."""
    nothing = np.full_like(sequence.keypoints_3d, np.nan)
    return LifterInput(sequence.times_s, sequence.keypoints, sequence.scores, nothing, sequence.fps, sequence.skeleton)


def lifted(lifter: Lifter, shots: Shots) -> Lifted:
    """Run the lifter alone over every shot."""
    rows = []
    for sequence, camera, truth in tqdm(inputs(shots), total=len(shots.keypoints), unit="shot", desc="lift"):
        joints = lifter.lift(without_3d(sequence), camera).joints_m
        rays = pixels_to_rays(sequence.keypoints, camera)
        rows.append((rays, sequence.scores, sequence.keypoints_3d, joints, truth - truth[:, :1]))
    return Lifted(*(np.stack(column) for column in zip(*rows, strict=True)))


def train(lifter: Lifter, sets: Sequence[Lifted], options: argparse.Namespace) -> TemporalConvNet:
    """A network for one lifter, whose last layer starts at nothing: the lifter's own poses."""
    torch.manual_seed(options.seed)
    arc = tuple(int(width) for width in options.arc.split(","))
    config = ModelConfig(FUSION_ROWS, 3, len(H36M_17), arc, options.channels, dropout=options.dropout)
    network = TemporalConvNet(config)
    torch.nn.init.zeros_(network.shrink.weight)
    if network.shrink.bias is not None:
        torch.nn.init.zeros_(network.shrink.bias)
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.lr, weight_decay=0.01)
    frames = sets[0].rays.shape[1]
    every = [
        (torch.tensor([number]), torch.arange(len(part)), torch.arange(frames)) for number, part in enumerate(sets)
    ]
    places = torch.cat([torch.cartesian_prod(*ranges) for ranges in every])
    steps = options.epochs * (len(places) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.lr, total_steps=steps)
    for epoch in range(options.epochs):
        losses = []
        batches = torch.split(places[torch.randperm(len(places))], options.batch)[:-1]
        for batch in tqdm(batches, unit="batch", desc=f"epoch {epoch + 1}"):
            loss = _loss(network, sets, batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        print(f"epoch {epoch + 1}: {torch.stack(losses).mean().item() * 1000:.1f} mm")
    return network.eval()


def _loss(network: TemporalConvNet, sets: Sequence[Lifted], batch: Tensor) -> Tensor:
    """Mean distance in metres over places (B, 3): set, shot, frame."""
    before, after = network.config.padding
    steps = torch.arange(-before, after + 1)
    inputs, bases, backs, targets = [], [], [], []
    for number, part in enumerate(sets):
        shot, frame = batch[batch[:, 0] == number][:, 1:].T
        if not len(shot):
            continue
        at = shot[:, None], (frame[:, None] + steps).clamp(0, part.rays.shape[1] - 1)
        roll = _rolls(len(shot))
        rays = part.rays[at] @ roll[:, None, :2, :2].transpose(2, 3)
        joints = part.joints[at] @ roll[:, None].transpose(2, 3)
        points = _with_gaps(part.points[at]) @ roll[:, None].transpose(2, 3)
        window, base, back = fusion_windows(rays, part.scores[at], joints, points, before)
        inputs.append(window)
        bases.append(base)
        backs.append(back)
        targets.append(part.truth[shot, frame] @ roll.transpose(1, 2))
    windows, base, back, target = (torch.cat(parts) for parts in (inputs, bases, backs, targets))
    mirrored = torch.rand(len(windows)) < 0.5
    windows = torch.where(mirrored[:, None, None, None], flip_fusion_windows(windows), windows)
    change = network.forward_windows(windows)
    change = torch.where(mirrored[:, None, None], flip_joints(change, H36M_17), change)
    loss: Tensor = ((base + change) @ back - target).norm(dim=-1).mean()
    return loss


def _rolls(count: int) -> Tensor:
    """(B, 3, 3): turns about the camera's axis."""
    angle = torch.randn(count) * _ROLL_RAD
    zero, one = torch.zeros(count), torch.ones(count)
    rows = [angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero, zero, zero, one]
    return torch.stack(rows, -1).reshape(-1, 3, 3)


def _with_gaps(points: Tensor) -> Tensor:
    """A detector's points (B, T, 17, 3), now and then without some frames or all."""
    count, frames = points.shape[:2]
    at = torch.arange(frames)
    start = torch.randint(-frames // 2, frames, (count, 1))
    gone = (torch.rand(count, 1) < _GAPS) & (at >= start) & (at < start + torch.randint(1, 2 * frames, (count, 1)))
    return points.masked_fill(gone[..., None, None], torch.nan)


def evaluate(lifter: Lifter, shots: Shots, name: str) -> None:
    """Print how far the detector, the lifter, their plain average and their fusion are off, over the twelve limb joints
    of the frames in which the detector saw somebody, in mm; MPJVE per frame."""
    sums: dict[str, list[tuple[float, ...]]] = {}
    for sequence, camera, truth in tqdm(inputs(shots), total=len(shots.keypoints), unit="shot", desc="evaluate"):
        seen = ~np.isnan(sequence.keypoints_3d).any((1, 2))
        if seen.sum() < 2:
            continue
        alone = lifter.lift(without_3d(sequence), camera).joints_m
        poses = {
            "detector": sequence.keypoints_3d[:, LIMBS_IN].astype(np.float64),
            "lifter": alone[:, LIMBS_OUT],
            "average": fuse(alone, sequence.keypoints_3d)[:, LIMBS_OUT],
            "fusion": lifter.lift(sequence, camera).joints_m[:, LIMBS_OUT],
        }
        target = (truth - truth[:, :1])[:, LIMBS_OUT]
        for who, joints in poses.items():
            a, b = joints[seen], target[seen]
            sums.setdefault(who, []).append((mpjpe(a, b), p_mpjpe(a, b), mean_velocity_error(a, b)))
    print(f"{name}\n{'':12}{'MPJPE':>10}{'PA-MPJPE':>10}{'MPJVE':>10}")
    for who, errors in sums.items():
        print(f"{who:12}" + "".join(f"{value * 1000:10.1f}" for value in np.mean(errors, axis=0)))
