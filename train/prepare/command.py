"""`python -m train prepare …`: bring data sets into the archives that training reads."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from train.prepare import custom, h36m, humaneva


def main(arguments: Sequence[str]) -> int:
    """Run one preparation; returns the exit status."""
    options = _parser().parse_args(arguments)
    source, data_dir, overwrite = options.source, options.data_dir, options.overwrite
    match options.command:
        case "h36m-cdf":
            h36m.prepare_cdf(source, data_dir, overwrite)
        case "h36m-mat":
            h36m.prepare_mat(source, data_dir, overwrite)
        case "h36m-h5":
            h36m.prepare_h5(source, data_dir, overwrite)
        case "humaneva":
            humaneva.prepare_3d(source, data_dir, overwrite)
        case "2d-h36m":
            h36m.prepare_2d(source, options.name, data_dir, overwrite)
        case "2d-humaneva":
            humaneva.prepare_2d(source, options.converted, options.name, data_dir, overwrite)
        case "2d-custom":
            custom.prepare_detectron(source, options.name, data_dir, overwrite)
        case "poses":
            custom.prepare_poses(source, options.name, data_dir, overwrite)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m train prepare", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "h36m-cdf": "Human3.6M: folder with S1/MyPoseFeatures/D3_Positions/*.cdf",
        "h36m-mat": "Human3.6M: folder with S1/MyPoseFeatures/D3_Positions/*.cdf.mat",
        "h36m-h5": "Human3.6M: h36m.zip, or folder with S1/MyPoses/3D_positions/*.h5",
        "humaneva": "HumanEva-I: folder with Train/S1/*.mat",
        "2d-h36m": "detections: folder with S1/*.CAMERA.mp4.npz (CPN, Detectron), or a stacked hourglass archive",
        "2d-humaneva": "detections: folder with S1/*_(C1).avi.npz",
        "2d-custom": "detections: folder of VideoPose3D's infer_video dumps",
        "poses": "this project's poses.npz files, or folders of them",
    }.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "source", type=Path, nargs="+" if name == "poses" else None, metavar="SOURCE"
        )
        command.add_argument(
            "--data-dir", type=Path, default=Path("data"), metavar="DIR", help="where archives go"
        )
        command.add_argument(
            "--overwrite", action="store_true", help="replace archives that are there"
        )
        command.add_argument(
            "--debug", action="store_true", help="show the whole traceback of an error"
        )
        if name.startswith("2d-") or name == "poses":
            text = "the detections' name, for -k; for 2d-h36m and 2d-humaneva it tells their program: cpn, detectron or sh"
            command.add_argument("--name", required=True, metavar="NAME", help=text)
        if name == "2d-humaneva":
            text = "the folder that `prepare humaneva` read"
            command.add_argument("--converted", type=Path, required=True, metavar="DIR", help=text)
    return parser
