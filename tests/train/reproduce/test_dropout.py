import pytest
import torch

from train.reproduce.dropout import FastDropout


@pytest.mark.parametrize(
    ("p", "share"), [(0.25, 0.25), (0.1, 26 / 256), (0.001, 1 / 256), (0.5, 0.5)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_drops_the_share_and_keeps_the_expectation(p, share, dtype):
    torch.manual_seed(0)
    out = FastDropout(p)(torch.ones(1000, 1001, dtype=dtype)).float()
    assert (out == 0).float().mean().item() == pytest.approx(share, abs=0.002)
    assert out.mean().item() == pytest.approx(1.0, abs=0.006)


def test_neighbours_and_rows_are_dropped_independently():
    torch.manual_seed(0)
    kept = FastDropout(0.25)(torch.ones(2000, 512)) > 0
    centred = kept.float() - 0.75
    for step in (1, 2, 4, 7, 8, 16, 512):
        flat = centred.flatten()
        assert abs((flat[step:] * flat[:-step]).mean().item()) < 0.001
    assert kept.float().mean(0).std() < 0.012
    assert kept.float().mean(1).std() < 0.025


def test_the_gradient_passes_where_the_value_does():
    x = torch.randn(64, 64, requires_grad=True)
    out = FastDropout(0.25)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(out == 0, 0.0, 4 / 3))


def test_repeats_with_the_seed_and_rests_in_evaluation():
    drop, x = FastDropout(0.25), torch.ones(3, 5)
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        drop.masks.restart()
        results.append(drop(x))
    assert torch.equal(*results)
    assert drop.eval()(x) is x
