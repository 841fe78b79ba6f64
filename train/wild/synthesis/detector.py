"""A model of a 2D detector: how keypoints err, what their scores say, and which are lost.

Error of a keypoint in metres at the person, in frame t of a window:

    e_t = ν · λ · (1 + 1.5 h_t + 5 g_t) · (s_t + (1.5 - c) f_t)

with ν the recipe's noise, λ = exp(0.45 z) a window's level (z standard normal), h_t whether the
body hides the point, g_t whether the detector is grossly wrong, c uniform in 0…1 a window's
calmness, f_t fast jitter and s_t slow wandering (`ErrorBank`). Its score is

    q_t = clip(0.97 - κ · (0.35 h_t + 0.5 g_t + 0.1 u), 0.1, 1),

with κ = exp(0.4 z) a window's strictness and u uniform in 0…1 a keypoint's own.
"""

import math
from typing import Protocol

import torch
from torch import Tensor

from core.skeletons import COCO_17, COCO_21
from train.wild.synthesis.keypoints import self_occluded
from train.wild.synthesis.recipe import Recipe
from train.wild.synthesis.tensors import RandomTensors

PLAIN_SCORE = 0.9
"""What all keypoints have where a detector's confidences say nothing."""
ERROR_M = {
    "eye": 0.010, "nose": 0.010, "ear": 0.013, "shoulder": 0.016, "elbow": 0.020, "wrist": 0.024,
    "hip": 0.022, "knee": 0.022, "ankle": 0.024, "heel": 0.026, "toe": 0.028,
}  # fmt: skip
"""Standard deviation of the slow error, in metres at the person."""
FAST_SHARE = 0.4
"""The fast error's standard deviation over the slow one's."""
OUTLIER_CHANCE, OUTLIER_FACTOR = 0.02, 3.0
"""Share of keypoints whose fast error is larger, and by how much."""
_KNOT_FRAMES = 8  # between independent values of the slow error
FOCAL_SPREAD = 0.25
"""Standard deviation of the logarithm of a wrongly assumed focal length over the true one."""
_GROSS_ERRORS = 0.04, 12.0  # share of keypoints' frames, and mean length of an interval in frames
_MISSES = 0.02, 14.0  # likewise
_PERSON_MISSED = 0.01  # share of frames
_SWAPS = 0.06  # share of windows
_CUT_OFF = 0.18  # share of windows


def keypoint_error_m() -> list[float]:
    """`ERROR_M` of each of COCO-21's keypoints."""
    return [ERROR_M[name.split("_")[-1]] for name in COCO_21.joints]


