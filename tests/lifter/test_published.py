"""VideoPose3D's checkpoints open; those that ask for more than tensors and numbers do not."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import WeightsError
from lifter.config import ModelConfig, config_from_state
from lifter.published.pickles import read_published

PUBLISHED = Path(__file__).parent.parent / "data" / "h36m_like"


@pytest.mark.parametrize("name", ["supervised_epoch_4.bin", "semi_causal_epoch_4.bin"])
def test_published_checkpoints_open(name: str) -> None:
    content = read_published(PUBLISHED / name)
    assert content["epoch"] == 4
    assert config_from_state(content["model_pos"]) == ModelConfig(17, 2, 17, (3, 3, 3), 48)
    assert (content["model_traj"] is not None) == name.startswith("semi")


class Call:
    """Pickles as a call of a function, with a state for what it gives."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self._reduced = (function, arguments) + (() if state is None else (state,))

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


def saved(path: Path, protocol: str, **content: Any) -> Path:
    content = {"epoch": 1, "model_pos": {"expand_conv.weight": torch.zeros(1)}, **content}
    if protocol == "plain pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=protocol == "zip")
    return path


@pytest.mark.parametrize("protocol", ["zip", "legacy", "plain pickle"])
def test_a_malicious_pickle_is_refused_unopened(tmp_path: Path, protocol: str) -> None:
    bait = tmp_path / "bait"
    path = saved(tmp_path / "bad.bin", protocol, random_state=Call(Path.touch, bait))
    with pytest.raises(WeightsError, match="refused unopened"):
        read_published(path)
    assert not bait.exists()


@pytest.mark.parametrize("protocol", ["zip", "legacy"])
@pytest.mark.parametrize("call", [Call(bytearray, 1 << 40), Call(torch.FloatTensor, 1 << 40)])
def test_what_takes_memory_by_a_number_is_refused_unopened(
    tmp_path: Path, protocol: str, call: Call
) -> None:
    with pytest.raises(WeightsError, match="refused unopened"):
        read_published(saved(tmp_path / "bomb.bin", protocol, optimizer=call))


def shared_lists() -> list[Any]:
    value: list[Any] = [1] * 10
    for _ in range(9):
        value = [value] * 10
    return value


@pytest.mark.parametrize("optimizer", [torch.zeros(1).expand(1 << 40), shared_lists()])
def test_what_repeats_itself_is_refused(tmp_path: Path, optimizer: Any) -> None:
    with pytest.raises(WeightsError, match="more than the file has room for"):
        read_published(saved(tmp_path / "bomb.bin", "zip", optimizer={"state": optimizer}))


@pytest.mark.parametrize("as_tuple", [False, True], ids=["new numpy", "old numpy"])
def test_a_random_state_goes_on_as_the_one_that_was_saved(tmp_path: Path, as_tuple: bool) -> None:
    random = np.random.RandomState(7)
    random.random_sample(5)
    stored: Any = random
    if as_tuple:
        function, arguments, _ = random.__reduce__()
        stored = Call(function, *arguments, state=random.get_state())
    content = read_published(saved(tmp_path / "e.bin", "zip", random_state=stored))
    np.testing.assert_array_equal(content["random_state"].random_sample(9), random.random_sample(9))


@pytest.mark.parametrize("change", [{"pos": 10**9}, {"key": np.zeros(9, np.uint32)}])
def test_a_random_state_that_points_outside_itself_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    function, arguments, state = np.random.RandomState(7).__reduce__()
    state["state"] |= change
    path = saved(tmp_path / "e.bin", "zip", random_state=Call(function, *arguments, state=state))
    with pytest.raises(WeightsError, match="no state of a random generator"):
        read_published(path)


def test_numbers_that_claim_to_be_pointers_stay_numbers(tmp_path: Path) -> None:
    """numpy's own type, believing this state, frees the memory that the numbers point to."""
    has_pointers = (3, "<", None, None, None, -1, -1, 1)
    dtype = Call(np.dtype, "u4", False, True, state=has_pointers)
    key = Call(*np.zeros(0, np.uint32).__reduce__()[:1], np.ndarray, (0,), b"b",
               state=(1, (624,), dtype, False, b"A" * 2496))  # fmt: skip
    function, arguments, state = np.random.RandomState(7).__reduce__()
    state["state"]["key"] = key
    path = saved(tmp_path / "e.bin", "zip", random_state=Call(function, *arguments, state=state))
    assert read_published(path)["random_state"].get_state()[1].dtype == np.uint32
