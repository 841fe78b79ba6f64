"""Files of known cameras, as the programs that make them write them."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InputError
from core.types import Floats, Intrinsics
from pipeline.multiview.calibration_files.pose2sim_toml import write
from pipeline.multiview.calibration_files.read import read_cameras
from pipeline.multiview.scene import Camera

SIZE = (1920, 1080)
MATRIX = np.array([[1500.0, 0, 950], [0, 1510, 540], [0, 0, 1]])
DISTORTION = np.array([-0.1, 0.02, 0.001, -0.002])
VECTORS = (np.array([1.2, -0.3, 0.5]), np.array([0.4, 1.1, -0.7]))
TRANSLATIONS = (np.array([0.2, 0.9, 3.1]), np.array([-0.4, 0.8, 4.0]))
NAMES = ("left", "right")


def rotation(number: int) -> Floats:
    return np.asarray(cv2.Rodrigues(VECTORS[number])[0])


def read(path: Path, names: Sequence[str] = NAMES, size: tuple[int, int] = SIZE) -> list[Camera]:
    return read_cameras(path, names, [size] * len(names))


def check(cameras: Sequence[Camera]) -> None:
    """Both cameras are those of the constants."""
    for number, camera in enumerate(cameras):
        lens = camera.intrinsics
        assert (lens.fx, lens.fy, lens.cx, lens.cy, lens.source) == (1500, 1510, 950, 540, "given")
        assert camera.size == SIZE
        np.testing.assert_allclose(camera.rotation, rotation(number), atol=1e-9)
        np.testing.assert_allclose(camera.translation, TRANSLATIONS[number], atol=1e-9)
        np.testing.assert_allclose(camera.distortion, DISTORTION, atol=1e-9)


def toml(path: Path, unit: float = 1.0, names: Sequence[str] = NAMES) -> Path:
    """As Pose2Sim and Anipose write it."""
    tables = [
        f'[cam_{number}]\nname = "{name}"\nsize = [1920, 1080]\nmatrix = {MATRIX.tolist()}\n'
        f"distortions = {DISTORTION.tolist()}\nrotation = {VECTORS[number].tolist()}\n"
        f"translation = {(TRANSLATIONS[number] * unit).tolist()}\nfisheye = false\n"
        for number, name in enumerate(names)
    ]
    path.write_text("\n".join([*tables, "[metadata]\nadjusted = false\nerror = 0.3\n"]))
    return path


def test_pose2sim_in_metres_and_anipose_in_millimetres(tmp_path: Path) -> None:
    check(read(toml(tmp_path / "a.toml")))
    check(read(toml(tmp_path / "b.toml", unit=1000)))


def test_a_camera_is_known_by_its_name(tmp_path: Path) -> None:
    path = toml(tmp_path / "a.toml")
    swapped = read(path, ("right", "left"))
    np.testing.assert_allclose(swapped[0].translation, TRANSLATIONS[1])
    check(read(path, ("x", "y")))  # other names: the file's order
    np.testing.assert_allclose(read(path, ("right",))[0].translation, TRANSLATIONS[1])
    with pytest.raises(InputError, match="its cameras are left, right, and which of them filmed x"):
        read(path, ("x",))
    with pytest.raises(InputError, match="has 2 cameras for 3 views"):
        read(path, ("left", "right", "third"))


def test_pictures_of_another_size_have_the_same_lens(tmp_path: Path) -> None:
    camera = read(toml(tmp_path / "a.toml"), size=(960, 540))[0]
    assert (camera.intrinsics.fx, camera.intrinsics.cy, camera.size) == (750, 270, (960, 540))
    with pytest.raises(InputError, match="left has pictures of 1920 × 1080 px, its view of 1080"):
        read(tmp_path / "a.toml", size=(1080, 1920))


def test_what_opencv_writes_in_one_file_a_camera(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        file = cv2.FileStorage(str(tmp_path / f"{name}.yml"), cv2.FILE_STORAGE_WRITE)
        file.write("image_width", 1920)
        file.write("image_height", 1080)
        file.write(f"K_{name}", MATRIX)
        file.write(f"dist_{name}", DISTORTION[None])
        file.write(f"R_{name}", VECTORS[number])
        file.write(f"T_{name}", TRANSLATIONS[number][:, None])
        file.release()
    check(read(tmp_path))


def test_what_opencv_writes_of_a_stereo_pair(tmp_path: Path) -> None:
    path = tmp_path / "pair.yml"
    file = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name in ("M1", "M2"):
        file.write(name, MATRIX)
    for name in ("D1", "D2"):
        file.write(name, DISTORTION)
    file.write("R", rotation(1))
    file.write("T", TRANSLATIONS[1])
    file.release()
    first, second = read(path)
    np.testing.assert_array_equal(first.rotation, np.eye(3))
    np.testing.assert_allclose(second.rotation, rotation(1))
    np.testing.assert_allclose(second.translation, TRANSLATIONS[1])
    assert second.size == SIZE  # the view's: the file does not say


def test_qualisys(tmp_path: Path) -> None:
    """Millimetres, 1/64 px, camera axes with y up and z backward."""
    elements = []
    for number, name in enumerate(NAMES):
        position = -rotation(number).T @ TRANSLATIONS[number] * 1000
        axes = np.diag([1, -1, -1]) @ rotation(number)
        places = " ".join(
            f'r{i + 1}{j + 1}="{float(axes[i, j])!r}"' for i in range(3) for j in range(3)
        )
        where = " ".join(
            f'{axis}="{float(value)!r}"' for axis, value in zip("xyz", position, strict=True)
        )
        lens = {
            "focalLengthU": 1500 * 64, "focalLengthV": 1510 * 64, "centerPointU": 950 * 64,
            "centerPointV": 540 * 64, "radialDistortion1": -0.1 * 64,
            "radialDistortion2": 0.02 * 64, "tangentalDistortion1": 0.001 * 64,
            "tangentalDistortion2": -0.002 * 64,
        }  # fmt: skip
        words = " ".join(f'{key}="{value}"' for key, value in lens.items())
        elements.append(
            f'<camera serial="{name}" model="none" avg-residual="0.4">'
            '<fov_video left="0" top="0" right="1919" bottom="1079"/>'
            f"<transform {where} {places}/><intrinsic {words}/></camera>"
        )
    path = tmp_path / "room.qca.txt"
    path.write_text(f"<?xml version='1.0'?><calibration><cameras>{''.join(elements)}</cameras>"
                    "</calibration>")  # fmt: skip
    check(read(path))


def test_a_fifth_coefficient_goes_into_the_four(tmp_path: Path) -> None:
    path = toml(tmp_path / "a.toml")
    five = [*DISTORTION.tolist(), 0.05]
    path.write_text(path.read_text().replace(str(DISTORTION.tolist()), str(five)))
    camera = read(path)[0]
    r = np.linspace(0, 0.72, 30)  # as far as the picture reaches
    k1, k2 = camera.distortion[:2]
    wanted = r * (1 - 0.1 * r**2 + 0.02 * r**4 + 0.05 * r**6)
    assert np.abs(r * (1 + k1 * r**2 + k2 * r**4) - wanted).max() * 1500 < 0.5  # px


def test_what_is_written_is_read_again_and_is_pose2sims_form(tmp_path: Path) -> None:
    lens = Intrinsics(1500, 1510, 950, 540, "estimated")
    cameras = [
        Camera(name, SIZE, lens, rotation(number), TRANSLATIONS[number], DISTORTION)
        for number, name in enumerate(NAMES)
    ]
    write(tmp_path / "calibration.toml", cameras)
    check(read(tmp_path / "calibration.toml"))
    table = tomllib.loads((tmp_path / "calibration.toml").read_text())
    assert list(table) == ["cam_01", "cam_02", "metadata"]
    np.testing.assert_allclose(table["cam_02"]["rotation"], VECTORS[1])
    assert table["cam_01"]["fisheye"] is False


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "[a]\nmatrix = 3", "[a]\nmatrix = [[1,2],[3,4]]", "<a/>", "<a",
        "%YAML:1.0\nK_a: !!opencv-matrix\n rows: 9\n cols: 3\n dt: d\n data: [1, 2]",
        "%YAML:1.0\nK_a: !!opencv-matrix\n rows: 1\n cols: 2\n dt: d\n data: [1, x]",
        "a" + "." * 5000 + "b = 1",
    ],
)  # fmt: skip
def test_other_files_are_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cameras.toml"
    path.write_text(text)
    for name in ("cameras.toml", "cameras.xml", "cameras.yml"):
        with pytest.raises(InputError, match=f"^{path.parent / name}: ") as raised:
            read(path.rename(path.with_name(name)))
        path = path.with_name(name)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fisheye = false", "fisheye = true"),
        ("1500.0", "nan"),
        ("1500.0", "-3.0"),
        ("[0.2, 0.9, 3.1]", "[inf, 0.9, 3.1]"),
        ("[1.2, -0.3, 0.5]", "[1.2, -0.3]"),
    ],
)
def test_cameras_that_cannot_be_are_refused(tmp_path: Path, old: str, new: str) -> None:
    path = toml(tmp_path / "a.toml")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match="cameras cannot be read"):
        read(path)
