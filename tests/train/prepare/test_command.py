import os
import re
import resource
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from train.__main__ import main
from train.prepare import command as prepare
from train.prepare import h36m


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (["h36m-cdf", "nowhere"], "nowhere: holds none of the folders S1"),
        (["2d-h36m", "nowhere", "--name", "cpn_x"], "nowhere: neither a folder nor an archive"),
        (["poses", "nowhere.npz", "--name", "x"], "nowhere.npz: no such file"),
    ],
)
def test_what_is_missing_is_said(tmp_path, monkeypatch, capsys, line, text):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *line]) == 1
    assert text in capsys.readouterr().err


def _write_tar(path: Path, size: int) -> None:
    """An archive that claims a member of so many bytes and holds none of them."""
    info = tarfile.TarInfo("S1/Walking.54138969.mp4.npz")
    info.size = size
    path.write_bytes(info.tobuf())


def _write_zip(path: Path, size: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("S1/a.h5", b"")
    data, at = bytearray(path.read_bytes()), path.read_bytes().rindex(b"PK\1\2") + 24
    data[at : at + 4] = min(size, 0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(data)


@pytest.mark.parametrize("write", [_write_tar, _write_zip])
def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(write, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(h36m, "MAX_UNPACKED_BYTES", 1 << 30)
    write(tmp_path / "bomb", 2 << 30)
    assert main(["prepare", "2d-h36m", str(tmp_path / "bomb"), "--name", "cpn_x"]) == 1
    assert "unpacks to more than 1 GiB" in capsys.readouterr().err


def test_members_do_not_leave_the_folder(tmp_path, capsys):
    with tarfile.open(tmp_path / "up.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("../../outside"))
    assert main(["prepare", "2d-h36m", str(tmp_path / "up.tar"), "--name", "cpn_x"]) == 1
    assert "outside the destination" in capsys.readouterr().err
    assert not list(tmp_path.parent.rglob("outside"))


RAW = {
    "h36m-cdf": "S1/MyPoseFeatures/D3_Positions/Walking.cdf",
    "h36m-mat": "S1/MyPoseFeatures/D3_Positions/Walking.cdf.mat",
    "h36m-h5": "S1/MyPoses/3D_positions/Walking.h5",
    "humaneva": "Train/S1/Walking_1.mat",
}


@pytest.mark.parametrize("command", RAW)
@pytest.mark.parametrize("content", ["noise", "pipe", "bomb"])
def test_a_raw_file_that_cannot_be_read_is_one_line(
    command, content, tmp_path, monkeypatch, capsys
):
    if command in ("h36m-cdf", "h36m-h5"):
        pytest.importorskip({"h36m-cdf": "cdflib", "h36m-h5": "h5py"}[command])
    path = tmp_path / RAW[command]
    path.parent.mkdir(parents=True)
    if content == "pipe":
        os.mkfifo(path)
    elif content == "bomb" and path.suffix == ".mat":
        name = "poses_3d" if command == "humaneva" else "data"
        scipy.io.savemat(path, {name: np.zeros((1 << 21, 8))}, do_compression=True)
        # so much that a copy of it, and a list of it, are more than is allowed
        monkeypatch.setattr(prepare, "MAX_MEMORY_BYTES", _used_bytes() + (64 << 20))
    elif content == "bomb":
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 8)
    else:
        path.write_bytes(np.random.default_rng(0).bytes(3000))
    assert main(["prepare", command, str(tmp_path), "--data-dir", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}: ")
    assert said.count("\n") == 1
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY


def _used_bytes() -> int:
    """What counts to the limit by now."""
    data = re.search(r"VmData:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(data[1]) << 10
