"""Cameras ↔ the state of a bundle adjustment."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.types import Floats, Intrinsics
from pipeline.multiview.adjustment.bodies import mean_joints
from pipeline.multiview.adjustment.problem import Body, State
from pipeline.multiview.scene import Camera


def start_from(
    cameras: Sequence[Camera], bodies: Sequence[Body], lifted: Sequence[Floats]
) -> State:
    """The state from which an adjustment starts.

    Args:
        cameras: (V,) of them; the bodies' points are undistorted.
        bodies: What views say of people.
        lifted: Of each person (V, T, J, 3) metres in camera axes, NaN where there are none.
    """
    rotations = np.stack([camera.rotation for camera in cameras])
    translations = np.stack([camera.translation for camera in cameras])
    return State(
        rotations,
        translations,
        np.log([camera.intrinsics.fx for camera in cameras]),
        np.zeros(len(cameras)),
        tuple(mean_joints(own, rotations, translations) for own in lifted),
        tuple(body.log_lengths for body in bodies),
    )


def cameras_of(state: State, cameras: Sequence[Camera]) -> tuple[Camera, ...]:
    """The cameras of a state, named and sized as before; lenses that were given stay."""
    found = []
    for view, camera in enumerate(cameras):
        lens, distortion = camera.intrinsics, camera.distortion
        if lens.source != "given":
            focal = float(np.exp(state.log_focals[view]))
            lens = Intrinsics(focal, focal, lens.cx, lens.cy, "estimated")
            distortion = np.array([state.distortions[view], 0.0, 0.0, 0.0])
        found.append(
            replace(
                camera,
                intrinsics=lens,
                rotation=state.rotations[view],
                translation=state.translations[view],
                distortion=distortion,
            )
        )
    return tuple(found)
