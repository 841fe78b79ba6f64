"""The command line of training: VideoPose3D's flags with their names, defaults and meanings.

A few of our own follow at the end. Each field of `Options` is a flag; a configuration file names
the same flags by their long names, without the dashes. The command line overrides the file.
"""

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from core.errors import InputError, UsageError
from core.files import read_input
from core.options import Parser, add_flags, option
from train.arguments import filter_widths, refuse_below
from train.datasets.registry import datasets, find_dataset, names_in_words

MAX_CONFIG_BYTES = 1 << 16
_MAX_DOTS = 200


def _flag(short: str, default: Any, metavar: str, text: str) -> Any:
    """An option with a value, whose default is shown in the help unless it means "not given"."""
    shown = text if default in ("", -1) else f"{text} (default: %(default)s)"
    return option(default, shown, short=short, metavar=metavar)


def _switch(short: str, text: str) -> Any:
    """An option that is off unless its flag is given."""
    return option(False, text, short=short)


@dataclass(frozen=True)
class Options:
    """The options of a run; the help of each says what it does."""

    dataset: str = _flag("-d", "h36m", "NAME", f"data set: {names_in_words('or')}")
    keypoints: str = _flag("-k", "cpn_ft_h36m_dbb", "NAME", "2D detections to use")
    subjects_train: str = _flag(
        "-str", "S1,S5,S6,S7,S8", "LIST", "training subjects, separated by comma"
    )
    subjects_test: str = _flag("-ste", "S9,S11", "LIST", "test subjects, separated by comma")
    subjects_unlabeled: str = _flag(
        "-sun", "", "LIST", "subjects to learn from without labels; makes it semi-supervised"
    )
    actions: str = _flag(
        "-a", "*", "LIST", "beginnings of the actions to use, separated by comma, or * for all"
    )
    checkpoint: str = _flag("-c", "checkpoint", "DIR", "where checkpoints lie and go")
    checkpoint_frequency: int = _flag("", 10, "N", "write a checkpoint every N epochs")
    resume: str = _flag(
        "-r", "", "FILE", "checkpoint to go on from, a name in the checkpoint directory"
    )
    evaluate: str = _flag(
        "", "", "FILE", "checkpoint to evaluate, a name in the checkpoint directory"
    )
    render: bool = _switch("", "draw one clip, see --viz-…")
    by_subject: bool = _switch("", "evaluate each test subject for itself")
    export_training_curves: bool = _switch(
        "", "draw the errors of all epochs as PNG into the checkpoint directory"
    )

    stride: int = _flag("-s", 1, "N", "frames that one training example predicts")
    epochs: int = _flag("-e", 60, "N", "passes over the training set")
    batch_size: int = _flag("-b", 1024, "N", "predicted frames in a batch")
    dropout: float = _flag("-drop", 0.25, "P", "share of activations to drop")
    learning_rate: float = _flag("-lr", 0.001, "LR", "learning rate at first")
    lr_decay: float = _flag("-lrd", 0.95, "FACTOR", "factor on the learning rate after each epoch")
    no_data_augmentation: bool = _switch("-no-da", "don't train on mirrored poses")
    no_test_time_augmentation: bool = _switch(
        "-no-tta", "don't average with the mirrored prediction when testing"
    )
    architecture: str = _flag(
        "-arc", "3,3,3", "WIDTHS", "odd filter widths; their product is the receptive field"
    )
    causal: bool = _switch("", "see only the past, for live use")
    channels: int = _flag("-ch", 1024, "N", "hidden channels")

    subset: float = _flag("", 1.0, "FRACTION", "train on a contiguous part of each clip")
    downsample: int = _flag("", 1, "FACTOR", "use every N-th frame of the data set")
    warmup: int = _flag("", 1, "N", "epochs before the unlabelled loss sets in")
    no_eval: bool = _switch("", "don't evaluate after each epoch")
    dense: bool = _switch("", "dense instead of dilated convolutions, an ablation")
    disable_optimizations: bool = _switch(
        "", "train the sequence form of the network also on single frames"
    )
    linear_projection: bool = _switch("", "project unlabelled poses without lens distortion")
    no_bone_length: bool = _switch("", "leave the bone length term out of the unlabelled loss")
    no_proj: bool = _switch("", "leave the projection term out of the unlabelled loss")

    viz_subject: str = _flag("", "", "NAME", "subject to draw")
    viz_action: str = _flag("", "", "NAME", "action to draw")
    viz_camera: int = _flag("", 0, "N", "camera to draw")
    viz_video: str = _flag("", "", "FILE", "the clip's video, to draw the keypoints over")
    viz_skip: int = _flag("", 0, "N", "first frames of the video and the poses to skip")
    viz_output: str = _flag("", "", "FILE", "picture to write, .mp4 or .gif")
    viz_export: str = _flag(
        "",
        "",
        "FILE",
        "joints in camera space to write, .npz, or .npy by default",
    )
    viz_bitrate: int = _flag("", 3000, "KBIT", "bit rate of an .mp4, kbit/s")
    viz_no_ground_truth: bool = _switch("", "don't draw the ground truth")
    viz_limit: int = _flag("", -1, "N", "draw only the first N frames")
    viz_downsample: int = _flag("", 1, "FACTOR", "lower the frame rate by a factor")
    viz_size: int = _flag("", 5, "N", "size of a panel, in 100 pixels")

    data_dir: str = _flag("", "data", "DIR", "where the archives lie")
    report: str = _flag(
        "", "", "FILE", "JSON file for the evaluation; default: in the checkpoint directory"
    )
    seed: int = _flag("", 0, "N", "seed of the network's initial weights and of dropout")
    device: str = _flag("", "auto", "NAME", "auto, cpu, cuda or cuda:N")
    precision: str = _flag(
        "", "auto", "NAME", "auto, fp32 or bf16; auto takes bf16 in training where it is fast"
    )
    compile: bool = _switch("", "let torch compile the network (pays on GPUs)")
    tensorboard: bool = _switch("", "log the errors for TensorBoard into the checkpoint directory")
    debug: bool = _switch("", "show the whole traceback of an error")

    @property
    def filter_widths(self) -> tuple[int, ...]:
        """`architecture` as numbers, for example (3, 3, 3)."""
        return filter_widths("-arc", self.architecture)

    @property
    def semi_supervised(self) -> bool:
        """Whether there are unlabelled subjects to learn from."""
        return bool(self.subjects_unlabeled)

    def names(self, flag: str) -> list[str]:
        """A comma-separated option as a list; `*` and an empty text make an empty one."""
        text = getattr(self, flag)
        return [] if text in ("", "*") else [name.strip() for name in text.split(",")]


