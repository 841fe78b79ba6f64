import numpy as np
import pytest

from core.errors import InputError, UsageError
from train.cameras import Camera, published_cameras
from train.layouts import flip_order, layout_in, layout_of, metadata_of
from train.motion_data import Clip, MotionData, pair, thin

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
    (cut,) = thin([clip(frames)], subset, step)
    assert cut.keypoints[:, 0, 0].tolist() == list(range(start, end, step))


def test_clips_are_chosen_by_subject_and_beginning_of_the_action():
    layout = layout_of(metadata_of("h36m"), "gt")
    data = MotionData("h36m", layout, layout, layout.flip_order, (clip(3),), 50.0)
    assert len(data.select("-str", ["S1"], ["Walk"])) == 1
    with pytest.raises(UsageError, match="-a: S1 have no action that starts with Sit"):
        data.select("-str", ["S1"], ["Sit"])
    with pytest.raises(UsageError, match="-str: h36m has no subject 'S5'; it has S1"):
        data.select("-str", ["S5"])


def test_2d_and_3d_must_belong_together():
    world, pixels = np.zeros((5, 17, 3), np.float32), np.zeros((7, 17, 2), np.float32)
    (one,) = pair("k.npz", {"S1": [CAMERA]}, {"S1": {"Walk": [pixels]}}, {"S1": {"Walk": world}})
    assert len(one) == 5  # the video runs on
    assert pixels.max() == 0  # and its keypoints stay as they were
    for detections, positions, message in (
        ({"S1": {"Walk": [pixels[:3]]}}, {"S1": {"Walk": world}}, "has 3 frames 2D but 5 3D"),
        ({"S1": {"Walk": [pixels]}}, {"S1": {"Sit": world}}, "S1 'Sit' is missing"),
        ({"S1": {"Walk": [pixels, pixels]}}, {}, "has 2 views of 1 cameras"),
    ):
        with pytest.raises(InputError, match=message):
            pair("k.npz", {"S1": [CAMERA]}, detections, positions)
    with pytest.raises(InputError, match="where its camera x stood is unknown"):
        pair(
            "k.npz",
            {"S1": [Camera("x", 9, 9, 0)]},
            {"S1": {"Walk": [pixels]}},
            {"S1": {"Walk": world}},
        )


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("gt", "h36m"),
        ("cpn_ft_h36m_dbb", "h36m"),
        ("detectron_ft_h36m", "h36m"),
        ("detectron_pt_coco", "coco"),
        ("sh_pt_mpii", "mpii"),
        ("sh_ft_h36m", "mpii"),
    ],
)
def test_published_names_stand_for_layouts(name, layout):
    assert layout_in(name) == layout


def test_unknown_layouts_are_mirrored_by_their_own_word():
    metadata = {"layout_name": "odd", "num_joints": 4, "keypoints_symmetry": [[1], [3]]}
    skeleton = layout_of(metadata, "mine")
    assert (skeleton.name, len(skeleton)) == ("odd", 4)
    with pytest.raises(InputError, match="doesn't say which are left and right"):
        layout_of({"layout_name": "odd"}, "mine")
    assert skeleton.flip_order == flip_order(metadata, 4) == [0, 3, 2, 1]


def test_human36m_has_seven_placed_subjects():
    cameras = published_cameras("h36m")
    assert sorted(cameras) == ["", "S1", "S11", "S5", "S6", "S7", "S8", "S9"]
    for subject, views in cameras.items():
        assert [camera.name for camera in views] == ["54138969", "55011271", "58860488", "60457274"]
        for camera in views:
            assert (camera.orientation is None) == (subject == "")
            if camera.orientation is not None:
                assert np.linalg.norm(camera.orientation) == pytest.approx(1, abs=1e-5)
                assert 1 < camera.translation[2] < 2  # metres above the floor
