"""Stored keypoints: every format gives back the people that were written, or says what is wrong."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.skeletons import COCO_17
from core.types import Detections, Floats, Frame, VideoInfo
from detectors.stored import formats
from detectors.stored.replay import Replay
from testkit import stored_files
from testkit.stored_files import FORMATS, Format, openpose_person, write
from testkit.walker import keypoints, walking

SIZE = (640, 360)
FRAMES = 6


def scene() -> list[list[Floats]]:
    """Two people walking side by side; the second's left wrist is never seen."""
    people = []
    for x, score in ((-1.0, 0.9), (1.0, 0.75)):
        xy = keypoints(walking(FRAMES), np.tile([x, 0.0, 5.0], (FRAMES, 1))) / 3
        people.append(np.concatenate([xy, np.full((FRAMES, 17, 1), score)], -1))
    people[1][:, COCO_17.index("left_wrist")] = 0
    return [list(frame) for frame in zip(*people, strict=True)]


WITHOUT_SCORES = (FORMATS["VideoPose3D custom"], FORMATS["Sports2D markers"])


def replay(
    path: Path, layout: str | None = None, video: str = "clip", numbers: list[int] | None = None
) -> Replay:
    """A detector at the beginning of a video of that name."""
    detector = Replay(path, layout)
    detector.begin(VideoInfo(Path(f"{video}.mp4"), *SIZE, 25.0, None, 0, None), numbers)
    return detector


def detect(detector: Replay, index: int, size: tuple[int, int] = SIZE) -> Detections:
    return detector.detect(Frame(index, index / 25, np.zeros((size[1], size[0], 3), np.uint8)))


@pytest.mark.parametrize("stored", FORMATS.values(), ids=FORMATS)
def test_every_format_gives_its_people_back(stored: Format, tmp_path: Path) -> None:
    detector = replay(stored.write(tmp_path, scene(), SIZE), stored.skeleton)
    for index, people in enumerate(scene()):
        found = detect(detector, index)
        people = people[: len(found)]
        assert len(found) == 1 if stored is FORMATS["Sports2D BlazePose"] else 2
        assert found.skeleton == COCO_17
        for person, xy, scores, box in zip(
            people, found.keypoints_xy, found.keypoint_scores, found.boxes_xyxy, strict=True
        ):
            assert np.isnan(xy).all(1).tolist() == (scores == 0).tolist()
            if stored not in WITHOUT_SCORES:
                np.testing.assert_allclose(scores, person[:, 2], atol=1e-3)
            seen = person[:, 2] > 0
            np.testing.assert_allclose(xy[seen], person[seen, :2], atol=1e-3)
            assert (box[:2] <= person[seen, :2].min(0) + 1e-3).all()
            assert (box[2:] >= person[seen, :2].max(0) - 1e-3).all()
    assert len(detect(detector, FRAMES)) == 0


@pytest.mark.parametrize(
    "stored", [one for one in FORMATS.values() if one.skeleton], ids=lambda one: one.write.__name__
)
def test_joints_that_a_file_does_not_name_are_not_guessed(stored: Format, tmp_path: Path) -> None:
    path = stored.write(tmp_path, scene(), SIZE)
    with pytest.raises(
        InputError, match=f"does not say which its .* add --keypoints-skeleton .*{stored.skeleton}"
    ):
        replay(path)


