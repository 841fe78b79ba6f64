"""All formats, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testkit.stored.alphapose import (
    alphapose,
    alphapose_cmu,
    alphapose_halpe,
    alphapose_open,
    alphapose_whole_body,
)
from testkit.stored.coco import coco_data_set, coco_results
from testkit.stored.common import Scene
from testkit.stored.mmpose import mmpose_0x, mmpose_demo, mmpose_inferencer
from testkit.stored.openpose import openpose, openpose_coco
from testkit.stored.ours import our_poses, our_poses_version_1
from testkit.stored.sports2d import sports2d, sports2d_blazepose, sports2d_markers
from testkit.stored.videopose3d import videopose3d_custom, videopose3d_dump


@dataclass(frozen=True)
class Format:
    """How to write a scene, the `--keypoints-skeleton` that its joints need, and whether it keeps
    big toes and heels."""

    write: Callable[[Path, Scene, tuple[int, int]], Path]
    skeleton: str | None = None
    has_feet: bool = False


FORMATS = {
    "poses.npz": Format(our_poses, has_feet=True),
    "poses.npz version 1": Format(our_poses_version_1),
    "VideoPose3D custom": Format(videopose3d_custom),
    "VideoPose3D infer_video": Format(videopose3d_dump),
    "COCO results": Format(coco_results, "coco_17"),
    "COCO data set": Format(coco_data_set),
    "AlphaPose COCO": Format(alphapose, "coco_17"),
    "AlphaPose Halpe": Format(alphapose_halpe, "halpe_26", has_feet=True),
    "AlphaPose whole body": Format(alphapose_whole_body, "coco_wholebody_133", has_feet=True),
    "AlphaPose open": Format(alphapose_open),
    "AlphaPose cmu": Format(alphapose_cmu),
    "OpenPose BODY_25": Format(openpose, "body_25", has_feet=True),
    "OpenPose COCO": Format(openpose_coco, "coco_18"),
    "Sports2D JSON": Format(sports2d, "halpe_26", has_feet=True),
    "Sports2D markers": Format(sports2d_markers, has_feet=True),
    "Sports2D BlazePose": Format(sports2d_blazepose, "blazepose_33", has_feet=True),
    "MMPose demo": Format(mmpose_demo),
    "MMPose inferencer": Format(mmpose_inferencer, "coco_17"),
    "MMPose 0.x": Format(mmpose_0x, "coco_17"),
}
