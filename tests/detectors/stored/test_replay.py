"""Stored keypoints: every format gives back the people that were written."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.skeletons import COCO_17, COCO_21
from testkit.stored.alphapose import alphapose
from testkit.stored.common import write
from testkit.stored.formats import FORMATS, Format
from testkit.stored.mmpose import mmpose_demo, mmpose_instances
from testkit.stored.openpose import openpose, openpose_person
from testkit.stored.ours import our_poses
from testkit.stored.videopose3d import videopose3d_custom
from tests.detectors.stored.scenes import FRAMES, SIZE, detect, replay, scene

WITHOUT_SCORES = (FORMATS["VideoPose3D custom"], FORMATS["Sports2D markers"])


@pytest.mark.parametrize("stored", FORMATS.values(), ids=FORMATS)
def test_every_format_gives_its_people_back(stored: Format, tmp_path: Path) -> None:
    detector = replay(stored.write(tmp_path, scene(), SIZE), stored.skeleton)
    for index, people in enumerate(scene()):
        found = detect(detector, index)
        people = people[: len(found)]
        assert len(found) == 1 if stored is FORMATS["Sports2D BlazePose"] else 2
        assert found.skeleton == COCO_21
        for person, xy, scores, box in zip(
            people, found.keypoints_xy, found.keypoint_scores, found.boxes_xyxy, strict=True
        ):
            assert np.isnan(xy).all(1).tolist() == (scores == 0).tolist()
            if not stored.has_feet:
                assert (scores[17:] == 0).all()
                person, xy, scores = person[:17], xy[:17], scores[:17]
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
    path = alphapose(tmp_path, scene(), SIZE, "h36m_17")
    found = detect(replay(path, "h36m_17"), 0)
    face = COCO_17.indices(("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
    assert np.isnan(found.keypoints_xy[0, face]).all()
    assert (found.keypoint_scores[0, face] == 0).all()
    np.testing.assert_allclose(found.keypoints_xy[0, 5:17], scene()[0][0][5:17, :2], atol=1e-3)


def test_a_named_skeleton_must_fit(tmp_path: Path) -> None:
    path = openpose(tmp_path, scene(), SIZE)
    with pytest.raises(
        InputError, match="people of 25 keypoints, but --keypoints-skeleton halpe_26 has 26"
    ):
        replay(path, "halpe_26")
    named = mmpose_demo(tmp_path, scene(), SIZE)
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
    path = openpose(tmp_path, scene(), SIZE, "body_25b")
    right = detect(replay(path, "body_25b"), 0).keypoints_xy[0]
    wrong = detect(replay(path, "body_25"), 0).keypoints_xy[0]
    np.testing.assert_allclose(right, scene()[0][0][:, :2], atol=1e-3)
    assert np.nanmax(np.abs(wrong - right)) > 50


def test_an_archive_of_several_videos_gives_the_one_of_that_name(tmp_path: Path) -> None:
    path = videopose3d_custom(tmp_path, [[scene()[0][0]], [scene()[1][0]]], SIZE)
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
        detect(replay(path), 1).keypoints_xy[0, :17], scene()[1][0][:17, :2], atol=1e-3
    )
    with pytest.raises(
        InputError, match=r"no entry is called other; there is clip\.mp4, clip2\.mp4"
    ):
        replay(path, video="other")


def test_an_archive_without_a_layout_asks_for_one(tmp_path: Path) -> None:
    path = videopose3d_custom(tmp_path, scene(), SIZE, layout_name=None)
    with pytest.raises(InputError, match="add --keypoints-skeleton coco_17 or h36m_17"):
        replay(path)
    assert len(detect(replay(path, "coco_17"), 0)) == 2


def test_pictures_are_matched_by_the_number_in_their_names(tmp_path: Path) -> None:
    path = alphapose(tmp_path, scene(), SIZE)
    detector = replay(path, "coco_17", "shots", numbers=[2, 4])
    seen = detect(detector, 1).keypoints_xy[0, :17]
    np.testing.assert_allclose(seen, scene()[4][0][:17, :2], atol=1e-3)
    frames = replay(our_poses(tmp_path, scene(), SIZE), video="shots", numbers=[2, 4])
    np.testing.assert_allclose(detect(frames, 1).keypoints_xy[0], scene()[1][0][:, :2], atol=1e-3)


@pytest.mark.parametrize("name", ["photo_keypoints.json", "photo.json"])
def test_a_picture_alone_needs_no_number(tmp_path: Path, name: str) -> None:
    person = scene()[0][0][:17]
    frame = (
        {"people": [openpose_person(person)]} if "keypoints" in name else mmpose_instances([person])
    )
    detector = replay(write(tmp_path / name, frame), "coco_17", "photo", numbers=[0])
    np.testing.assert_allclose(detect(detector, 0).keypoints_xy[0, :17], person[:, :2], atol=1e-3)


def test_a_folder_of_an_inferencers_pictures_is_read(tmp_path: Path) -> None:
    for frame, people in enumerate([*scene(), []]):
        write(
            tmp_path / "predictions" / f"shot_{frame:03d}.json",
            mmpose_instances([person[:17] for person in people]),
        )
    detector = replay(tmp_path / "predictions", "coco_17")
    assert [len(detect(detector, index)) for index in range(FRAMES + 1)] == [2] * FRAMES + [0]


def test_a_file_without_people_is_valid(tmp_path: Path) -> None:
    assert len(detect(replay(write(tmp_path / "empty.json", [])), 0)) == 0
    write(tmp_path / "json" / "a_000000000000_keypoints.json", {"version": 1.3, "people": []})
    assert len(detect(replay(tmp_path / "json"), 0)) == 0


def test_a_box_and_its_score_are_made_up_where_there_is_none(tmp_path: Path) -> None:
    found = detect(replay(openpose(tmp_path, scene(), SIZE), "body_25"), 0)
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
