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
from train.wild.synthesis.tensors import RandomTensors, by_component

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
        # of x, and of y: (length, 21) each
        self._fast, self._slow = ([*each.movedim(-1, 0).contiguous()] for each in (fast, slow))

    def draw(self, start: Tensor, frames: int, calm: Tensor) -> Tensor:
        """Cut windows of errors.

        Args:
            start: (B,) first frames, at most `length - frames`.
            frames: T, the length of a window.
            calm: (B,) in 0…1; the calmer, the smaller is the fast part.

        Returns:
            (B, T, 21, 2) metres at the person.
        """
        at = start[:, None] + torch.arange(frames, device=start.device)
        share = (1.5 - calm)[:, None, None]
        pairs = zip(self._fast, self._slow, strict=True)
        return by_component([fast[at] * share + slow[at] for fast, slow in pairs])


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
        level = torch.exp(0.45 * random.normal(size))[:, None, None, None]  # λ
        error = error * level * (1 + 1.5 * hidden + 5.0 * gross)[..., None]
        swapped = self._swapped(size, frames)
        strictness = torch.exp(0.4 * random.normal(size))[:, None, None]  # κ
        deduction = (
            0.35 * hidden + 0.5 * gross + 0.1 * random.uniform(size, 1, len(COCO_21))
        ) * strictness
        confidence = (0.97 - deduction).clamp(0.1, 1.0)
        missed = self._intervals(size, frames, *_MISSES).bool()
        missed |= random.chance(_PERSON_MISSED, size, frames, 1)  # the whole person
        without_feet = random.chance(recipe.without_feet, size)[:, None, None]
        if self._filmed is not None:
            some = random.permutation(size)[: round(size * recipe.copied)]
            error[some], confidence[some] = self._filmed.draw(joints[some], random.generator)
            swapped[some] = False
            missed[some] = confidence[some] == 0
        missed[..., len(COCO_17) :] |= without_feet
        xy = points[..., :2] + error * recipe.noise
        some = swapped.any((1, 2))  # a few windows
        mirrored = xy[some][:, :, COCO_21.flip_order]
        xy[some] = torch.where(swapped[some][..., None], mirrored, xy[some])
        rays = xy / points[..., 2:].clamp(min=0.3)
        # A wrongly assumed focal length stretches all rays of a window by one factor.
        known = random.chance(recipe.lens_known, size)
        stretch = torch.exp(FOCAL_SPREAD * random.normal(size)).masked_fill(known, 1.0)
        rays = rays * stretch[:, None, None, None]
        lost = missed | self._cut_off(rays)
        plain = random.chance(recipe.plain_scores, size)[:, None, None]
        confidence = torch.where(plain, PLAIN_SCORE, confidence)
        return torch.where(lost[..., None], math.nan, rays), confidence.masked_fill(lost, 0.0)

    def _intervals(self, size: int, frames: int, share: float, mean_length: float) -> Tensor:
        """(B, T, 21) of 0 and 1: one interval of frames for some keypoints of each window.

        Lengths are exponentially distributed; about `share` of all keypoints' frames are in one.
        """
        joints = len(COCO_21)
        chosen = self._random.chance(min(1.0, share * frames / mean_length), size, 1, joints)
        start = self._random.uniform(size, 1, joints, low=-mean_length, high=float(frames))
        length = -mean_length * torch.log(self._random.uniform(size, 1, joints, low=0.02))
        at = torch.arange(frames, device=self._random.device)[None, :, None]
        return (chosen & (at >= start) & (at < start + length)).to(torch.float32)

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
        rays, normal = rays[is_cut], normal[is_cut]
        body = rays[:, :, COCO_21.index("left_shoulder") :]
        centre = body.mean((1, 2), keepdim=True)  # x̄
        variance = (body - centre).square().sum(-1, keepdim=True).mean((1, 2), keepdim=True)
        beyond = ((rays - centre) * normal).sum(-1) > distance[is_cut] * variance.sqrt()[..., 0]
        cut = torch.zeros(size, frames, len(COCO_21), dtype=torch.bool, device=rays.device)
        cut[is_cut] = beyond
        at = torch.arange(frames, device=rays.device)[None, :, None]
        start = random.uniform(size, 1, 1, low=-float(frames), high=float(frames))
        during = random.chance(0.6, size, 1, 1) | ((at >= start) & (at < start + 0.5 * frames))
        return cut & during
