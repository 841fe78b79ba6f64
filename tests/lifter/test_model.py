from pathlib import Path

import numpy as np
import pytest
import torch

from lifter.config import ModelConfig, config_from_state
from lifter.model import TemporalConvNet

REFERENCE = np.load(Path(__file__).parent.parent / "data" / "videopose3d_reference.npz")
CONFIGS = {
    "arc333": ModelConfig(17, 2, 17, (3, 3, 3), 24),
    "arc333_causal": ModelConfig(17, 2, 17, (3, 3, 3), 24, causal=True),
    "arc353_dense": ModelConfig(17, 2, 17, (3, 5, 3), 24, dense=True),
    "arc3333": ModelConfig(17, 2, 17, (3, 3, 3, 3), 24),
}


def tensor(key: str) -> torch.Tensor:
    return torch.from_numpy(REFERENCE[key])


def published(name: str) -> TemporalConvNet:
    model = TemporalConvNet(CONFIGS[name])
    prefix = f"{name}/state/"
    model.load_state_dict(
        {key.removeprefix(prefix): tensor(key) for key in REFERENCE if key.startswith(prefix)}
    )
    return model.eval()


@pytest.mark.parametrize("name", CONFIGS)
def test_sequences_come_out_as_published(name):
    torch.testing.assert_close(
        published(name)(tensor(f"{name}/x")), tensor(f"{name}/y"), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("name", [name for name in CONFIGS if not CONFIGS[name].dense])
def test_single_windows_come_out_as_published(name):
    got = published(name).forward_windows(tensor(f"{name}/strided_x"))
    torch.testing.assert_close(got[:, None], tensor(f"{name}/strided_y"), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_receptive_field_and_padding(name):
    config = CONFIGS[name]
    assert config.receptive_field == REFERENCE[f"{name}/receptive_field"]
    before, after = config.padding
    assert before + after == config.receptive_field - 1
    assert after == (0 if config.causal else before)


def test_both_forms_learn_the_same():
    model = TemporalConvNet(ModelConfig(17, 2, 17, (3, 3, 3), 24, dropout=0.0)).double()
    windows = torch.randn(8, 27, 17, 2, dtype=torch.float64)
    gradients = []
    for form in (model.forward_windows, lambda x: model(x)[:, 0]):
        model.zero_grad()
        form(windows).square().sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    # In training the sequence form also normalises over frames that no window needs, so only the
    # trend is shared.
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.5


def test_wrong_lengths_are_refused():
    model = TemporalConvNet(CONFIGS["arc333"])
    with pytest.raises(ValueError, match="at least 27 frames, got 26"):
        model(torch.zeros(1, 26, 17, 2))
    with pytest.raises(ValueError, match="windows of 27 frames, got 28"):
        model.forward_windows(torch.zeros(1, 28, 17, 2))
    with pytest.raises(ValueError, match="odd and positive"):
        ModelConfig(17, 2, 17, (3, 4))


def test_sizes_are_read_off_dense_tensors():
    config = ModelConfig(17, 2, 17, (3, 5, 3), 8, dense=True)
    assert config_from_state(TemporalConvNet(config).state_dict(), dense=True) == config


@pytest.mark.parametrize(
    "damaged",
    [{"shrink.weight": [1]}, {"expand_conv.weight": torch.zeros(8, 34, 0)}],
    ids=["a list", "no frames"],
)
def test_tensors_of_no_convnet_are_refused(damaged):
    state = TemporalConvNet(ModelConfig(17, 2, 17, (3, 3), 8, dense=True)).state_dict()
    for tensors in ({}, state | damaged):
        with pytest.raises(ValueError, match="not the weights of a temporal ConvNet"):
            config_from_state(tensors, dense=True)