def test_joints_that_a_skeleton_lacks_are_missing(tmp_path: Path) -> None:
    path = stored_files.alphapose(tmp_path, scene(), SIZE, "h36m_17")
    found = detect(replay(path, "h36m_17"), 0)
    face = COCO_17.indices(("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
    assert np.isnan(found.keypoints_xy[0, face]).all()
    assert (found.keypoint_scores[0, face] == 0).all()
    np.testing.assert_allclose(found.keypoints_xy[0, 5:], scene()[0][0][5:, :2], atol=1e-3)


def test_a_named_skeleton_must_fit(tmp_path: Path) -> None:
    path = stored_files.openpose(tmp_path, scene(), SIZE)
    with pytest.raises(
        InputError, match="people of 25 keypoints, but --keypoints-skeleton halpe_26 has 26"
    ):
        replay(path, "halpe_26")
    named = stored_files.mmpose_demo(tmp_path, scene(), SIZE)
    with pytest.raises(
        InputError,
        match="names its own joints, which are not those of --keypoints-skeleton body_25",
    ):
        replay(named, "body_25")
    nineteen = write(
        tmp_path / "19.json",
        [{"image_id": 0, "category_id": 1, "keypoints": [5.0] * 57, "score": 1}],
    )
    with pytest.raises(
        InputError, match=r"people of 19 keypoints, which is none of coco_17, .*, halpe_136"
    ):
        replay(nineteen)


def test_body_25_and_body_25b_differ_though_they_have_as_many_joints(tmp_path: Path) -> None:
    path = stored_files.openpose(tmp_path, scene(), SIZE, "body_25b")
    right = detect(replay(path, "body_25b"), 0).keypoints_xy[0]
    wrong = detect(replay(path, "body_25"), 0).keypoints_xy[0]
    np.testing.assert_allclose(right, scene()[0][0][:, :2], atol=1e-3)
    assert np.nanmax(np.abs(wrong - right)) > 50


def test_an_archive_of_several_videos_gives_the_one_of_that_name(tmp_path: Path) -> None:
    path = stored_files.videopose3d_custom(tmp_path, [[scene()[0][0]], [scene()[1][0]]], SIZE)
    with np.load(path, allow_pickle=True) as archive:
        positions, metadata = archive["positions_2d"].item(), archive["metadata"].item()
    assert len(detect(replay(path, video="anything"), 0)) == 1, (
        "the only one is meant, whatever its name"
    )
    positions = {
        "clip.mp4": positions["clip.mp4_1"],
        "clip2.mp4": {"custom": [np.zeros((2, 17, 2), np.float32)]},
    }
    np.savez(path, positions_2d=positions, metadata=metadata)
    np.testing.assert_allclose(
        detect(replay(path), 1).keypoints_xy[0], scene()[1][0][:, :2], atol=1e-3
    )
    with pytest.raises(
        InputError, match=r"no entry is called other; there is clip\.mp4, clip2\.mp4"
    ):
        replay(path, video="other")


def test_an_archive_without_a_layout_asks_for_one(tmp_path: Path) -> None:
    path = stored_files.videopose3d_custom(tmp_path, scene(), SIZE, layout_name=None)
    with pytest.raises(InputError, match="add --keypoints-skeleton coco_17 or h36m_17"):
        replay(path)
    assert len(detect(replay(path, "coco_17"), 0)) == 2


def test_pictures_are_matched_by_the_number_in_their_names(tmp_path: Path) -> None:
    path = stored_files.alphapose(tmp_path, scene(), SIZE)
    detector = replay(path, "coco_17", "shots", numbers=[2, 4])
    np.testing.assert_allclose(detect(detector, 1).keypoints_xy[0], scene()[4][0][:, :2], atol=1e-3)
    frames = replay(stored_files.our_poses(tmp_path, scene(), SIZE), video="shots", numbers=[2, 4])
    np.testing.assert_allclose(detect(frames, 1).keypoints_xy[0], scene()[1][0][:, :2], atol=1e-3)


@pytest.mark.parametrize("name", ["photo_keypoints.json", "photo.json"])
def test_a_picture_alone_needs_no_number(tmp_path: Path, name: str) -> None:
    person = scene()[0][0]
    frame = (
        {"people": [openpose_person(person)]}
        if "keypoints" in name
        else stored_files.mmpose_instances([person])
    )
    detector = replay(write(tmp_path / name, frame), "coco_17", "photo", numbers=[0])
    np.testing.assert_allclose(detect(detector, 0).keypoints_xy[0], person[:, :2], atol=1e-3)


def test_a_folder_of_an_inferencers_pictures_is_read(tmp_path: Path) -> None:
    for frame, people in enumerate([*scene(), []]):
        write(
            tmp_path / "predictions" / f"shot_{frame:03d}.json",
            stored_files.mmpose_instances(people),
        )
    detector = replay(tmp_path / "predictions", "coco_17")
    assert [len(detect(detector, index)) for index in range(FRAMES + 1)] == [2] * FRAMES + [0]


def test_a_file_without_people_is_valid(tmp_path: Path) -> None:
    assert len(detect(replay(write(tmp_path / "empty.json", [])), 0)) == 0
    write(tmp_path / "json" / "a_000000000000_keypoints.json", {"version": 1.3, "people": []})
    assert len(detect(replay(tmp_path / "json"), 0)) == 0


def test_a_box_and_its_score_are_made_up_where_there_is_none(tmp_path: Path) -> None:
    found = detect(replay(stored_files.openpose(tmp_path, scene(), SIZE), "body_25"), 0)
    np.testing.assert_allclose(found.box_scores, [0.9, 0.75], atol=1e-3)
    heights = found.boxes_xyxy[:, 3] - found.boxes_xyxy[:, 1]
    tall = [np.ptp(person[person[:, 2] > 0, 1]) for person in scene()[0]]
    assert (heights / tall > 1.1).all()
    assert (heights / tall < 1.4).all()


def test_names_inside_a_file_are_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    person = {"category_id": 1, "keypoints": [5.0] * 51, "score": 1}
    names = ("../../../../etc/passwd/0.jpg", "/dev/stdin/../1.jpg")
    path = write(tmp_path / "evil.json", [{"image_id": name, **person} for name in names])
    real = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, *args, **kwargs: opened.append(self) or real(self, *args, **kwargs),
    )
    assert len(detect(replay(path, "coco_17"), 1)) == 1
    assert set(opened) == {path}


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
    folder = stored_files.openpose(tmp_path, scene(), SIZE)
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
        stored_files.coco_results(tmp_path, scene(), SIZE),
        stored_files.openpose(tmp_path, scene(), SIZE),
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


def test_keypoints_made_for_another_size_are_refused(tmp_path: Path) -> None:
    detector = replay(stored_files.our_poses(tmp_path, scene(), SIZE))
    with pytest.raises(InputError, match="made for frames of 640 × 360 px, these are 1280 × 720"):
        detect(detector, 0, (1280, 720))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match=r"pipe\.json: neither a file nor a folder"):
        replay(tmp_path / "pipe.json")


