import torch

from lifter.config import ModelConfig
from lifter.model import TemporalConvNet
from train.wild.optimizer import MuonWithAdam


def test_a_step_moves_every_parameter_and_hidden_matrices_alike_in_all_directions() -> None:
    torch.manual_seed(0)
    model = TemporalConvNet(ModelConfig(17, 2, 17, (3, 3), 16, dropout=0.0))
    optimizer = MuonWithAdam(model)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    model.forward_windows(torch.randn(32, 9, 17, 2)).square().mean().backward()
    optimizer.step(1e-2)
    moved = {name: weight.detach() - before[name] for name, weight in model.named_parameters()}
    assert all(bool(move.any()) for move in moved.values())
    singular = torch.linalg.svdvals(moved["layers_conv.0.weight"].flatten(1))
    assert singular.min() > 0.5 * singular.max(), "Muon's step is nearly orthogonal"
