"""Results of Sports2D."""

from pathlib import Path

from detectors.stored.layouts import LAYOUTS
from testkit.stored.common import Scene, laid_out, write
from testkit.stored.openpose import openpose


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
        for unit, scale in (("px", 1.0), ("m", 1 / 200.0)):
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