def parse(arguments: Sequence[str]) -> Options:
    """The options of a command line.

    Raises:
        UsageError: The configuration file is wrong, or options contradict each other.
        SystemExit: argparse refuses the command line, with status 2.
    """
    parser = Parser("python -m train", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file that sets any of these flags"
    )
    add_flags(parser, fields(Options))
    given = vars(parser.parse_args(arguments))
    config = given.pop("config")
    options = Options(**({} if config is None else read_config(config)) | given)
    refuse_contradictions(options)
    return options


def read_config(path: Path) -> dict[str, Any]:
    """The options that a TOML file sets, by field name.

    Raises:
        UsageError: The file cannot be read, a flag is unknown, or a value has the wrong type.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError("it is too large for a configuration")
        text = read_input(path).decode()
        # tomllib takes memory by the square of a key's parts.
        if max(line.count(".") for line in text.split("\n")) > _MAX_DOTS:
            raise ValueError("a line of it has more dots than any key needs")
        table = tomllib.loads(text)
    except InputError as error:
        raise UsageError(f"--config {error}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"--config {path}: cannot be read ({error})") from error
    known = {entry.name.replace("_", "-"): entry for entry in fields(Options)}
    values = {}
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"--config {path}: there is no flag --{key}")
        entry = known[key]
        if entry.type is float and type(value) is int and abs(value) < sys.maxsize:
            value = float(value)
        if type(value) is not entry.type:
            wanted = getattr(entry.type, "__name__", entry.type)
            raise UsageError(f"--config {path}: {key} must be a {wanted}, got {value!r:.60}")
        values[entry.name] = value
    return values


def refuse_contradictions(options: Options) -> None:
    """Check options against each other and against their ranges.

    Raises:
        UsageError: Some don't go together, or one is out of its range; the message names the flags.
    """
    refuse_below(0, options, "viz_camera", "viz_skip", "warmup")
    refuse_below(1, options, "stride", "epochs", "batch_size", "channels", "downsample",
                 "checkpoint_frequency", "viz_downsample", "viz_size")  # fmt: skip
    for wrong, text in (*_contradictions(options), *_outside_range(options)):
        if wrong:
            raise UsageError(text)


def _contradictions(o: Options) -> list[tuple[Any, str]]:
    """For each rule whether it is broken, and the message that says so."""
    dataset = find_dataset(o.dataset)
    with_lenses = ", ".join(
        name for known in datasets() if known.has_lenses for name in known.names
    )
    return [
        (
            o.resume and o.evaluate,
            "--resume and --evaluate: a run either goes on training or evaluates",
        ),
        (
            o.export_training_curves and o.no_eval,
            "--export-training-curves and --no-eval: there would be no curves",
        ),
        (o.render and not o.evaluate, "--render: needs --evaluate, the checkpoint to draw with"),
        (
            o.render and not (o.viz_subject and o.viz_action),
            "--render: needs --viz-subject and --viz-action",
        ),
        (
            o.render and not (o.viz_output or o.viz_export),
            "--render: needs --viz-output or --viz-export",
        ),
        (
            not o.render and (o.viz_output or o.viz_export),
            "--viz-output and --viz-export: need --render",
        ),
        (
            o.semi_supervised and not dataset.has_lenses,
            f"-sun and -d {o.dataset}: only {with_lenses}'s lenses are known",
        ),
        (
            o.semi_supervised and o.no_proj and o.no_bone_length,
            "-sun, --no-proj and --no-bone-length: nothing would be learnt from unlabelled "
            "subjects",
        ),
        (
            not dataset.has_ground_truth and not o.render,
            f"-d {o.dataset}: has no ground truth to train or evaluate on, "
            "add --evaluate and --render",
        ),
        (o.stride > o.batch_size, "-s and -b: the stride is larger than the batch"),
    ]


def _outside_range(o: Options) -> list[tuple[Any, str]]:
    """For each option with a range of its own whether it is outside, and the message."""
    return [
        (not o.filter_widths, "-arc: expected filter widths"),
        (
            o.viz_output and Path(o.viz_output).suffix.lower() not in (".mp4", ".gif"),
            f"--viz-output {o.viz_output}: expected .mp4 or .gif",
        ),
        (
            o.precision not in ("auto", "fp32", "bf16"),
            f"--precision {o.precision}: expected auto, fp32 or bf16",
        ),
        (not 0 < o.subset <= 1, f"--subset {o.subset}: expected a fraction above 0 and up to 1"),
        (not 0 <= o.dropout < 1, f"-drop {o.dropout}: expected a probability from 0 to below 1"),
        (o.learning_rate <= 0, f"-lr {o.learning_rate}: expected a positive number"),
        (not 0 < o.lr_decay <= 1, f"-lrd {o.lr_decay}: expected a factor above 0 and up to 1"),
    ]
