"""Any architecture that registers itself is saved, loaded and lifts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import WeightsError
from core.skeletons import COCO_17, H36M_17
from lifter.checkpoint import LifterSpec, load_lifter, save_lifter
from lifter.config import ModelConfig, NetworkConfig
from lifter.model import TemporalConvNet
from lifter.network import LiftingNetwork, network_classes
from lifter.predict import Lifter
from testkit.walker import CAMERA, keypoints, moving_root, sequence_of, walking


@dataclass(frozen=True)
class PerFrameConfig(NetworkConfig):
    architecture: ClassVar[str] = "per_frame"

    hidden: int = 8

    @property
    def receptive_field(self) -> int:
        return 1

    @property
    def padding(self) -> tuple[int, int]:
        return 0, 0

    def check_tensors(self, state: Mapping[str, Tensor]) -> None:
        expected = (self.hidden, self.joints_in * self.features_in)
        if "first.weight" not in state or state["first.weight"].shape != expected:
            raise ValueError("not the weights of a per-frame network")


class PerFrame(LiftingNetwork, config=PerFrameConfig):
    """Two layers on each frame for itself."""

    def __init__(self, config: PerFrameConfig) -> None:
        super().__init__(config)
        self.first = nn.Linear(config.joints_in * config.features_in, config.hidden)
        self.second = nn.Linear(config.hidden, config.joints_out * 3)

    def forward(self, x: Tensor) -> Tensor:
        joints = self.second(torch.relu(self.first(x.flatten(2))))
        return joints.unflatten(-1, (-1, 3))

    def forward_windows(self, x: Tensor) -> Tensor:
        return self(x)[:, 0]


def saved(tmp_path: Path, normalization: str = "person") -> tuple[Path, PerFrame]:
    joints_in, features = (18, 3) if normalization == "person" else (17, 2)
    config = PerFrameConfig(joints_in, features, 17)
    model, path = PerFrame(config).eval(), tmp_path / "toy.safetensors"
    spec = LifterSpec(config, COCO_17, H36M_17, 30.0, normalization)
    save_lifter(path, model, spec, np.float32)
    return path, model


def header_of(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        return dict(json.loads(file.metadata()["video3d"]))


def rewrite_header(path: Path, header: dict[str, Any]) -> None:
    save_file(load_file(path), path, {"video3d": json.dumps(header)})


@pytest.mark.parametrize("normalization", ["person", "screen"])
def test_another_architecture_is_saved_loaded_and_lifts(tmp_path: Path, normalization: str) -> None:
    path, model = saved(tmp_path, normalization)
    assert header_of(path)["architecture"] == "per_frame"
    lifter = Lifter.load(path)
    assert isinstance(lifter.model, PerFrame)
    assert lifter.spec.model == model.config
    sequence = sequence_of(keypoints(walking(20), moving_root(20)))
    poses = lifter.lift(sequence, CAMERA)
    expected = Lifter(model, lifter.spec).lift(sequence, CAMERA)
    assert poses.joints_m.shape == (20, 17, 3)
    np.testing.assert_array_equal(poses.joints_m, expected.joints_m)


def test_a_header_without_architecture_is_a_temporal_convnet(tmp_path: Path) -> None:
    config, path = ModelConfig(17, 2, 17, (3, 3), 8), tmp_path / "old.safetensors"
    save_lifter(path, TemporalConvNet(config), LifterSpec(config, COCO_17, H36M_17, 50.0, "screen"))
    header = header_of(path)
    assert header.pop("architecture") == "temporal_convnet"
    rewrite_header(path, header)
    model, spec = load_lifter(path)
    assert isinstance(model, TemporalConvNet)
    assert spec.model == config


def test_an_unknown_architecture_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    rewrite_header(path, header_of(path) | {"architecture": "oracle"})
    with pytest.raises(WeightsError, match=r"oracle is unknown; there is .*temporal_convnet"):
        load_lifter(path)


def test_tensors_are_checked_before_a_network_of_that_size_is_built(tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    header = header_of(path)
    header["model"]["hidden"] = 1 << 50
    rewrite_header(path, header)
    with pytest.raises(WeightsError, match="not the weights of a per-frame network"):
        load_lifter(path)


def test_a_subclass_without_a_config_of_its_own_registers_nothing() -> None:
    class Quiet(TemporalConvNet):
        pass

    assert network_classes()["temporal_convnet"] is TemporalConvNet
    assert Quiet.config_class is ModelConfig


def test_an_architecture_has_one_network() -> None:
    with pytest.raises(ValueError, match="'per_frame' already"):

        class Again(PerFrame, config=PerFrameConfig):
            pass
