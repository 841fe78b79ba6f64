import pytest

from core.errors import InputError
from train.layouts import flip_order, keypoint_skeleton, layout_name


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
    assert layout_name(name) == layout


def test_unknown_layouts_are_mirrored_by_their_own_word():
    metadata = {"layout_name": "odd", "num_joints": 4, "keypoints_symmetry": [[1], [3]]}
    skeleton = keypoint_skeleton(metadata, "mine")
    assert (skeleton.name, len(skeleton)) == ("odd", 4)
    with pytest.raises(InputError, match="doesn't say which are left and right"):
        keypoint_skeleton({"layout_name": "odd"}, "mine")
    assert skeleton.flip_order == flip_order(metadata, 4) == [0, 3, 2, 1]
