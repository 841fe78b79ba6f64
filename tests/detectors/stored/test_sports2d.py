from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from detectors.stored.formats import read_stored
from testkit.stored.sports2d import sports2d_markers
from tests.detectors.stored.scenes import FRAMES, SIZE, detect, info, replay, scene


def test_a_folder_of_results_gives_the_people_in_pixels(tmp_path: Path) -> None:
    folder = sports2d_markers(tmp_path, scene(), SIZE)
    (folder / "clip_Sports2D_angles_person00.mot").write_text("Coordinates\n")
    stored = read_stored(folder, "clip")
    assert (stored.made_by, stored.frames) == ("Sports2D", FRAMES)
    assert stored.numbers.tolist() == sorted([*range(FRAMES)] * 2)
    detector = replay(folder)
    assert len(detect(detector, 2)) == 2
    assert detector.warnings(info()) == ()


def test_one_file_is_one_person(tmp_path: Path) -> None:
    folder = sports2d_markers(tmp_path, scene(), SIZE)
    found = detect(replay(folder / "clip_Sports2D_px_person01.trc"), 2)
    np.testing.assert_allclose(found.keypoints_xy[0, 5:9], scene()[2][1][5:9, :2], atol=1e-3)


def test_frames_are_those_of_the_video_where_a_part_was_analysed(tmp_path: Path) -> None:
    folder = sports2d_markers(tmp_path, scene(), SIZE, first_frame=40, fps=29.97)
    assert set(read_stored(folder, "clip").numbers) == set(range(40, 40 + FRAMES))


def test_files_in_metres_are_refused(tmp_path: Path) -> None:
    folder = sports2d_markers(tmp_path, scene(), SIZE)
    with pytest.raises(InputError, match=r"_m_person00\.trc: not as Sports2D .* in metres"):
        replay(folder / "clip_Sports2D_m_person00.trc")
    path = folder / "clip_Sports2D_px_person00.trc"
    path.write_text(path.read_text().replace("\t0.0\t", "\t7.0\t"))
    with pytest.raises(InputError, match="markers are in 3D"):
        replay(path)


def test_files_of_several_videos_give_those_of_the_one_by_name(tmp_path: Path) -> None:
    folder = sports2d_markers(tmp_path, scene(), SIZE)
    for file in sports2d_markers(tmp_path, scene()[:2], SIZE, "other_Sports2D").iterdir():
        file.rename(folder / file.name)
    assert read_stored(folder, "clip").frames == FRAMES
    assert read_stored(folder, "other").frames == 2
    with pytest.raises(InputError, match="clip_Sports2D, other_Sports2D, and which is third"):
        read_stored(folder, "third")


@pytest.mark.parametrize("lines", [2, 4])
def test_a_file_that_was_cut_is_one_line(tmp_path: Path, lines: int) -> None:
    path = sports2d_markers(tmp_path, scene(), SIZE) / "clip_Sports2D_px_person00.trc"
    path.write_text("\n".join(path.read_text().splitlines()[:lines]))
    if lines == 4:
        assert len(detect(replay(path), 0)) == 0
        return
    with pytest.raises(InputError, match="not as Sports2D writes it"):
        replay(path)
