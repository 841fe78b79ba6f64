"""Stored keypoints that cannot be used, or are odd: refused or told, with the reason."""

import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from detectors.stored import formats
from testkit.stored.alphapose import alphapose
from testkit.stored.coco import coco_results
from testkit.stored.common import write
from testkit.stored.formats import FORMATS, Format
from testkit.stored.openpose import openpose
from testkit.stored.ours import our_poses
from testkit.stored.videopose3d import videopose3d_custom
from tests.detectors.stored.scenes import FRAMES, SIZE, detect, info, replay, scene


def people_of(*keypoints: list[object]) -> str:
    """COCO's results."""
    return json.dumps([{"image_id": 1, "keypoints": one} for one in keypoints])


def pictures_called(*names: str) -> str:
    """AlphaPose's results."""
    return json.dumps([{"image_id": name, "keypoints": [9.0] * 51} for name in names])


DEMO_3D = {"keypoints": [[1, 2, 3]], "keypoint_scores": [1]}
CAT = {
    "annotations": [{"image_id": 1, "category_id": 3, "keypoints": [9, 9, 2]}],
    "images": [],
    "categories": [{"id": 3, "name": "cat", "keypoints": ["tail"]}],
}
BAD = {
    "text": ("walking, frame 12", "neither JSON nor an .npz archive"),
    "deep": ("[" * 100_000, "neither JSON nor an .npz archive"),
    "other": ('{"a": 1}', "is JSON, but not that of poses.npz, VideoPose3D, COCO"),
    "words": (people_of(["x", "y", "z"]), "not as COCO writes it: could not convert"),
    "ragged": (people_of([1.0] * 51, [1.0] * 78), "people of 51 and of 78"),
    "pairs": (people_of([5, 6, 1, 7]), "people of 4 numbers, where each has x, y, score"),
    "unnumbered": (
        pictures_called("a.jpg", "b.jpg"),
        "not as AlphaPose writes it: no frame number in the name 'a.jpg'",
    ),
    "twice": (
        pictures_called("a1.jpg", "b1.jpg"),
        "'a1.jpg' and 'b1.jpg' bear the same frame number",
    ),
    "without": (
        '{"people": [{"face": []}]}',
        "not as OpenPose writes it: 'pose_keypoints' is missing",
    ),
    "3D": (
        json.dumps({"instance_info": [{"frame_id": 1, "instances": [DEMO_3D]}]}),
        "3D cannot be lifted again",
    ),
    "huge number": (
        '[{"image_id": 99999999999999999999, "keypoints": [9, 9, 1]}]',
        "not as COCO writes it",
    ),
    "parts": (people_of([0.5, 0.5, 1] * 17), "parts of the picture, not pixels"),
    "animal": (json.dumps(CAT), "no left_shoulder among"),
}


