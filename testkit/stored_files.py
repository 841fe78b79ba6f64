"""People written as other programs write them: small files of the published layouts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.skeletons import COCO_17, COCO_21
from core.types import Floats
from detectors.stored.layouts import LAYOUTS

Scene = Sequence[Sequence[Floats]]
"""Frame by frame the people in it, each (17, 3) or (21, 3): x, y px and score, as COCO-17 or -21;
where a format has COCO's 17 or a skeleton no feet, these are left out."""


def laid_out(person: Floats, layout: str) -> Floats:
    """The same person in another order: joints between two others in their middle."""
    between = {
        "neck": "shoulder",
        "mid_hip": "hip",
        "hip": "hip",
        "pelvis": "hip",
        "thorax": "shoulder",
    }
    keypoints = np.zeros((LAYOUTS[layout].count, 3))
    for joint, name in enumerate(LAYOUTS[layout].joints):
        name = name.replace("l_", "left_", 1) if name.startswith("l_") else name
        name = name.replace("r_", "right_", 1) if name.startswith("r_") else name
        name = name.replace("foot_index", "big_toe")
        if name in COCO_21.joints[: len(person)]:
            keypoints[joint] = person[COCO_21.index(name)]
        elif name in between:
            sides = COCO_17.indices((f"left_{between[name]}", f"right_{between[name]}"))
            keypoints[joint] = person[sides].mean(0)
    return keypoints


def flat(keypoints: Floats) -> list[float]:
    return [round(float(value), 4) for value in keypoints.ravel()]


def xywh(person: Floats) -> list[float]:
    low, high = person[:, :2].min(0), person[:, :2].max(0)
    return [*low.tolist(), *(high - low).tolist()]


