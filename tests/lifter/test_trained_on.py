from pathlib import Path

import pytest
import torch

from core.errors import WeightsError
from core.skeletons import COCO_17, H36M_17, Skeleton
from lifter.checkpoint import LifterSpec, load_lifter, save_lifter
from lifter.config import ModelConfig
from lifter.model import TemporalConvNet
from lifter.predict import Lifter
from lifter.published.pickles import read_published
from lifter.published.trained_on import trained_on
from testkit.lifters import published_lifter
from train.layouts import HUMANEVA_15

PUBLISHED = Path(__file__).parent.parent / "data" / "h36m_like"


@pytest.mark.parametrize("channels", [16, 256])
@pytest.mark.parametrize("skeleton", [COCO_17, H36M_17])
def test_a_network_remembers_whose_keypoints_it_saw(
    skeleton: Skeleton, channels: int, tmp_path: Path
) -> None:
    for seed in range(3):
        path = published_lifter(tmp_path / f"{seed}.bin", skeleton, channels, seed)
        assert load_lifter(path)[1].skeleton_in == skeleton


@pytest.mark.parametrize("name", ["supervised_epoch_4.bin", "semi_causal_epoch_4.bin"])
def test_networks_of_videopose3d_do_too(name: str) -> None:
    assert trained_on(read_published(PUBLISHED / name)["model_pos"]) == H36M_17


def test_the_published_networks_are_known_by_name(tmp_path: Path) -> None:
    network = TemporalConvNet(ModelConfig(17, 2, 17, (3,), 8))
    for name, skeleton in (("detectron_coco", COCO_17), ("cpn", H36M_17)):
        path = tmp_path / f"pretrained_h36m_{name}.bin"
        torch.save({"model_pos": network.state_dict()}, path)
        assert load_lifter(path)[1].skeleton_in == skeleton


def test_a_network_that_remembers_nothing_is_refused(tmp_path: Path) -> None:
    network = TemporalConvNet(ModelConfig(17, 2, 17, (3,), 8))
    torch.save({"model_pos": network.state_dict()}, tmp_path / "new.bin")
    with pytest.raises(WeightsError, match=r"new\.bin: neither says nor shows whether it takes"):
        load_lifter(tmp_path / "new.bin")


def test_what_is_no_network_of_this_kind_is_named(tmp_path: Path) -> None:
    torch.save({"model_pos": {"a": torch.zeros(3)}}, tmp_path / "other.bin")
    with pytest.raises(WeightsError, match=r"other\.bin: not the weights of a temporal ConvNet"):
        load_lifter(tmp_path / "other.bin")


@pytest.mark.parametrize(
    ("config", "skeleton", "normalization", "reason"),
    [
        (ModelConfig(15, 2, 15, (3,), 8), HUMANEVA_15, "screen", "takes humaneva_15 keypoints"),
        (ModelConfig(18, 3, 17, (3,), 8), H36M_17, "person", "takes h36m_17 keypoints"),
        (ModelConfig(17, 3, 17, (3,), 8), COCO_17, "screen", "takes 3 numbers per keypoint"),
    ],
)
def test_networks_that_cannot_be_fed_are_refused_when_they_are_opened(
    config: ModelConfig, skeleton: Skeleton, normalization: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    out = HUMANEVA_15 if len(skeleton) == 15 else H36M_17
    spec = LifterSpec(config, skeleton, out, 50.0, normalization)
    save_lifter(path, TemporalConvNet(config), spec)
    with pytest.raises(WeightsError, match=rf"other\.safetensors: {reason}"):
        Lifter.load(path)