@pytest.mark.parametrize(("text", "reason"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    text: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        replay(path, "coco_17" if "parts" in reason else None)
    assert str(caught.value).startswith(f"{path}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        replay(tmp_path / "gone")
    with pytest.raises(InputError, match=r"holds no \*\.json"):
        replay(tmp_path)
    folder = openpose(tmp_path, scene(), SIZE)
    write(folder / "zz_settings.json", {"net": "BODY_25"})
    with pytest.raises(
        InputError,
        match=r"zz_settings\.json is not a frame of OpenPose as clip_000000000000_keypoints",
    ):
        replay(folder, "body_25")


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", weights=np.zeros(3))
    with pytest.raises(InputError, match=r"holds weights, which is not poses\.npz"):
        replay(tmp_path / "a.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:60])
    with pytest.raises(InputError, match=r"not a readable \.npz archive"):
        replay(tmp_path / "cut.npz")


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, folder = (
        coco_results(tmp_path, scene(), SIZE),
        openpose(tmp_path, scene(), SIZE),
    )
    np.savez_compressed(tmp_path / "bomb.npz", positions_2d=np.zeros(1 << 18), metadata=np.zeros(1))
    monkeypatch.setattr(formats, "MAX_BYTES", 1 << 12)
    for path in (file, folder):
        with pytest.raises(
            InputError, match="is more than the 0 MiB that keypoints are read up to"
        ):
            replay(path, "coco_17")
    with pytest.raises(InputError, match=r"bomb\.npz: unpacks to more than"):
        replay(tmp_path / "bomb.npz")


@pytest.mark.parametrize(
    "entry",
    ["[]", "[1]", "{}", '{"a": 1}', "300", "1.5", '"ab"', '"\U0001f600"', r'"\ud83d\ude00ab"'],
)
def test_values_take_no_more_memory_than_is_reckoned_with(entry: str) -> None:
    text = f"[{','.join([entry] * 20_000)}]".encode()
    tracemalloc.start()
    content = json.loads(text)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(content) == 20_000
    assert taken < formats.values_memory(text) + 4 * len(text)


def test_json_of_empty_lists_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json"
    path.write_text(f"[{'[],' * 6_000_000}1]")
    with pytest.raises(InputError, match="its JSON would take more than 768 MiB of memory"):
        replay(path)


def test_a_folder_of_json_is_reckoned_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = openpose(tmp_path, scene(), SIZE)
    largest = max(formats.values_memory(file.read_bytes()) for file in folder.iterdir())
    monkeypatch.setattr(formats, "MAX_MEMORY", 3 * largest)
    with pytest.raises(InputError, match="its JSON would take more"):
        replay(folder)


def test_metadata_of_any_length_is_not_parsed(tmp_path: Path) -> None:
    path = our_poses(tmp_path, scene(), SIZE)
    with np.load(path) as poses:
        arrays = dict(poses)
    np.savez_compressed(path, **{**arrays, "metadata_json": f"[{'[],' * 6_000_000}1]"})
    with pytest.raises(InputError, match="metadata_json of 18000003 characters"):
        replay(path)


def test_keypoints_made_for_another_size_are_refused(tmp_path: Path) -> None:
    detector = replay(our_poses(tmp_path, scene(), SIZE))
    with pytest.raises(InputError, match="made for frames of 640 × 360 px, these are 1280 × 720"):
        detect(detector, 0, (1280, 720))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match=r"pipe\.json: neither a file nor a folder"):
        replay(tmp_path / "pipe.json")


@pytest.mark.parametrize("stored", FORMATS.values(), ids=FORMATS)
def test_of_a_files_own_video_there_is_nothing_to_say(stored: Format, tmp_path: Path) -> None:
    path = stored.write(tmp_path, scene(), SIZE)
    assert replay(path, stored.skeleton).warnings(info()) == ()


@pytest.mark.parametrize(
    ("written", "taken_for"),
    [
        ("body_25", "body_25b"),
        ("body_25b", "body_25"),
        ("coco_17", "h36m_17"),
        ("h36m_17", "coco_17"),
    ],
)
def test_the_wrong_skeleton_is_said(written: str, taken_for: str, tmp_path: Path) -> None:
    path = openpose(tmp_path, scene(), SIZE, written)
    (warning,) = replay(path, taken_for).warnings(info())
    told = f"misshapen as {taken_for} and not as {written}: try --keypoints-skeleton {written}"
    assert warning == f"{path}: people are {told}"
    assert replay(path, written).warnings(info()) == ()


def test_mixed_up_joints_are_said_where_the_file_names_them(tmp_path: Path) -> None:
    order = np.roll(np.arange(17), 8)
    people = [[person[order] for person in frame] for frame in scene()]
    (warning,) = replay(our_poses(tmp_path, people, SIZE)).warnings(info())
    assert "people's limbs have no human proportions" in warning


@pytest.mark.parametrize(
    "name", ["COCO results", "OpenPose BODY_25", "MMPose demo", "Sports2D markers"]
)
def test_keypoints_longer_than_the_video_are_said(name: str, tmp_path: Path) -> None:
    stored = FORMATS[name]
    detector = replay(stored.write(tmp_path, scene(), SIZE), stored.skeleton)
    (warning,) = detector.warnings(info(FRAMES - 3))
    assert f"has keypoints for {FRAMES} frames, and the video has {FRAMES - 3}" in warning
    assert detector.warnings(info(FRAMES - 1)) == (), "programs count differently by one"
    assert detector.warnings(info(None)) == ()


def test_keypoints_that_end_before_the_video_are_said_where_that_is_known(tmp_path: Path) -> None:
    known = replay(videopose3d_custom(tmp_path, scene(), SIZE))
    assert "ends after 6 of the video's 12 frames" in known.warnings(info(12))[0]
    people_only = replay(coco_results(tmp_path, scene(), SIZE), "coco_17")
    assert people_only.warnings(info(12)) == (), "they may have left the picture"


def test_keypoints_of_other_pictures_are_said(tmp_path: Path) -> None:
    path = alphapose(tmp_path, scene(), SIZE)
    assert replay(path, "coco_17", numbers=[2, 4, 90]).warnings(info(3)) == ()
    (warning,) = replay(path, "coco_17", numbers=[100, 101]).warnings(info(2))
    assert "none of the numbers in its pictures' names is one of the clip's" in warning


def test_keypoints_outside_the_picture_are_said(tmp_path: Path) -> None:
    path = coco_results(tmp_path, scene(), SIZE)
    (warning,) = replay(path, "coco_17").warnings(info(size=(200, 112)))
    assert "lie outside the picture of 200 × 112: it seems to be made for another size" in warning


def test_scores_of_0_throughout_are_said(tmp_path: Path) -> None:
    people = [[person * [1, 1, 0] for person in frame] for frame in scene()]
    detector = replay(openpose(tmp_path, people, SIZE), "body_25")
    assert len(detect(detector, 0)) == 0
    (warning,) = detector.warnings(info())
    assert "all keypoints of its 12 people have the score 0, which means not seen" in warning
    low = [[person * [1, 1, 0.2] for person in frame] for frame in scene()]
    detector = replay(openpose(tmp_path / "low", low, SIZE), "body_25")
    assert "its people have scores of at most 0.18" in detector.warnings(info())[0]
