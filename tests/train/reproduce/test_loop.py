import shutil

import numpy as np
import pytest
import torch

from lifter.checkpoint import load_lifter, read_published
from train.__main__ import main
from train.reproduce.loop import Training
from train.reproduce.options import parse
from train.reproduce.session import open_session
from train.reproduce.team import Team

QUICK = ["-str", "S1", "-ste", "S9", "-b", "512", "-drop", "0.25", "--precision", "fp32"]


@pytest.fixture
def quick(small):
    return [*small, *QUICK, "-ch", "16", "-arc", "3,3"]


def weights(path) -> dict[str, torch.Tensor]:
    content = read_published(path)
    return {
        **content["model_pos"],
        **{f"t.{k}": v for k, v in (content["model_traj"] or {}).items()},
    }


SEMI = ["-sun", "S5", "--warmup", "1"]


@pytest.mark.parametrize("flags", [[], SEMI, ["-s", "3"], [*SEMI, "--causal"]], ids=str)
def test_resuming_halfway_equals_the_straight_run_bit_for_bit(tmp_path, quick, flags):
    straight, halves = tmp_path / "straight", tmp_path / "halves"
    line = [
        *quick,
        *flags,
        "-e",
        "4",
        "--checkpoint-frequency",
        "2",
        "--subset",
        "0.5",
        "--no-eval",
    ]
    assert main([*line, "-c", str(straight)]) == 0
    halves.mkdir()
    shutil.copy(straight / "epoch_2.bin", halves)
    assert main([*line, "-c", str(halves), "-r", "epoch_2.bin"]) == 0
    expected, got = weights(straight / "epoch_4.bin"), weights(halves / "epoch_4.bin")
    assert all(torch.equal(got[name], expected[name]) for name in expected)
    first, second = (read_published(path / "epoch_4.bin") for path in (straight, halves))
    assert first["history"] == second["history"]
    assert str(first["random_state"].get_state()) == str(second["random_state"].get_state())
    assert (straight / "epoch_4_errors.json").read_bytes() == (
        halves / "epoch_4_errors.json"
    ).read_bytes()


def test_checkpoints_have_the_published_layout(tmp_path, small, data_dir):
    published = read_published(data_dir / "semi_causal_epoch_4.bin")
    line = [
        *small,
        *QUICK,
        "--causal",
        "-sun",
        "S5",
        "-e",
        "1",
        "--subset",
        "0.2",
        "--no-eval",
        "-c",
        str(tmp_path),
    ]
    assert main(line) == 0
    ours = read_published(tmp_path / "epoch_1.bin")
    assert published.keys() <= ours.keys()
    for model in ("model_pos", "model_traj"):
        assert {k: v.shape for k, v in ours[model].items()} == {
            k: v.shape for k, v in published[model].items()
        }
    for number, state in published["optimizer"][
        "state"
    ].items():  # by position: the order of parameters must agree
        assert ours["optimizer"]["state"][number]["exp_avg"].shape == state["exp_avg"].shape
        assert ours["optimizer"]["state"][number].keys() == state.keys()
    model, spec = load_lifter(tmp_path / "epoch_1.safetensors")
    assert (spec.model.causal, spec.fps, spec.training["epochs"], model.config.channels) == (
        True,
        50.0,
        1,
        48,
    )


def test_published_checkpoints_can_be_trained_on(tmp_path, small, data_dir):
    for name, flags in (
        ("supervised_epoch_4.bin", []),
        ("semi_causal_epoch_4.bin", ["--causal", "-sun", "S5"]),
    ):
        shutil.copy(data_dir / name, tmp_path)
        line = [
            *small,
            *QUICK,
            *flags,
            "-e",
            "5",
            "--subset",
            "0.2",
            "-c",
            str(tmp_path),
            "-r",
            name,
            "--no-eval",
        ]
        assert main(line) == 0
        assert read_published(tmp_path / "epoch_5.bin")["epoch"] == 5


def test_safetensors_evaluate_like_the_checkpoint_beside_them(tmp_path, quick, capsys):
    assert main([*quick, "-e", "1", "-c", str(tmp_path), "--no-eval"]) == 0
    tables = []
    for name in ("epoch_1.bin", "epoch_1.safetensors"):
        capsys.readouterr()
        assert main([*quick, "-c", str(tmp_path), "--evaluate", name]) == 0
        tables.append(
            [float(word) for word in capsys.readouterr().out.split() if word[0].isdigit()]
        )
    np.testing.assert_allclose(tables[0], tables[1], atol=0.2)  # stored as float16


def test_training_learns_and_draws_its_curves(tmp_path, small):
    line = [
        *small,
        *QUICK,
        "-b",
        "64",
        "-ch",
        "32",
        "-e",
        "4",
        "-c",
        str(tmp_path),
        "-sun",
        "S5",
        "--subset",
        "0.5",
    ]
    assert main([*line, "--export-training-curves"]) == 0
    history = read_published(tmp_path / "epoch_4.bin")["history"]
    for name in (
        "3d_train",
        "3d_eval",
        "3d_valid",
        "traj_train",
        "2d_train_unlabeled",
        "2d_unlabeled_eval",
    ):
        assert history[-1][name] < history[1][name]
    for name in ("loss_3d.png", "loss_traj.png", "loss_2d.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_bf16_takes_about_the_same_step_as_fp32(small):
    updates = []
    for precision in ("fp32", "bf16"):
        options = parse([*small, *QUICK, "-drop", "0", "--no-eval", "--precision", precision])
        training = Training(open_session(options), Team())
        training.step_module.train()
        batch = training._gather(training.progress.labelled, torch.arange(256))
        _, (error, _) = next(iter(training.step(batch, None, 1.0).items()))
        updates.append((error.item(), [p.grad for p in training.progress.networks.parameters()]))
    assert updates[1][0] == pytest.approx(updates[0][0], rel=0.01)
    full, half = (torch.cat([grad.flatten() for grad in grads]) for _, grads in updates)
    assert torch.nn.functional.cosine_similarity(full, half, dim=0) > 0.99


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["-str", "S1", "-r", "none.bin"], "none.bin: not a readable checkpoint"),
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
    """Same start, data, order, losses and optimizer. (The causal weights are trained on in a network that isn't.)"""
    shutil.copy(data_dir / checkpoint, tmp_path)
    line = [
        *small,
        *flags,
        "-drop",
        "0",
        "-e",
        str(4 + len(published)),
        "-c",
        str(tmp_path),
        "-r",
        checkpoint,
    ]
    assert main([*line, "--no-eval", "--precision", "fp32"]) == 0
    history = read_published(tmp_path / f"epoch_{4 + len(published)}.bin")["history"]
    assert [1000 * row["3d_train"] for row in history] == pytest.approx(published, rel=1e-4)


def test_errors_are_logged_for_tensorboard(tmp_path, quick):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert main([*quick, "-e", "2", "-c", str(tmp_path), "--tensorboard"]) == 0
    log = events.EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in log.Scalars("3d_valid")] == [1, 2]