@pytest.mark.parametrize("mark", [(0, 0, 0.9), (-1, -1, 0.9), (-1, -1, -1), (-100, -100, 1)])
@pytest.mark.parametrize("name", ["COCO results", "OpenPose COCO", "VideoPose3D infer_video"])
def test_positions_that_mean_not_found_are_missing(
    name: str, mark: tuple[float, float, float], tmp_path: Path
) -> None:
    wrist, people = COCO_17.index("right_wrist"), scene()
    for frame in people:
        frame[0][wrist] = mark
    found = detect(replay(FORMATS[name].write(tmp_path, people, SIZE), FORMATS[name].skeleton), 3)
    assert np.isnan(found.keypoints_xy[0, wrist]).all()
    assert found.keypoint_scores[0, wrist] == 0
    assert (found.boxes_xyxy[0, :2] > 0).all(), "the box is around what was found"


def info(frames: int | None = FRAMES, size: tuple[int, int] = SIZE) -> VideoInfo:
    return VideoInfo(Path("clip.mp4"), *size, 25.0, frames, 0, None)


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
    path = stored_files.openpose(tmp_path, scene(), SIZE, written)
    (warning,) = replay(path, taken_for).warnings(info())
    told = f"misshapen as {taken_for} and not as {written}: try --keypoints-skeleton {written}"
    assert warning == f"{path}: people are {told}"
    assert replay(path, written).warnings(info()) == ()


def test_mixed_up_joints_are_said_where_the_file_names_them(tmp_path: Path) -> None:
    order = np.roll(np.arange(17), 8)
    people = [[person[order] for person in frame] for frame in scene()]
    (warning,) = replay(stored_files.our_poses(tmp_path, people, SIZE)).warnings(info())
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
    known = replay(stored_files.videopose3d_custom(tmp_path, scene(), SIZE))
    assert "ends after 6 of the video's 12 frames" in known.warnings(info(12))[0]
    people_only = replay(stored_files.coco_results(tmp_path, scene(), SIZE), "coco_17")
    assert people_only.warnings(info(12)) == (), "they may have left the picture"


def test_keypoints_of_other_pictures_are_said(tmp_path: Path) -> None:
    path = stored_files.alphapose(tmp_path, scene(), SIZE)
    assert replay(path, "coco_17", numbers=[2, 4, 90]).warnings(info(3)) == ()
    (warning,) = replay(path, "coco_17", numbers=[100, 101]).warnings(info(2))
    assert "none of the numbers in its pictures' names is one of the clip's" in warning


def test_keypoints_outside_the_picture_are_said(tmp_path: Path) -> None:
    path = stored_files.coco_results(tmp_path, scene(), SIZE)
    (warning,) = replay(path, "coco_17").warnings(info(size=(200, 112)))
    assert "lie outside the picture of 200 × 112: it seems to be made for another size" in warning


def test_scores_of_0_throughout_are_said(tmp_path: Path) -> None:
    people = [[person * [1, 1, 0] for person in frame] for frame in scene()]
    detector = replay(stored_files.openpose(tmp_path, people, SIZE), "body_25")
    assert len(detect(detector, 0)) == 0
    (warning,) = detector.warnings(info())
    assert "all keypoints of its 12 people have the score 0, which means not seen" in warning
    low = [[person * [1, 1, 0.2] for person in frame] for frame in scene()]
    detector = replay(stored_files.openpose(tmp_path / "low", low, SIZE), "body_25")
    assert "its people have scores of at most 0.18" in detector.warnings(info())[0]
