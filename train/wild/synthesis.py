"""Motion capture → endless windows of detector-like 2D keypoints with their true 3D, made on the training device.

Every window is a performance nobody gave: limbs of several clips on one body, other proportions, bent a little further,
turned anywhere, filmed by a camera nobody has calibrated, seen by a detector that trembles, errs and loses joints.
Everything is drawn in batches; sizes are B windows, T frames, 18 mocap joints, 17 bones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from core.errors import UsageError
from core.skeletons import COCO_17, H36M_17
from lifter.normalize import person_windows
from train.wild.detector_errors import (
    PLAIN_SCORE,
    ErrorBank,
    apply_matrices,
    coco_points,
    self_occluded,
)
from train.wild.mocap import MOCAP_JOINTS
from train.wild.motion_bank import BONES, PARENTS, PARTS, MotionBank
from train.wild.people.errors import FilmedErrors

# Which of three performances each of PARTS comes from, the first also leading the pelvis: another upper body; a third
# arm on that; an arm, or a leg, of its own. Every clip is there mirrored, too.
_MIXTURES = ((0, 0, 1, 1, 1), (0, 0, 1, 2, 1), (0, 0, 0, 2, 0), (0, 2, 0, 0, 0))

_CPU_CHUNK = (
    128  # windows drawn at once: their tensors fit the cache, which is three times faster than 1024
)


@dataclass(frozen=True)
class Recipe:
    """How far synthesis strays from the captured motion; angles in degrees, lengths in metres."""

    mix: float = 0.4
    """Share of windows whose limbs come from several performances."""
    rare: float = 0.3
    """How much more often than they were captured rare kinds of poses are drawn: 0 not at all, 1 as often as any."""
    bent: float = 0.0
    """Share of windows whose joints all have a constant extra turn: poses beyond those that were captured."""
    bend_deg: float = 14.0
    """Spread of that turn of shoulders, hips and neck; other joints get a part of it."""
    tumble: float = 0.15
    """Share of windows in which the whole body lies, hangs or leans anyhow."""
    build: float = 0.5
    """Spread of the lengths of legs and trunk, 1 being beyond any human's: the narrower, the more their foreshortening
    tells of the camera's pitch."""
    rigs: float = 0.9
    """Share of bodies with shoulders, hips and trunks as animators draw them rather than as people have them."""
    level_deg: tuple[float, float] = (10.0, 14.0)
    """Mean and spread of the pitch of most cameras; positive looks down."""
    steep: float = 0.45
    """Share of cameras with any pitch from -30 to 70 degrees."""
    noise: float = 1.0
    """Factor on all errors of the detector."""
    copied: float = 0.5
    """Share of windows with the errors that a detector made of filmed people, if there are any."""
    lens_known: float = 0.4
    """Share of windows whose field of view the lifter is told rightly."""
    plain_scores: float = 0.15
    """Share of windows whose confidences say nothing."""


