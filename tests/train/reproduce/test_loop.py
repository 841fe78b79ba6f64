import shutil

import pytest
import torch

from lifter.published.pickles import read_published
from train.__main__ import main
from train.reproduce.loop import Training
from train.reproduce.options import parse
from train.reproduce.processes import ProcessGroup
from train.reproduce.session import open_session


def test_training_learns_and_draws_its_curves(tmp_path, one_subject):
    flags = ["-b", "64", "-ch", "32", "-e", "4", "-sun", "S5", "--subset", "0.5"]
    line = [*one_subject, *flags, "--export-training-curves"]
    assert main([*line, "-c", str(tmp_path)]) == 0
    history = read_published(tmp_path / "epoch_4.bin")["history"]
    in_3d = ("3d_train", "3d_eval", "3d_valid", "traj_train")
    for name in (*in_3d, "2d_train_unlabeled", "2d_unlabeled_eval"):
        assert history[-1][name] < history[1][name]
    for name in ("loss_3d.png", "loss_traj.png", "loss_2d.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_bf16_takes_about_the_same_step_as_fp32(one_subject):
    updates = []
    for precision in ("fp32", "bf16"):
        options = parse([*one_subject, "-drop", "0", "--no-eval", "--precision", precision])
        training = Training(open_session(options), ProcessGroup())
        training.step_module.train()
        batch = training._gather(training.state.labelled, torch.arange(256))
        _, (error, _) = next(iter(training.step(batch, None, 1.0).items()))
        updates.append((error.item(), [p.grad for p in training.state.networks.parameters()]))
    assert updates[1][0] == pytest.approx(updates[0][0], rel=0.01)
    full, half = (torch.cat([grad.flatten() for grad in grads]) for _, grads in updates)
    assert torch.nn.functional.cosine_similarity(full, half, dim=0) > 0.99


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["-str", "S1", "-r", "none.bin"], "none.bin: cannot be read"),
        (["-str", "S1", "-r", "supervised_epoch_4.bin", "-sun", "S5"], "has no trajectory network"),
        (["-str", "S1", "-r", "x.safetensors"], "use the .bin beside it"),
        (["--device", "cuda:77"], "--device cuda:77: not usable"),
    ],
)
def test_what_cannot_be_trained_is_said(small, data_dir, capsys, flags, text):
    assert main([*small, "-c", str(data_dir), *flags]) in (1, 2)
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("checkpoint", "flags", "published"),
    [
        ("supervised_epoch_4.bin", ["-b", "512"], [172.053829, 152.878460, 141.038633]),
        (
            "semi_causal_epoch_4.bin",
            ["-b", "128", "-str", "S1", "-sun", "S5,S6", "-lrd", "0.98"],
            [209.062271, 166.410883],
        ),
    ],
)
def test_without_dropout_each_epoch_has_the_loss_that_videopose3d_prints(
    tmp_path, small, data_dir, checkpoint, flags, published
):
    """Same start, data, order, losses and optimizer.

    (The causal weights are trained on in a network that isn't.)
    """
    shutil.copy(data_dir / checkpoint, tmp_path)
    last = 4 + len(published)
    line = [*small, *flags, *f"-drop 0 -e {last} --no-eval --precision fp32".split()]
    assert main([*line, "-c", str(tmp_path), "-r", checkpoint]) == 0
    history = read_published(tmp_path / f"epoch_{last}.bin")["history"]
    assert [1000 * row["3d_train"] for row in history] == pytest.approx(published, rel=1e-4)
