import contextlib

import torch

from pipeline.runtime.threads import torch_threads


def test_torch_has_its_threads_back_after_an_exception() -> None:
    before = torch.get_num_threads()
    with contextlib.suppress(KeyError), torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before
