"""A small result of known people, made by the whole program from stored keypoints."""

from pathlib import Path

import numpy as np

from pipeline.config import PipelineConfig
from pipeline.results.result import Result
from pipeline.run import process_video
from testkit.make_video import moving
from testkit.stored.ours import our_poses
from testkit.walker import keypoints, walking, with_feet

FRAMES = 20


def config_for(folder: Path, people: int = 1) -> PipelineConfig:
    """A configuration in which `people` walkers, side by side, are in every frame of a clip."""
    walkers = []
    for number in range(people):
        root = np.tile([0.8 * number, 0.0, 5.0], (FRAMES, 1))
        points = keypoints(with_feet(walking(FRAMES)), root) / 12
        walkers.append(np.concatenate([points, np.full((FRAMES, 21, 1), 0.9)], 2))
    path = our_poses(folder, [list(frame) for frame in zip(*walkers, strict=True)], (160, 120))
    return PipelineConfig.from_flat(output=folder / "out", keypoints=path, render=False)


def made_clip(folder: Path) -> Path:
    """A clip of `FRAMES` frames in a folder; its picture shows no people."""
    return moving(folder / "clip.mp4", frames=FRAMES)


def made_result(folder: Path, people: int = 1) -> Result:
    """The result of `made_clip`, in `folder`/out/clip."""
    return process_video(made_clip(folder), config_for(folder, people))
