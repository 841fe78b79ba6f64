import re
import shutil

import numpy as np
import pytest
import torch

from lifter.checkpoint import load_lifter
from lifter.published.pickles import read_published
from train.__main__ import main


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
    schedule = ["-e", "4", "--checkpoint-frequency", "2", "--subset", "0.5", "--no-eval"]
    line = [*quick, *flags, *schedule]
    assert main([*line, "-c", str(straight)]) == 0
    halves.mkdir()
    shutil.copy(straight / "epoch_2.bin", halves)
    assert main([*line, "-c", str(halves), "-r", "epoch_2.bin"]) == 0
    expected, got = weights(straight / "epoch_4.bin"), weights(halves / "epoch_4.bin")
    assert all(torch.equal(got[name], expected[name]) for name in expected)
    first, second = (read_published(path / "epoch_4.bin") for path in (straight, halves))
    assert first["history"] == second["history"]
    assert str(first["random_state"].get_state()) == str(second["random_state"].get_state())
    reports = [(path / "epoch_4_errors.json").read_bytes() for path in (straight, halves)]
    assert reports[0] == reports[1]


def test_checkpoints_have_the_published_layout(tmp_path, one_subject, data_dir):
    published = read_published(data_dir / "semi_causal_epoch_4.bin")
    flags = ["--causal", "-sun", "S5", "-e", "1", "--subset", "0.2", "--no-eval"]
    assert main([*one_subject, *flags, "-c", str(tmp_path)]) == 0
    ours = read_published(tmp_path / "epoch_1.bin")
    assert published.keys() <= ours.keys()
    for model in ("model_pos", "model_traj"):
        assert {k: v.shape for k, v in ours[model].items()} == {
            k: v.shape for k, v in published[model].items()
        }
    # By position: the order of parameters must agree.
    for number, state in published["optimizer"]["state"].items():
        assert ours["optimizer"]["state"][number]["exp_avg"].shape == state["exp_avg"].shape
        assert ours["optimizer"]["state"][number].keys() == state.keys()
    model, spec = load_lifter(tmp_path / "epoch_1.safetensors")
    assert (spec.model.causal, spec.fps) == (True, 50.0)
    assert (spec.training["epochs"], model.config.channels) == (1, 48)


def test_published_checkpoints_can_be_trained_on(tmp_path, one_subject, data_dir):
    for name, flags in (
        ("supervised_epoch_4.bin", []),
        ("semi_causal_epoch_4.bin", ["--causal", "-sun", "S5"]),
    ):
        shutil.copy(data_dir / name, tmp_path)
        line = [*one_subject, *flags, "-e", "5", "--subset", "0.2", "--no-eval"]
        assert main([*line, "-c", str(tmp_path), "-r", name]) == 0
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


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content.pop("lr"), r"cannot be trained on \('lr'\)"),
        (lambda content: content.update(lr=float("nan")), "a learning rate of nan"),
        (lambda content: content.update(epoch="last"), "cannot be trained on"),
        (lambda content: content.update(optimizer=[1]), "cannot be trained on"),
        (
            lambda content: content["optimizer"]["state"][0].update(exp_avg=torch.zeros(2)),
            "its optimizer belongs to other networks",
        ),
    ],
)
def test_entries_that_are_none_of_a_run_are_named_before_training(
    tmp_path, one_subject, data_dir, capsys, change, reason
):
    content = read_published(data_dir / "supervised_epoch_4.bin")
    change(content)
    torch.save(content, tmp_path / "odd.bin")
    assert main([*one_subject, "-e", "5", "--no-eval", "-c", str(tmp_path), "-r", "odd.bin"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(r"odd\.bin: .*" + reason, line)