def xyxy(person: Floats) -> list[float]:
    return [*person[:, :2].min(0).tolist(), *person[:, :2].max(0).tolist()]


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def our_poses(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """As `pipeline.export.npz` writes it, or wrote it before there were feet, by the people's
    keypoints; what it holds in 3D is left out here."""
    rows = [
        (frame, number, person)
        for frame, people in enumerate(scene)
        for number, person in enumerate(people, 1)
    ]
    count = len(rows[0][2]) if rows else len(COCO_21)
    people = np.array([person for *_, person in rows], np.float32).reshape(len(rows), count, 3)
    version, skeleton = (1, COCO_17) if count == len(COCO_17) else (2, COCO_21)
    metadata = {
        "format_version": version,
        "skeletons": {"keypoints": {"name": skeleton.name, "joints": skeleton.joints}},
        "video": {"width": size[0], "height": size[1]},
    }
    np.savez_compressed(
        folder / "poses.npz",
        frame_index=np.array([frame for frame, *_ in rows]),
        track_id=np.array([number for _, number, _ in rows]),
        keypoints_2d=people[..., :2],
        keypoint_scores=people[..., 2],
        metadata_json=json.dumps(metadata),
    )
    return folder / "poses.npz"


def without_feet(scene: Scene) -> Scene:
    """People as COCO-17."""
    return [[person[: len(COCO_17)] for person in people] for people in scene]


def our_poses_version_1(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return our_poses(folder, without_feet(scene), size)


def videopose3d_custom(folder: Path, scene: Scene, size: tuple[int, int], **metadata: Any) -> Path:
    """As its `prepare_data_2d_custom.py`: one person a video; here an entry for each person."""
    scene = without_feet(scene)
    count = len(scene[0])
    positions = {
        f"clip.mp4_{number + 1}": {
            "custom": [np.float32([people[number][:, :2] for people in scene])]
        }
        for number in range(count)
    }
    sizes = {name: {"w": size[0], "h": size[1]} for name in positions}
    known = {
        "layout_name": "coco",
        "num_joints": 17,
        "keypoints_symmetry": [list(COCO_17.left), list(COCO_17.right)],
    }
    path = folder / "data_2d_custom_mine.npz"
    np.savez_compressed(
        path, positions_2d=positions, metadata={**known, "video_metadata": sizes, **metadata}
    )
    return path


def videopose3d_dump(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """As its `infer_video_d2.py`: by frame and class; rows x, y, logit, probability."""
    scene = without_feet(scene)
    boxes, keypoints = np.empty((len(scene), 2), object), np.empty((len(scene), 2), object)
    for frame, people in enumerate(scene):
        boxes[frame, 0], keypoints[frame, 0] = [], []
        boxes[frame, 1] = np.float32([[*xyxy(person), 0.97] for person in people]) if people else []
        rows = [np.stack([*person[:, :2].T, np.zeros(17), person[:, 2]]) for person in people]
        keypoints[frame, 1] = np.float32(rows) if people else []
    path = folder / "clip.mp4.npz"
    metadata = {"w": size[0], "h": size[1]}
    np.savez_compressed(
        path, boxes=boxes, segments=np.array(None), keypoints=keypoints, metadata=metadata
    )
    return path


def coco_results(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    rows = [
        {"image_id": frame, "category_id": 1, "keypoints": flat(person), "score": 0.9}
        for frame, people in enumerate(without_feet(scene))
        for person in people
    ]
    return write(folder / "results.json", rows)


def coco_data_set(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """Annotations with images and categories; image ids are anything."""
    images = [
        {"id": 7000 + frame, "file_name": f"frames/{frame:06d}.jpg"} for frame in range(len(scene))
    ]
    annotations = [
        {
            "id": frame,
            "image_id": 7000 + frame,
            "category_id": 1,
            "bbox": xywh(person),
            "iscrowd": 0,
            "keypoints": flat(person),
        }
        for frame, people in enumerate(without_feet(scene))
        for person in people
    ]
    categories = [
        {"id": 1, "name": "person", "keypoints": list(COCO_17.joints)},
        {"id": 2, "name": "bicycle"},
    ]
    return write(
        folder / "data.json",
        {"images": images, "annotations": annotations, "categories": categories},
    )


def alphapose(folder: Path, scene: Scene, size: tuple[int, int], layout: str = "coco_17") -> Path:
    rows = [
        {
            "image_id": f"{frame}.jpg",
            "category_id": 1,
            "keypoints": flat(laid_out(person, layout)),
            "score": 2.9,
            "box": xywh(person),
            "idx": [float(number)],
        }
        for frame, people in enumerate(scene)
        for number, person in enumerate(people)
    ]
    return write(folder / "alphapose-results.json", rows)


def alphapose_open(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """`--format open` in one file: pictures by name, OpenPose's COCO."""
    return write(folder / "alphapose-results.json", _alphapose_pictures(scene, "open"))


def alphapose_cmu(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """`--format cmu` in a file for each picture; AlphaPose lists only those with people."""
    for name, picture in _alphapose_pictures(scene, "cmu").items():
        path = write(folder / "sep-json" / f"{name.partition('.')[0]}.json", picture)
    return path.parent


def _alphapose_pictures(scene: Scene, form: str) -> dict[str, Any]:
    people, joints = {"open": ("people", "pose_keypoints_2d"), "cmu": ("bodies", "joints")}[form]
    return {
        f"{frame}.jpg": {
            "version": "AlphaPose v0.3",
            people: [{joints: flat(laid_out(person, "coco_18"))} for person in in_frame],
        }
        for frame, in_frame in enumerate(scene)
        if in_frame
    }


def alphapose_halpe(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return alphapose(folder, scene, size, "halpe_26")


def alphapose_whole_body(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return alphapose(folder, scene, size, "coco_wholebody_133")


def openpose_person(keypoints: Floats) -> dict[str, Any]:
    parts = (
        "face_keypoints_2d",
        "hand_left_keypoints_2d",
        "hand_right_keypoints_2d",
        "pose_keypoints_3d",
    )
    return {"person_id": [-1], "pose_keypoints_2d": flat(keypoints), **{part: [] for part in parts}}


def openpose(
    folder: Path,
    scene: Scene,
    size: tuple[int, int],
    layout: str = "body_25",
    name: str = "json/clip_{:012d}_keypoints.json",
) -> Path:
    for frame, people in enumerate(scene):
        found = [openpose_person(laid_out(person, layout)) for person in people]
        path = write(folder / name.format(frame), {"version": 1.3, "people": found})
    return path.parent


def openpose_coco(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    return openpose(folder, scene, size, "coco_18")


def sports2d(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """With RTMPose, as Pose2Sim: body and feet."""
    return openpose(folder, scene, size, "halpe_26", "clip_json/clip_{:06d}.json")


SPORTS2D_NAMES = {
    "hip": "Hip", "neck": "Neck", "head": "Head", "nose": "Nose",
} | {
    f"{side}_{part}": side[0].upper() + part.title().replace("_", "")
    for side in ("left", "right")
    for part in ("hip", "knee", "ankle", "big_toe", "small_toe", "heel", "shoulder", "elbow",
                 "wrist", "eye", "ear")
}  # fmt: skip
"""What it calls Halpe's joints."""


def sports2d_markers(
    folder: Path,
    scene: Scene,
    size: tuple[int, int],
    stem: str = "clip_Sports2D",
    fps: float = 25.0,
    first_frame: int = 0,
    per_metre: float | None = None,
) -> Path:
    """Since August 2024: a file of markers for each person, in pixels and in metres; no scores."""
    results = folder / stem
    results.mkdir(parents=True, exist_ok=True)
    order = LAYOUTS["halpe_26"].joints
    names = [SPORTS2D_NAMES[name] for name in order]
    for number in range(len(scene[0])):
        lines = []
        for row, people in enumerate(scene):
            time_s = (first_frame + row) / fps
            cells = [str(row), str(time_s)]
            for x, y, score in laid_out(people[number], "halpe_26"):
                cells += [str(x), str(y), "0.0"] if score > 0 else ["", "", ""]
            lines.append(cells)
        for unit, scale in (("px", 1.0), ("m", 1 / (per_metre or 200.0))):
            name = f"{stem}_{unit}_person{number:02d}.trc"
            header = [
                f"PathFileType\t4\t(X/Y/Z)\t{name}",
                "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate"
                "\tOrigDataStartFrame\tOrigNumFrames",
                f"{fps}\t{fps}\t{len(lines)}\t{len(names)}\tm\t{fps}\t0\t{len(lines)}",
                "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t\t",
                "\t\t" + "\t".join(f"X{i}\tY{i}\tZ{i}" for i in range(1, len(names) + 1)),
            ]
            rows = [
                "\t".join([*cells[:2], *(cell and str(float(cell) * scale) for cell in cells[2:])])
                for cells in lines
            ]
            (results / name).write_text("\n".join([*header, *rows]) + "\n")
    return results


def sports2d_blazepose(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """Of its first versions: one person, whose list is one NaN where they are missing."""
    path = openpose(
        folder,
        [people[:1] for people in scene],
        size,
        "blazepose_33",
        "clip_json/clip_blazepose.{:05d}.json",
    )
    empty = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [float("nan")]}]}
    write(path / f"clip_blazepose.{len(scene):05d}.json", empty)
    return path


def mmpose_instances(people: Sequence[Floats]) -> list[dict[str, Any]]:
    return [
        {
            "keypoints": person[:, :2].tolist(),
            "keypoint_scores": person[:, 2].tolist(),
            "bbox": [xyxy(person)],
            "bbox_score": 0.8,
        }
        for person in people
    ]


def mmpose_demo(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """Frames from 1, and the data set's description; its arrays as json_tricks writes them."""
    meta = {
        "dataset_name": "coco",
        "keypoint_id2name": {str(number): name for number, name in enumerate(COCO_17.joints)},
        "sigmas": {"__ndarray__": [0.026, 0.025], "dtype": "float32", "shape": [2]},
    }
    frames = [
        {"frame_id": frame, "instances": mmpose_instances(people)}
        for frame, people in enumerate(without_feet(scene), 1)
    ]
    return write(folder / "results_clip.json", {"meta_info": meta, "instance_info": frames})


def mmpose_inferencer(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    frames = [
        {"frame_id": frame, "instances": mmpose_instances(people)}
        for frame, people in enumerate(without_feet(scene))
    ]
    return write(folder / "predictions" / "clip.json", frames)


def mmpose_0x(folder: Path, scene: Scene, size: tuple[int, int]) -> Path:
    """`tools/test.py --out`: batches of people."""
    batches = []
    for frame, people in enumerate(without_feet(scene)):
        boxes = []
        for person in people:
            x, y, width, height = xywh(person)
            boxes.append(
                [x + width / 2, y + height / 2, width / 200, height / 200, width * height, 0.9]
            )
        batches.append(
            {
                "preds": [person.tolist() for person in people],
                "boxes": boxes,
                "bbox_ids": list(range(len(people))),
                "image_paths": [f"/data/frames/{frame:06d}.jpg" for _ in people],
                "output_heatmap": None,
            }
        )
    return write(folder / "results.json", batches)


@dataclass(frozen=True)
class Format:
    """How to write a scene, the `--keypoints-skeleton` that its joints need, and whether it keeps
    big toes and heels."""

    write: Callable[[Path, Scene, tuple[int, int]], Path]
    skeleton: str | None = None
    has_feet: bool = False


FORMATS = {
    "poses.npz": Format(our_poses, has_feet=True),
    "poses.npz version 1": Format(our_poses_version_1),
    "VideoPose3D custom": Format(videopose3d_custom),
    "VideoPose3D infer_video": Format(videopose3d_dump),
    "COCO results": Format(coco_results, "coco_17"),
    "COCO data set": Format(coco_data_set),
    "AlphaPose COCO": Format(alphapose, "coco_17"),
    "AlphaPose Halpe": Format(alphapose_halpe, "halpe_26", has_feet=True),
    "AlphaPose whole body": Format(alphapose_whole_body, "coco_wholebody_133", has_feet=True),
    "AlphaPose open": Format(alphapose_open),
    "AlphaPose cmu": Format(alphapose_cmu),
    "OpenPose BODY_25": Format(openpose, "body_25", has_feet=True),
    "OpenPose COCO": Format(openpose_coco, "coco_18"),
    "Sports2D JSON": Format(sports2d, "halpe_26", has_feet=True),
    "Sports2D markers": Format(sports2d_markers, has_feet=True),
    "Sports2D BlazePose": Format(sports2d_blazepose, "blazepose_33", has_feet=True),
    "MMPose demo": Format(mmpose_demo),
    "MMPose inferencer": Format(mmpose_inferencer, "coco_17"),
    "MMPose 0.x": Format(mmpose_0x, "coco_17"),
}
