"""Human3.6M's archives.

The 3D archive is made of the original CDF files, MATLAB's copies of them, or the HDF5 files of
3d-pose-baseline; the 2D archives are its projections, or the detections of other programs.
"""

import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np
import scipy.io

from core.camera import project_distorted, world_to_camera
from core.errors import InputError
from core.files import open_input
from core.types import Array, Floats
from lifter.normalize import pixels_from_screen
from train.cameras import Camera, published_cameras
from train.datasets.h36m import KEPT_JOINTS
from train.layouts import keypoint_metadata, layout_name
from train.prepare.base import Command, name_flag
from train.prepare.files import (
    Views,
    detector_kind,
    find_files,
    optional_module,
    read_detections,
    reading,
    write_new,
)

SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
_RECORDINGS = 30  # of each subject
MAX_UNPACKED_BYTES, MAX_MEMBERS = 16 << 30, 100_000
"""Of an archive: several times those that are published."""


def read_cdf(path: Path) -> Array:
    """(T, 32, 3) mm from an original file."""
    cdflib = optional_module("cdflib")
    with reading(path):
        return np.asarray(cdflib.CDF(path)["Pose"]).reshape(-1, 32, 3)


def read_mat(path: Path) -> Array:
    """(T, 32, 3) mm from a file that MATLAB's cdfread made of it."""
    with reading(path):
        return np.asarray(scipy.io.loadmat(path)["data"][0, 0]).reshape(-1, 32, 3)


def read_h5(path: Path) -> Array:
    """(T, 32, 3) mm from 3d-pose-baseline, whose arrays are (96, T)."""
    h5py = optional_module("h5py")
    with reading(path), h5py.File(path) as file:
        return np.asarray(file["3D_positions"]).reshape(32, 3, -1).transpose(2, 0, 1)


def prepare_cdf(source: Path, data_dir: Path, overwrite: bool) -> None:
    """From a folder with `S1/MyPoseFeatures/D3_Positions/*.cdf` and so on."""
    _prepare(source, "MyPoseFeatures/D3_Positions/*.cdf", ".cdf", read_cdf, data_dir, overwrite)


def prepare_mat(source: Path, data_dir: Path, overwrite: bool) -> None:
    """From a folder with `S1/MyPoseFeatures/D3_Positions/*.cdf.mat` and so on."""
    _prepare(
        source, "MyPoseFeatures/D3_Positions/*.cdf.mat", ".cdf.mat", read_mat, data_dir, overwrite
    )


def prepare_h5(source: Path, data_dir: Path, overwrite: bool) -> None:
    """From `h36m.zip`, or the folder in it, with `S1/MyPoses/3D_positions/*.h5` and so on."""
    with unpacked(source) as folder:
        root = folder / "h36m" if (folder / "h36m").is_dir() else folder
        _prepare(root, "MyPoses/3D_positions/*.h5", ".h5", read_h5, data_dir, overwrite)


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """Unpack a zip or tar archive into a temporary folder.

    Args:
        source: The archive, or a folder, which is used as it is.

    Yields:
        The folder; a temporary one is deleted afterwards.

    Raises:
        InputError: `source` is neither.
    """
    if source.is_dir():
        yield source
        return
    with TemporaryDirectory() as folder:
        try:
            with open_input(source) as file:
                _unpack(file, Path(folder))
        except InputError:
            raise
        except Exception as error:  # damaged archives raise anything
            raise InputError(f"{source}: neither a folder nor an archive ({error})") from error
        yield Path(folder)


