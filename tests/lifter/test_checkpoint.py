from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import WeightsError
from core.skeletons import COCO_17, H36M_17, Skeleton
from lifter.checkpoint import LifterSpec, load_lifter, save_lifter
from lifter.config import ModelConfig
from lifter.model import TemporalConvNet
from lifter.predict import Lifter

PUBLISHED = Path(__file__).parent.parent / "data" / "h36m_like"


@pytest.mark.parametrize("name", ["supervised_epoch_4.bin", "semi_causal_epoch_4.bin"])
def test_published_checkpoints_open(name):
    model, spec = load_lifter(PUBLISHED / name)
    assert (spec.skeleton_out, spec.normalization, model.training) == (H36M_17, "screen", False)


def test_a_file_of_another_kind_is_no_lifter(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# A page")
    with pytest.raises(WeightsError, match=r"README\.md: is no lifter, neither a \.safetensors"):
        load_lifter(path)


def test_damaged_files_are_named(tmp_path):
    for name in ("a.bin", "a.safetensors"):
        path = tmp_path / name
        path.write_bytes(b"not a checkpoint at all")
        with pytest.raises(WeightsError, match=name):
            load_lifter(path)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_safetensors_round_trip(tmp_path, dtype):
    config = ModelConfig(17, 2, 17, (3, 3), 16, causal=True)
    model = TemporalConvNet(config).eval()
    spec = LifterSpec(config, COCO_17, H36M_17, 50.0, "screen", {"data": "made up"})
    save_lifter(tmp_path / "m.safetensors", model, spec, dtype)
    again, same = load_lifter(tmp_path / "m.safetensors")
    assert same == spec
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]
    x = torch.randn(1, 12, 17, 2)
    tolerance = 0.0 if dtype == np.float32 else 5e-3
    torch.testing.assert_close(again(x), model(x), rtol=tolerance, atol=tolerance)


def test_three_numbers_a_keypoint_are_read_back(tmp_path):
    config = ModelConfig(17, 3, 17, (3,), 8)
    spec = LifterSpec(config, COCO_17, H36M_17, 50.0, "screen")
    save_lifter(tmp_path / "m.safetensors", TemporalConvNet(config), spec)
    assert load_lifter(tmp_path / "m.safetensors")[1] == spec


def test_what_is_said_of_hidden_joints_is_read_back(tmp_path):
    config, factors = ModelConfig(17, 2, 17, (3,), 8), (1.0,) * 10 + (2.5,) * 7
    spec = LifterSpec(config, COCO_17, H36M_17, 50.0, "screen", hidden_sigma=factors)
    save_lifter(tmp_path / "m.safetensors", TemporalConvNet(config), spec)
    assert load_lifter(tmp_path / "m.safetensors")[1] == spec


def test_a_header_says_something_of_every_hidden_joint_or_nothing():
    config = ModelConfig(17, 2, 17, (3,), 8)
    for factors in ((1.0,) * 16, (0.0,) * 17, (float("nan"),) * 17):
        with pytest.raises(ValueError, match="hidden_sigma"):
            LifterSpec(config, COCO_17, H36M_17, 50.0, "screen", hidden_sigma=factors)


def test_tensors_of_another_size_than_the_headers_are_refused(tmp_path):
    config, other = (ModelConfig(17, 2, 17, (3,), channels) for channels in (8, 1 << 40))
    path = tmp_path / "m.safetensors"
    save_lifter(path, TemporalConvNet(config), LifterSpec(other, COCO_17, H36M_17, 50.0, "screen"))
    with pytest.raises(WeightsError, match=r"m\.safetensors: its tensors do not fit"):
        load_lifter(path)


def saved(path: Path, config: ModelConfig, change=None, joints=H36M_17) -> Path:
    model = TemporalConvNet(config)
    if change is not None:
        with torch.no_grad():
            change(model)
    save_lifter(path, model, LifterSpec(config, COCO_17, joints, 50.0, "screen"), np.float32)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.expand_bn.running_var.fill_(-1),
        lambda model: model.shrink.bias.fill_(1e30),
        lambda model: model.layers_conv[0].weight.fill_(1e38),
    ],
    ids=["no variance", "far", "infinite"],
)
def test_a_network_whose_joints_are_no_positions_is_refused(tmp_path, change):
    path = saved(tmp_path / "m.safetensors", ModelConfig(17, 2, 17, (3, 3), 8), change)
    with pytest.raises(WeightsError, match="gives joints that are farther away than any"):
        load_lifter(path)


def test_a_network_that_looks_at_hours_is_refused_before_memory_is_taken_for_them(tmp_path):
    path = saved(tmp_path / "m.safetensors", ModelConfig(17, 2, 17, (3,) * 20, 1))
    with pytest.raises(WeightsError, match="looks at 3486784401 frames at once"):
        load_lifter(path)


def test_a_network_of_other_joints_than_results_have_is_not_lifted_by(tmp_path):
    other = Skeleton("mine", tuple("abcdefghijklmnopq"), (-1, *range(16)))
    path = saved(tmp_path / "m.safetensors", ModelConfig(17, 2, 17, (3,), 8), joints=other)
    with pytest.raises(WeightsError, match="gives mine, and results have h36m_17"):
        Lifter.load(path)