def changed(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """The recipe with what `--recipe FIELD=X …` says; `UsageError` for what it has no such number for."""
    known = [entry.name for entry in fields(Recipe) if entry.type is float]
    numbers: dict[str, Any] = {}
    for text in changes:
        name, _, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if name not in known or not math.isfinite(number):
            raise UsageError(
                f"--recipe {text}: expected FIELD=NUMBER, the fields being {', '.join(known)}"
            )
        numbers[name] = number
    return replace(recipe, **numbers)


class Synthesizer:
    """Draws training batches from a bank, and errors also from `filmed`; `generator` decides all that is random."""

    def __init__(
        self,
        bank: MotionBank,
        recipe: Recipe,
        generator: torch.Generator,
        centre_frame: int,
        filmed: FilmedErrors | None = None,
    ) -> None:
        self.bank = bank
        self.recipe = recipe
        self.centre_frame = centre_frame
        self._generator = generator
        self._filmed = filmed
        self._tremble = ErrorBank(generator, bank.device)

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Network input (size, T, 18, 3) and the target (size, 17, 3): metres from the pelvis, virtual camera axes."""
        chunk = _CPU_CHUNK if self.bank.device.type == "cpu" else size
        parts = [self._draw(min(chunk, size - done)) for done in range(0, size, chunk)]
        return torch.cat([windows for windows, _ in parts]), torch.cat(
            [target for _, target in parts]
        )

    def _draw(self, size: int) -> tuple[Tensor, Tensor]:
        joints, torso, _ = self.filmed(size)
        points = coco_points(joints, torso, self._normal(size, 1, len(COCO_17), 3))
        rays, confidence = self._detected(points, joints[:, self.centre_frame])
        windows, rotation = person_windows(rays, confidence, self.centre_frame)
        pose = joints[:, self.centre_frame, : len(H36M_17)]
        return windows, (pose - pose[:, :1]) @ rotation.transpose(1, 2)

    # -- randomness -------------------------------------------------------------------------------------------------

    def _uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return (
            torch.rand(shape, generator=self._generator, device=self.bank.device) * (high - low)
            + low
        )

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator, device=self.bank.device)

    def _chance(self, share: float, *shape: int) -> Tensor:
        return self._uniform(*shape) < share

    # -- bodies and cameras -----------------------------------------------------------------------------------------

    def filmed(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Joints (B, T, 18, 3) in camera space, the torso's axes there (B, T, 3, 3) as columns, and up (B, 3)."""
        parts, root, pelvis = self._windows(size)
        vectors = torch.cat(parts, 2)
        shape = self._bends(size) * self._proportions(size)[..., None, None]
        vectors = apply_matrices(shape[:, None], vectors)
        camera = self._camera_rotation(size)
        torso = camera[:, None] @ pelvis
        vectors = apply_matrices(torso[:, :, None], vectors)
        place = self._place(size)[:, None] + (
            root - root[:, self.centre_frame, None]
        ) @ camera.transpose(1, 2)
        place[..., 2] = place[..., 2].clamp(min=0.8)
        order = {name: row for row, name in enumerate(name for part in PARTS for name in part)}
        joints = [place]
        for joint in BONES:
            joints.append(joints[PARENTS[joint]] + vectors[:, :, order[MOCAP_JOINTS[joint]]])
        return torch.stack(joints, 2), torso, camera[..., 2]

    def _windows(self, size: int) -> tuple[list[Tensor], Tensor, Tensor]:
        """Bone vectors of each part, the root's path and the pelvis' axes, each part from its own performance."""
        bank = self.bank
        draws = bank.first_frames(self._uniform(size, 3, 2), self.recipe.rare)
        steps = torch.arange(bank.frames, device=bank.device)
        sources = torch.tensor(_MIXTURES, device=bank.device)[self._index(len(_MIXTURES), size)]
        sources *= self._chance(self.recipe.mix, size)[:, None]
        frames = draws.gather(1, sources).T[..., None] + steps
        own = draws[:, :1] + steps
        parts = [part[drawn] for part, drawn in zip(bank.parts, frames, strict=True)]
        return parts, bank.root[own], bank.pelvis[own]

    def _index(self, high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=self._generator, device=self.bank.device)

    def _proportions(self, size: int) -> Tensor:
        """(B, 17) factors on bone lengths: stature, limbs, build; left and right alike but for a trifle."""
        build = self.recipe.build
        leg, arm = (1 - 0.12 * build, 1 + 0.12 * build), (1 - 0.15 * build, 1 + 0.12 * build)
        human = {  # CMU's forearms end before the wrist
            "knee": leg, "ankle": leg, "hip": (0.85, 1.3), "shoulder": (0.85, 1.15), "elbow": arm, "wrist": (1.15, 1.5),
            "spine": (0.92, 1.08), "thorax": (0.92, 1.08), "neck_base": (0.8, 1.2), "head_top": (0.88, 1.15),
            "nose": (0.88, 1.15),
        }  # fmt: skip
        rig = human | {
            "hip": (0.65, 1.5), "shoulder": (0.5, 1.15), "wrist": (0.95, 1.5), "spine": (0.75, 1.1),
            "thorax": (0.75, 1.1), "neck_base": (0.6, 1.3),
        }  # fmt: skip
        rigged = self._chance(self.recipe.rigs, size)
        stature = 0.98 + 0.075 * self._normal(size).clamp(-3, 2.2)
        columns = {}
        for part in human:
            low, high = (torch.where(rigged, rig[part][end], human[part][end]) for end in (0, 1))
            drawn = low + self._uniform(size) * (high - low)
            for name in MOCAP_JOINTS[1:]:
                if name.removeprefix("l_").removeprefix("r_") == part:
                    columns[name] = drawn * stature * (1 + 0.01 * self._normal(size))
        return torch.stack([columns[name] for part in PARTS for name in part], 1)

    def _bends(self, size: int) -> Tensor:
        """(B, 17, 3, 3): a constant extra turn of every bone, carried down the tree."""
        strength = (
            math.radians(self.recipe.bend_deg) * self._chance(self.recipe.bent, size)[:, None]
        )
        shares = {"spine": 0.4, "thorax": 0.5, "neck_base": 0.8, "hip": 0.15, "knee": 1.0, "ankle": 0.5,
                  "shoulder": 0.25, "elbow": 1.3, "wrist": 0.8, "head_top": 0.6, "nose": 0.0}  # fmt: skip
        turns: dict[int, Tensor] = {}
        for joint in BONES:
            name = MOCAP_JOINTS[joint]
            share = shares[name.removeprefix("l_").removeprefix("r_")] * strength
            own = rotation_from_vector(self._normal(size, 3) * share)
            parent = PARENTS[joint]
            if name == "nose":
                turns[joint] = turns[H36M_17.index("head_top")]
            else:
                turns[joint] = turns[parent] @ own if parent else own
        ordered = [turns[MOCAP_JOINTS.index(name)] for part in PARTS for name in part]
        return torch.stack(ordered, 1)

    def _camera_rotation(self, size: int) -> Tensor:
        """(B, 3, 3) world (z up) → camera: any heading, pitch mostly level, a little roll; some bodies tumble."""
        yaw = self._uniform(size, high=2 * math.pi)
        middle, spread = (math.radians(angle) for angle in self.recipe.level_deg)
        level = self._normal(size) * spread + middle
        steep = self._uniform(size, low=math.radians(-30), high=math.radians(70))
        pitch = torch.where(self._chance(self.recipe.steep, size), steep, level)
        tilted = self._uniform(size, low=math.radians(-35), high=math.radians(35))
        roll = torch.where(self._chance(0.15, size), tilted, self._normal(size) * math.radians(4))
        zero = torch.zeros_like(yaw)
        upright = torch.tensor(
            [[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], device=yaw.device
        )  # looks along world y
        heading = rotation_from_vector(torch.stack([zero, zero, yaw], -1))
        nod = rotation_from_vector(
            torch.stack([pitch, zero, zero], -1)
        )  # positive pitch looks down
        lean = rotation_from_vector(torch.stack([zero, zero, roll], -1))
        anyhow = rotation_from_vector(self._normal(size, 3) * 1.2)
        body = torch.where(
            self._chance(self.recipe.tumble, size)[:, None, None],
            anyhow,
            torch.eye(3, device=yaw.device),
        )
        return lean @ nod @ upright @ heading @ body

    def _place(self, size: int) -> Tensor:
        """(B, 3) metres: the pelvis at the frame to be lifted, anywhere in the view of a lens of 25…100 degrees."""
        half = torch.tan(self._uniform(size, low=math.radians(25), high=math.radians(100)) / 2)
        fills = torch.exp(
            self._uniform(size, low=math.log(0.12), high=math.log(1.3))
        )  # person's share of the picture
        distance = (1.7 / (2 * half * fills)).clamp(1.6, 40.0)
        offset = self._normal(size, 2).clamp(-2, 2) * 0.35 * half[:, None].clamp(max=0.9)
        return torch.cat([offset * distance[:, None], distance[:, None]], 1)

    # -- the detector -----------------------------------------------------------------------------------------------

    def _detected(self, points: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """COCO-17 points (B, T, 17, 3) in camera space → rays (B, T, 17, 2), NaN where lost, and confidences; `joints`
        (B, 18, 3) are those at the frame to be lifted."""
        size, frames = points.shape[:2]
        hidden = self_occluded(points)  # (B, T, 17)
        lapse = self._intervals(
            size, frames, 0.04, 12.0
        )  # wrong places, mostly admitted by the score
        error = self._tremble.draw(
            self._index(self._tremble.length - frames, size), frames, self._uniform(size)
        )
        level = torch.exp(0.45 * self._normal(size))[:, None, None, None]
        error = error * level * (1 + 1.5 * hidden + 5.0 * lapse)[..., None]
        swapped = self._swapped(size, frames)
        strength = torch.exp(0.4 * self._normal(size))[:, None, None]
        doubt = (
            0.35 * hidden + 0.5 * lapse + 0.1 * self._uniform(size, 1, len(COCO_17))
        ) * strength
        confidence = (0.97 - doubt).clamp(0.1, 1.0)
        gone = self._intervals(size, frames, 0.02, 14.0).bool()
        gone |= self._chance(
            0.01, size, frames, 1
        )  # frames in which the person was not found at all
        if self._filmed:
            shuffled = torch.randperm(size, generator=self._generator, device=points.device)
            some = shuffled[: round(size * self.recipe.copied)]
            error[some], confidence[some] = self._filmed.draw(joints[some], self._generator)
            swapped[some] = False
            gone[some] = confidence[some] == 0
        xy = points[..., :2] + error * self.recipe.noise
        xy = torch.where(swapped[..., None], xy[:, :, COCO_17.flip_order], xy)
        rays = xy / points[..., 2:].clamp(min=0.3)
        known = self._chance(self.recipe.lens_known, size)
        focal = torch.exp(0.25 * self._normal(size)).masked_fill(known, 1.0)
        rays = rays * focal[:, None, None, None]
        lost = gone | self._cut_off(rays)
        plain = self._chance(self.recipe.plain_scores, size)[:, None, None]
        confidence = torch.where(plain, PLAIN_SCORE, confidence)
        return torch.where(lost[..., None], math.nan, rays), confidence.masked_fill(lost, 0.0)

    def _intervals(self, size: int, frames: int, share: float, mean_length: float) -> Tensor:
        """(B, T, 17) of 0 and 1: one stretch of frames for some joints of each window."""
        joints = len(COCO_17)
        chosen = self._chance(min(1.0, share * frames / mean_length), size, 1, joints)
        start = self._uniform(size, 1, joints, low=-mean_length, high=float(frames))
        length = -mean_length * torch.log(self._uniform(size, 1, joints, low=0.02))
        at = torch.arange(frames, device=self.bank.device)[None, :, None]
        return (chosen & (at >= start) & (at < start + length)).to(torch.float32)

    def _swapped(self, size: int, frames: int) -> Tensor:
        """(B, T, 17) bool: stretches in which left and right of legs, arms or both are taken for each other."""
        at = torch.arange(frames, device=self.bank.device)[None, :]
        start = self._uniform(size, 1, low=-8.0, high=float(frames))
        during = (
            self._chance(0.06, size, 1)
            & (at >= start)
            & (at < start + self._uniform(size, 1, low=1, high=16))
        )
        which = self._index(3, size, 1, 1)
        legs = torch.arange(len(COCO_17), device=at.device)[None, None] >= COCO_17.index("left_hip")
        return during[..., None] & ((which == 2) | (legs == (which == 0)))

    def _cut_off(self, rays: Tensor) -> Tensor:
        """(B, T, 17) bool: keypoints that a picture's edge or an object hides, which are all those beyond a line near
        the person, for all or part of the window."""
        size, frames = rays.shape[:2]
        angle = torch.where(
            self._chance(0.5, size), math.pi / 2, self._uniform(size, high=2 * math.pi)
        )
        normal = torch.stack([angle.cos(), angle.sin()], -1)[:, None, None]
        centre = rays[:, :, 5:].mean((1, 2), keepdim=True)
        spread = (
            (rays[:, :, 5:] - centre)
            .square()
            .sum(-1, keepdim=True)
            .mean((1, 2), keepdim=True)
            .sqrt()
        )
        beyond = ((rays - centre) * normal).sum(-1) > self._uniform(
            size, 1, 1, low=-0.2, high=1.2
        ) * spread[..., 0]
        cut = beyond & self._chance(0.18, size, 1, 1)
        at = torch.arange(frames, device=rays.device)[None, :, None]
        start = self._uniform(size, 1, 1, low=-float(frames), high=float(frames))
        during = self._chance(0.6, size, 1, 1) | ((at >= start) & (at < start + 0.5 * frames))
        return cut & during


def rotation_from_vector(vector: Tensor) -> Tensor:
    """(B, 3) axis times angle → (B, 3, 3) (Rodrigues)."""
    angle = vector.norm(dim=-1)[:, None, None].clamp(min=1e-8)
    x, y, z = (vector / angle[:, 0]).unbind(-1)
    zero = torch.zeros_like(x)
    k = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    turned: Tensor = (
        torch.eye(3, device=vector.device) + angle.sin() * k + (1 - angle.cos()) * (k @ k)
    )
    return turned