def _unpack(file: BinaryIO, folder: Path) -> None:
    """Unpack an archive, of whose members the sizes are known first; `ValueError` for too many."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            _check_total(member.file_size for member in archive.infolist())
            archive.extractall(folder)
    else:
        file.seek(0)
        with tarfile.open(fileobj=file) as tapes:
            _check_total(member.size for member in tapes)
            tapes.extractall(folder, filter="data")


def _check_total(sizes: Iterable[int]) -> None:
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > MAX_UNPACKED_BYTES or count >= MAX_MEMBERS:
            raise ValueError(
                f"unpacks to more than {MAX_UNPACKED_BYTES >> 30} GiB or {MAX_MEMBERS:,} files"
            )


def _prepare(
    folder: Path,
    pattern: str,
    suffix: str,
    read: Callable[[Path], Array],
    data_dir: Path,
    overwrite: bool,
) -> None:
    """Write the 3D archive and the 2D archive `gt` of its projections into all cameras."""
    positions: dict[str, dict[str, Floats]] = {}
    for subject in SUBJECTS:
        if not (folder / subject).is_dir():
            print(f"{subject}: not there")
            continue
        files = find_files(folder / subject, pattern)
        if len(files) != _RECORDINGS:
            print(f"{subject}: {len(files)} recordings, complete would be {_RECORDINGS}")
        positions[subject] = {
            action: (read(path) / 1000).astype(np.float32)
            for path in files
            if (action := action_name(subject, path.name.removesuffix(suffix))) is not None
        }
    if not positions:
        raise InputError(f"{folder}: holds none of the folders {', '.join(SUBJECTS)}")
    write_new(data_dir / "data_3d_h36m.npz", overwrite, positions_3d=positions)
    cameras = published_cameras("h36m")
    ground_truth = {
        subject: {
            action: [_pixels(joints[:, KEPT_JOINTS], camera) for camera in cameras[subject]]
            for action, joints in actions.items()
        }
        for subject, actions in positions.items()
    }
    write_new(
        data_dir / "data_2d_h36m_gt.npz",
        overwrite,
        positions_2d=ground_truth,
        metadata=keypoint_metadata("h36m"),
    )


def action_name(subject: str, name: str) -> str | None:
    """A recording's name as the archives spell it; None for the one that is damaged."""
    if (subject, name) == ("S11", "Directions"):
        return None
    return name.replace("_", " ").replace("TakingPhoto", "Photo").replace("WalkingDog", "WalkDog")


def _pixels(joints_m: Floats, camera: Camera) -> Floats:
    """World joints (T, J, 3) → (T, J, 2) px of a camera."""
    assert camera.lens is not None
    in_camera = world_to_camera(joints_m, camera.orientation, camera.translation)
    screen = project_distorted(in_camera[None], camera.lens[None])[0]
    return np.asarray(pixels_from_screen(screen, camera.width, camera.height), np.float32)


def prepare_2d(source: Path, name: str, data_dir: Path, overwrite: bool) -> None:
    """Make an archive of 2D detections.

    Args:
        source: The folder or archive of the detections: `S1/Walking.54138969.mp4.npz` and so on of
            CPN or Detectron, or stacked hourglass as Martinez et al. distribute it, with
            `S1/StackedHourglass*/Walking_1.54138969.h5` at any depth.
        name: The name of the detections, which says the program that made them.
        data_dir: The folder of the archive.
        overwrite: Whether an archive of that name may be replaced.

    Raises:
        UsageError: The name doesn't say the program, or the archive may not be replaced.
        InputError: There are no detections, one cannot be used, or a camera is missing.
    """
    kind = detector_kind(name)
    pattern = "**/S*/StackedHourglass*/*.h5" if kind == "sh" else "**/S*/*.mp4.npz"
    numbers = {camera.name: view for view, camera in enumerate(published_cameras("h36m")[""])}
    views = Views(len(numbers))
    with unpacked(source) as folder:
        for path in find_files(folder, pattern):
            subject = path.parents[1].name if kind == "sh" else path.parent.name
            match = re.fullmatch(r"(.+)\.(\d+)(\.mp4\.npz|\.h5)", path.name)
            if match is None or match[2] not in numbers or "_ALL" in path.name:
                continue
            action = action_name(subject, match[1] if kind != "sh" else match[1].replace("_", " "))
            if action is not None:
                views.add(subject, action, numbers[match[2]], read_detections(path, kind))
    write_new(
        data_dir / f"data_2d_h36m_{name}.npz",
        overwrite,
        positions_2d=views.complete(),
        metadata=keypoint_metadata(layout_name(name)),
    )


COMMANDS = (
    Command("h36m-cdf", prepare_cdf, "Human3.6M: folder with S1/MyPoseFeatures/D3_Positions/*.cdf"),
    Command(
        "h36m-mat", prepare_mat, "Human3.6M: folder with S1/MyPoseFeatures/D3_Positions/*.cdf.mat"
    ),
    Command(
        "h36m-h5",
        prepare_h5,
        "Human3.6M: h36m.zip, or folder with S1/MyPoses/3D_positions/*.h5",
    ),
    Command(
        "2d-h36m",
        prepare_2d,
        "detections: folder with S1/*.CAMERA.mp4.npz (CPN, Detectron), or a stacked hourglass "
        "archive",
        name_flag,
    ),
)
