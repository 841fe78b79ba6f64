"""The network without torch is that of torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.types import Array, Floats
from lifter.config import ModelConfig
from lifter.convnet import ConvNet
from lifter.model import TemporalConvNet

CONFIGS = {
    "three blocks": ModelConfig(18, 3, 21, (3, 3, 3), 24, features_out=4),
    "causal": ModelConfig(18, 3, 17, (3, 3), 24, causal=True),
    "other widths": ModelConfig(17, 2, 17, (3, 5, 3), 24),
    "no block": ModelConfig(17, 2, 17, (5,), 24),
}


def trained(config: ModelConfig) -> TemporalConvNet:
    """A network whose normalisations have seen numbers."""
    torch.manual_seed(0)
    model = TemporalConvNet(config).train()
    for _ in range(20):
        model(torch.randn(4, 60, config.joints_in, config.features_in) * 0.5 + 0.2)
    return model.eval()


def arrays(model: TemporalConvNet) -> dict[str, Array]:
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def numbers(*shape: int) -> Floats:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", CONFIGS)
def test_sequences_and_windows_are_lifted_as_by_torch(name: str) -> None:
    config = CONFIGS[name]
    model = trained(config)
    network, field = ConvNet(config, arrays(model)), config.receptive_field
    x = numbers(2, 80, config.joints_in, config.features_in)
    np.testing.assert_allclose(network.lift_sequences(x), model.lift_sequences(x), atol=1e-5)
    windows = numbers(7, field, config.joints_in, config.features_in)
    np.testing.assert_allclose(
        network.lift_windows(windows), model.lift_windows(windows), atol=1e-5
    )


def test_wrong_lengths_and_tensors_are_refused() -> None:
    config = CONFIGS["three blocks"]
    network = ConvNet(config, state := arrays(trained(config)))
    with pytest.raises(ValueError, match="at least 27 frames, got 26"):
        network.lift_sequences(numbers(1, 26, 18, 3))
    with pytest.raises(ValueError, match="windows of 27 frames, got 28"):
        network.lift_windows(numbers(1, 28, 18, 3))
    for other in ({"layers_bn.0.bias": state["shrink.bias"]}, {"more": state["shrink.bias"]}):
        with pytest.raises(ValueError, match="do not fit the network"):
            ConvNet(config, state | other)


def test_the_lifters_that_ship_need_no_torch() -> None:
    code = """
import sys
import numpy as np
from lifter.predict import Lifter
from testkit.walker import CAMERA, keypoints, moving_root, sequence_of, walking
from weights.store import resolve
for name in ("lifter", "lifter-causal"):
    lifter = Lifter.load(resolve(name))
    poses = lifter.lift(sequence_of(keypoints(walking(30), moving_root(30))), CAMERA)
    assert np.isfinite(poses.joints_m).all()
assert "torch" not in sys.modules
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
