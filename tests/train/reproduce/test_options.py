from pathlib import Path

import pytest

import train
from core.errors import UsageError
from train.reproduce.options import Options, parse, read_config

CONFIGS = Path(train.__file__).parent / "configs"


def line(text: str) -> Options:
    return parse(text.split())


def test_published_lines_mean_what_they_meant():
    o = line(
        "-d humaneva15 -k detectron_pt_coco -str Train/S1,Train/S2,Train/S3 "
        "-ste Validate/S1,Validate/S2,Validate/S3 -b 128 -e 1000 -lrd 0.996 "
        "-a Walk,Jog,Box --by-subject"
    )
    assert o.names("subjects_train") == ["Train/S1", "Train/S2", "Train/S3"]
    assert o.names("actions") == ["Walk", "Jog", "Box"]
    assert (o.batch_size, o.epochs, o.lr_decay, o.by_subject) == (128, 1000, 0.996, True)
    o = line(
        "-k gt --subjects-train S1 --subset 0.1 --subjects-unlabeled S5,S6 -e 200 "
        "-arc 3,3,3 --warmup 5 -b 64"
    )
    assert (o.semi_supervised, o.subset, o.warmup, o.filter_widths) == (True, 0.1, 5, (3, 3, 3))
    o = line("-no-da -no-tta -drop 0.1 -lr 0.01 -s 4 -ch 512 -c here -r epoch_10.bin")
    assert (o.no_data_augmentation, o.no_test_time_augmentation) == (True, True)
    assert (o.stride, o.resume) == (4, "epoch_10.bin")


def test_defaults_are_the_published_ones():
    o = parse([])
    assert o == Options()
    assert (o.keypoints, o.subjects_test) == ("cpn_ft_h36m_dbb", "S9,S11")
    assert (o.epochs, o.batch_size, o.dropout) == (60, 1024, 0.25)
    assert (o.learning_rate, o.lr_decay) == (0.001, 0.95)
    assert (o.architecture, o.channels) == ("3,3,3", 1024)
    assert (o.viz_bitrate, o.viz_limit, o.viz_size) == (3000, -1, 5)
    assert (o.checkpoint, o.actions) == ("checkpoint", "*")


def test_the_command_line_overrides_the_file(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('epochs = 80\nlearning-rate = 1\nno-eval = true\narchitecture = "3,3"\n')
    o = parse(["--config", str(path), "-e", "3"])
    assert (o.epochs, o.learning_rate, o.no_eval, o.filter_widths) == (3, 1.0, True, (3, 3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "there is no flag --epoch"),
        ('epochs = "3"', "epochs must be a int, got '3'"),
        ("epochs = true", "epochs must be a int, got True"),
        ("epochs =", "cannot be read"),
        (r'"\u001b[31m" = 1', r"there is no flag --\\x1b\[31m"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_config(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--resume a --evaluate b", "--resume and --evaluate"),
        ("--export-training-curves --no-eval", "--export-training-curves and --no-eval"),
        (
            "--render --viz-subject S1 --viz-action A --viz-output a.gif",
            "--render: needs --evaluate",
        ),
        ("--render --evaluate a", "needs --viz-subject and --viz-action"),
        (
            "--render --evaluate a --viz-subject S1 --viz-action A",
            "needs --viz-output or --viz-export",
        ),
        (
            "--render --evaluate a --viz-subject S1 --viz-action A --viz-output a.avi",
            "expected .mp4 or .gif",
        ),
        ("--viz-output a.gif", "need --render"),
        ("-d humaneva15 -sun S4", "-sun and -d humaneva15"),
        ("-sun S5 --no-proj --no-bone-length", "-sun, --no-proj and --no-bone-length"),
        ("-d custom", "-d custom: has no ground truth"),
        ("-d kinect", "-d kinect: no such data set"),
        ("-s 8 -b 4", "-s and -b"),
        ("-arc 3,4", "-arc 3,4: expected odd numbers"),
        ("--subset 0", "--subset 0.0"),
        ("-drop 1", "-drop 1.0"),
        ("--precision fp8", "--precision fp8"),
        ("-b 0", "--batch-size 0: expected 1 or more"),
        ("-e 0", "--epochs 0: expected 1 or more"),
    ],
)
def test_contradictions_name_the_flags(line, message):
    with pytest.raises(UsageError, match=message):
        parse(line.split())


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_config_we_ship_is_a_valid_run(path):
    o = parse(["--config", str(path)])
    assert o.epochs >= 80
    assert o != Options()


def test_the_published_recipes_ship():
    published = line("-e 80 -k cpn_ft_h36m_dbb -arc 3,3,3,3,3")
    assert parse(["--config", str(CONFIGS / "h36m-243.toml")]) == published
    published = line(
        "-k gt --subjects-train S1 --subset 0.1 --subjects-unlabeled S5,S6,S7,S8 -e 200 "
        "-lrd 0.98 -arc 3,3,3 --warmup 5 -b 64"
    )
    assert parse(["--config", str(CONFIGS / "h36m-semi-supervised.toml")]) == published
