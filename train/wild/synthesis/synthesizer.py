"""Motion capture → endless windows of detector-like 2D keypoints with their true 3D.

A window is a performance made of captured ones (`performances`), filmed by a random camera
(`cameras`) and seen by a model of a detector (`detector`). All is drawn in batches on the training
device.
"""

import torch
from torch import Tensor

from core.skeletons import COCO_21, H36M_21
from lifter.normalize import person_windows
from train.wild.motion.bank import MotionBank
from train.wild.synthesis.detector import ErrorSource, SyntheticDetector
from train.wild.synthesis.keypoints import coco_points
from train.wild.synthesis.performances import draw_performances
from train.wild.synthesis.recipe import Recipe
from train.wild.synthesis.tensors import RandomTensors

_CPU_CHUNK = 192
"""Windows drawn at once: their tensors fit the cache, which is a third faster than 512."""


class Synthesizer:
    """Draws training batches; `recipe` may be changed between two of them."""

    def __init__(
        self,
        bank: MotionBank,
        recipe: Recipe,
        generator: torch.Generator,
        centre_frame: int,
        filmed: ErrorSource | None = None,
    ) -> None:
        """Prepare to draw.

        Args:
            bank: Captured motion.
            recipe: How far to stray from it.
            generator: Decides all that is random; of the bank's device.
            centre_frame: The frame of a window that is to be lifted.
            filmed: Gives errors for the recipe's `copied` share of windows.
        """
        self.bank = bank
        self.recipe = recipe
        self.centre_frame = centre_frame
        self._random = RandomTensors(generator)
        self._detector = SyntheticDetector(self._random, filmed)

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Draw windows and what a lifter should answer.

        Returns:
            Network input (size, T, 22, 3) of `person_windows`, and the target (size, 21, 3): the
            joints of `H36M_21` at the centre frame, metres from the pelvis, in the axes of the
            virtual camera that looks at the person.
        """
        chunk = _CPU_CHUNK if self.bank.device.type == "cpu" else size
        drawn = [self._draw(min(chunk, size - done)) for done in range(0, size, chunk)]
        windows = torch.cat([windows for windows, _ in drawn])
        return windows, torch.cat([target for _, target in drawn])

    def _draw(self, size: int) -> tuple[Tensor, Tensor]:
        """`batch` of a chunk."""
        joints, torso, _ = self.performances(size)
        points = coco_points(joints, torso, self._random.normal(size, 1, len(COCO_21), 3))
        centre = joints[:, self.centre_frame]
        rays, confidence = self._detector.detect(points, centre, self.recipe)
        windows, rotation = person_windows(rays, confidence, self.centre_frame)
        pose = centre[:, : len(H36M_21)]
        return windows, (pose - pose[:, :1]) @ rotation.transpose(1, 2)

    def performances(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """`draw_performances` of the bank, by the recipe."""
        return draw_performances(self.bank, self._random, self.recipe, size, self.centre_frame)
