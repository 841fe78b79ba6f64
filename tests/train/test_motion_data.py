import numpy as np
import pytest

from core.errors import InputError, UsageError
from train.cameras import Camera, published_cameras
from train.layouts import keypoint_metadata, keypoint_skeleton
from train.motion_data import Clip, MotionData, pair_clips, subsample

CAMERA = published_cameras("h36m")["S1"][0]


def clip(frames: int) -> Clip:
    keypoints = (
        np.zeros((frames, 17, 2), np.float32) + np.arange(frames, dtype=np.float32)[:, None, None]
    )
    return Clip("S1", "Walking 1", 0, CAMERA, keypoints)


@pytest.mark.parametrize(
    ("frames", "subset", "step", "start", "end"),
    [
        (416, 0.1, 1, 269, 311),
        (245, 0.5, 1, 20, 142),
        (1383, 0.3, 5, 313, 728),
        (1612, 0.01, 3, 1135, 1150),
    ],
)
def test_subsets_are_the_frames_that_videopose3d_takes(frames, subset, step, start, end):
    (cut,) = subsample([clip(frames)], subset, step)
    assert cut.keypoints[:, 0, 0].tolist() == list(range(start, end, step))


def test_clips_are_chosen_by_subject_and_beginning_of_the_action():
    layout = keypoint_skeleton(keypoint_metadata("h36m"), "gt")
    data = MotionData("h36m", layout, layout, layout.flip_order, (clip(3),), 50.0)
    assert len(data.select("-str", ["S1"], ["Walk"])) == 1
    with pytest.raises(UsageError, match="-a: S1 have no action that starts with Sit"):
        data.select("-str", ["S1"], ["Sit"])
    with pytest.raises(UsageError, match="-str: h36m has no subject 'S5'; it has S1"):
        data.select("-str", ["S5"])


def test_2d_and_3d_must_belong_together():
    world, pixels = np.zeros((5, 17, 3), np.float32), np.zeros((7, 17, 2), np.float32)
    (one,) = pair_clips(
        "k.npz", {"S1": [CAMERA]}, {"S1": {"Walk": [pixels]}}, {"S1": {"Walk": world}}
    )
    assert len(one) == 5  # the video runs on
    assert pixels.max() == 0  # and its keypoints stay as they were
    for detections, positions, message in (
        ({"S1": {"Walk": [pixels[:3]]}}, {"S1": {"Walk": world}}, "has 3 frames 2D but 5 3D"),
        ({"S1": {"Walk": [pixels]}}, {"S1": {"Sit": world}}, "S1 'Sit' is missing"),
        ({"S1": {"Walk": [pixels, pixels]}}, {}, "has 2 views of 1 cameras"),
    ):
        with pytest.raises(InputError, match=message):
            pair_clips("k.npz", {"S1": [CAMERA]}, detections, positions)
    with pytest.raises(InputError, match="where its camera x stood is unknown"):
        pair_clips(
            "k.npz",
            {"S1": [Camera("x", 9, 9, 0)]},
            {"S1": {"Walk": [pixels]}},
            {"S1": {"Walk": world}},
        )
