import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import multiprocessing

from train.reproduce.loop import Training
from train.reproduce.options import parse
from train.reproduce.processes import ProcessGroup, join_processes, leave_processes
from train.reproduce.session import open_session

FLAGS = ["-str", "S1", "-ste", "S9", "-ch", "16", "-arc", "3,3", "-drop", "0"]
FLAGS += ["--no-eval", "--precision", "fp32"]
NUMBERS = torch.arange(0, 3000, 61)  # an odd number, so that the shares differ


def gradients(training: Training, processes: ProcessGroup) -> torch.Tensor:
    shard, weight = processes.shard(NUMBERS)
    training.step_module.train()
    training.step(training._gather(training.state.labelled, shard), None, weight)
    return torch.cat(
        [parameter.grad.flatten() for parameter in training.state.networks.parameters()]
    )


def work(rank: int, flags: list[str], port: int, out: Path) -> None:
    os.environ |= {
        "RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    torch.set_num_threads(1)
    session = open_session(parse(flags))
    processes = join_processes(session.device)
    torch.save(gradients(Training(session, processes), processes), out / f"{rank}.pt")
    leave_processes()


def test_gradients_are_exactly_those_of_the_shares_together(small, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    multiprocessing.spawn(work, ([*small, *FLAGS], port, tmp_path), nprocs=2)
    shares = [
        gradients(
            Training(open_session(parse([*small, *FLAGS])), ProcessGroup()), ProcessGroup(rank, 2)
        )
        for rank in (0, 1)
    ]
    for rank in (0, 1):
        together = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(together, (shares[0] + shares[1]) / 2, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("count", [2, 7, 64])
def test_weighted_shares_add_up_to_the_batch(count):
    values = torch.arange(count)
    shares = [ProcessGroup(rank, 2).shard(values) for rank in (0, 1)]
    assert sorted(torch.cat([shard for shard, _ in shares]).tolist()) == values.tolist()
    total = sum(shard.float().mean() * weight for shard, weight in shares) / 2
    assert total.item() == pytest.approx(values.float().mean().item())


def test_two_processes_learn_what_one_does(small, tmp_path):
    errors = {}
    for name, launcher in (
        ("one", ["-m", "train"]),
        (
            "two",
            ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "train"],
        ),
    ):
        flags = [*small, *FLAGS, "-b", "512", "-e", "2", "-c", str(tmp_path / name)]
        done = subprocess.run(
            [sys.executable, *launcher, *flags],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.stdout.count("average") == 1  # only the main process prints
        errors[name] = float(re.search(r"average\s+([\d.]+)", done.stdout).group(1))
        assert (tmp_path / name / "epoch_2.bin").is_file()
    assert errors["two"] == pytest.approx(errors["one"], rel=0.05)