class ErrorSource(Protocol):
    """Errors that a real detector made, for people in about the same pose before the camera."""

    def draw(self, joints: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Errors for some people.

        Args:
            joints: (B, 22, 3) metres in camera space, at the frame to be lifted.
            generator: Decides all that is random.

        Returns:
            Errors (B, T, 21, 2) in metres at the keypoint, and scores (B, T, 21), 0 where the
            detector missed it.
        """
        ...


class ErrorBank:
    """A long sequence of a detector's errors to cut windows from, which is faster than drawing.

    Fast jitter f is white noise with rare outliers; slow wandering s is white noise every
    `_KNOT_FRAMES` frames, linear in between. Both are scaled by `ERROR_M`.
    """

    length = 60_000
    """Frames."""

    def __init__(self, random: RandomTensors) -> None:
        shape = (self.length, len(COCO_21), 2)
        sigma = torch.tensor(keypoint_error_m(), device=random.device)[:, None]
        white = random.normal(*shape)
        outlier = random.chance(OUTLIER_CHANCE, *shape[:2])[..., None]
        fast = white * torch.where(outlier, OUTLIER_FACTOR, 1.0) * sigma * FAST_SHARE
        knots = random.normal(1, len(COCO_21) * 2, self.length // _KNOT_FRAMES)
        slow = torch.nn.functional.interpolate(knots, size=self.length, mode="linear")[0]
        slow = slow.T.reshape(shape)
        slow = slow / slow.std() * sigma
        # Rows of a keypoint's x or y: (42, length)
        self._fast, self._slow = (each.flatten(1).T.contiguous() for each in (fast, slow))

    def draw(self, start: Tensor, frames: int, calm: Tensor) -> Tensor:
        """Cut windows of errors.

        Args:
            start: (B,) first frames, at most `length - frames`.
            frames: T, the length of a window.
            calm: (B,) in 0…1; the calmer, the smaller is the fast part.

        Returns:
            (B, T, 21, 2) metres at the person, in memory as `empty_points` has it.
        """
        at = (start[:, None] + torch.arange(frames, device=start.device)).flatten()
        shape = (len(COCO_21), 2, len(start), frames)
        fast, slow = (rows.index_select(1, at).view(shape) for rows in (self._fast, self._slow))
        return slow.addcmul_(fast, (1.5 - calm)[:, None]).permute(2, 3, 0, 1)


class SyntheticDetector:
    """Sees points on bodies as a detector does; errors of some windows come from `filmed`."""

    def __init__(self, random: RandomTensors, filmed: ErrorSource | None = None) -> None:
        self._random = random
        self._filmed = filmed
        self._errors = ErrorBank(random)

    def detect(self, points: Tensor, joints: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
        """Viewing rays and confidences of keypoints.

        Args:
            points: (B, T, 21, 3) COCO-21 points in camera space, metres.
            joints: (B, 22, 3) mocap joints in camera space at the frame to be lifted.
            recipe: How often and how much the detector errs.

        Returns:
            Rays (B, T, 21, 2), x/z and y/z, NaN where a keypoint is lost; scores (B, T, 21).
        """
        random = self._random
        size, frames = points.shape[:2]
        hidden = self_occluded(points)  # h
        gross = self._intervals(size, frames, *_GROSS_ERRORS)  # g
        error = self._errors.draw(
            random.index(self._errors.length - frames, size), frames, random.uniform(size)
        )
        level = torch.exp(0.45 * random.normal(size))[:, None, None]  # λ
        error *= (1 + 1.5 * hidden).add_(gross, alpha=5.0).mul_(level)[..., None]
        strictness = torch.exp(0.4 * random.normal(size))[:, None, None]  # κ
        own = 0.1 * random.uniform(size, 1, len(COCO_21))
        deduction = (0.35 * hidden).add_(gross, alpha=0.5).add_(own).mul_(strictness)
        confidence = (0.97 - deduction).clamp_(0.1, 1.0)
        missed = self._intervals(size, frames, *_MISSES)
        missed |= random.chance(_PERSON_MISSED, size, frames, 1)  # the whole person
        swapped = self._swapped(size, frames)
        if self._filmed is not None:
            some = random.permutation(size)[: round(size * recipe.copied)]
            error[some], confidence[some] = self._filmed.draw(joints[some], random.generator)
            swapped[some] = False
            missed[some] = confidence[some] == 0
        without_feet = random.chance(recipe.without_feet, size)[:, None, None]
        missed[..., len(COCO_17) :] |= without_feet
        xy = error.mul_(recipe.noise).add_(points[..., :2])
        some = swapped.any((1, 2))  # a few windows
        mirrored = xy[some][:, :, COCO_21.flip_order]
        xy[some] = torch.where(swapped[some][..., None], mirrored, xy[some])
        # A wrongly assumed focal length stretches all rays of a window by one factor.
        known = random.chance(recipe.lens_known, size)
        stretch = torch.exp(FOCAL_SPREAD * random.normal(size)).masked_fill(known, 1.0)
        rays = xy.mul_((stretch[:, None, None] / points[..., 2].clamp(min=0.3))[..., None])
        lost = self._cut_off(rays).logical_or_(missed)
        plain = random.chance(recipe.plain_scores, size)[:, None, None]
        confidence.masked_fill_(plain, PLAIN_SCORE).masked_fill_(lost, 0.0)
        return rays.masked_fill_(lost[..., None], math.nan), confidence

    def _intervals(self, size: int, frames: int, share: float, mean_length: float) -> Tensor:
        """(B, T, 21) bool: one interval of frames for some keypoints of each window.

        Lengths are exponentially distributed; about `share` of all keypoints' frames are in one.
        """
        random, shape = self._random, (len(COCO_21), size, 1)
        chosen = random.chance(min(1.0, share * frames / mean_length), *shape)
        start = random.uniform(*shape, low=-mean_length, high=float(frames))
        start = start.masked_fill(~chosen, math.inf)
        length = -mean_length * torch.log(random.uniform(*shape, low=0.02))
        at = torch.arange(frames, device=random.device)
        return ((at >= start) & (at < start + length)).permute(1, 2, 0)

    def _swapped(self, size: int, frames: int) -> Tensor:
        """(B, T, 21) bool: intervals in which left and right of some keypoints are swapped."""
        at = torch.arange(frames, device=self._random.device)[None, :]
        start = self._random.uniform(size, 1, low=-8.0, high=float(frames))
        during = (
            self._random.chance(_SWAPS, size, 1)
            & (at >= start)
            & (at < start + self._random.uniform(size, 1, low=1, high=16))
        )
        which = self._random.index(3, size, 1, 1)  # 0 legs, 1 all above them, 2 both
        legs = torch.arange(len(COCO_21), device=at.device)[None, None] >= COCO_21.index("left_hip")
        return during[..., None] & ((which == 2) | (legs == (which == 0)))

    def _cut_off(self, rays: Tensor) -> Tensor:
        """(B, T, 21) bool: keypoints beyond a picture's edge or behind an object.

        Those are all beyond a line through or near the person, nᵀ(x - x̄) > a σ with x̄ and σ the
        mean and spread of the body's keypoints, for all or part of the window.
        """
        random = self._random
        size, frames = rays.shape[:2]
        angle = torch.where(
            random.chance(0.5, size), math.pi / 2, random.uniform(size, high=2 * math.pi)
        )
        normal = torch.stack([angle.cos(), angle.sin()], -1)[:, None, None]  # n
        distance = random.uniform(size, 1, 1, low=-0.2, high=1.2)  # a
        is_cut = random.chance(_CUT_OFF, size)
        cut = torch.zeros_like(rays[..., 0], dtype=torch.bool)
        rays, normal = rays[is_cut], normal[is_cut]
        body = rays[:, :, COCO_21.index("left_shoulder") :]
        centre = body.mean((1, 2), keepdim=True)  # x̄
        variance = (body - centre).square().sum(-1, keepdim=True).mean((1, 2), keepdim=True)
        beyond = ((rays - centre) * normal).sum(-1) > distance[is_cut] * variance.sqrt()[..., 0]
        at = torch.arange(frames, device=rays.device)[None, :, None]
        start = random.uniform(size, 1, 1, low=-float(frames), high=float(frames))[is_cut]
        always = random.chance(0.6, size, 1, 1)[is_cut]
        beyond &= always | ((at >= start) & (at < start + 0.5 * frames))
        cut[is_cut] = beyond
        return cut
