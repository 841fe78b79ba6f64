"""Videos of one's own: `data_2d_custom_<keypoints>.npz`, 2D keypoints and each video's size, but no ground truth."""

from dataclasses import replace
from pathlib import Path

from core.archives import read_archive
from core.errors import InputError
from core.skeletons import H36M_17
from train.cameras import published_cameras
from train.layouts import flip_order, layout_of
from train.motion_data import MotionData, pair


def load_custom(data_dir: Path, name: str, keypoints: str) -> MotionData:
    """The videos of an archive as subjects, each with the action `custom`.

    How their cameras stood is unknown; to draw them, they are taken to stand as one of Human3.6M's did.
    """
    path = data_dir / f"data_2d_{name}_{keypoints}.npz"
    archive = read_archive(path, "positions_2d", "metadata")
    metadata, detections = archive["metadata"], archive["positions_2d"]
    stand_in = replace(published_cameras("h36m")["S1"][0], lens=None)
    cameras = {}
    for video, actions in detections.items():
        size = metadata.get("video_metadata", {}).get(video)
        if size is None:
            raise InputError(f"{path}: the size of {video} is missing from its video_metadata")
        camera = replace(
            stand_in, name=video, width=int(size["w"]), height=int(size["h"]), fps=size.get("fps")
        )
        cameras[video] = [camera] * max(map(len, actions.values()), default=0)
    layout = layout_of(metadata, keypoints)
    clips = pair(str(path), cameras, detections, {})
    return MotionData(name, H36M_17, layout, flip_order(metadata, len(layout)), clips, None)
