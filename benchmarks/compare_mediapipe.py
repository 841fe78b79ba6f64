"""Our BlazePose beside the packaged MediaPipe graph, with the same models: distance and speed.

MediaPipe needs an environment of its own, because it wants numpy < 2:

    python3.11 -m venv ENV && ENV/bin/pip install mediapipe==0.10.21
    python -m benchmarks.compare_mediapipe --mediapipe-python ENV/bin/python

`--save FILE` keeps the graph's landmarks of 40 frames, as tests/data/mediapipe_graph.npz.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.options import Parser
from testkit.command_lines import existing, positive, run_benchmark

KEPT_FRAMES = 40


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=existing, nargs="?", help="video; default the sample clip")
    parser.add_argument(
        "--mediapipe-python", type=existing, help="Python of an environment with mediapipe==0.10.21"
    )
    parser.add_argument(
        "--num-threads",
        type=positive(int),
        default=1,
        help="threads of our detector (default %(default)s)",
    )
    parser.add_argument(
        "--save", type=Path, help="keep some of the graph's landmarks for the tests"
    )
    # The part that runs in MediaPipe's environment.
    parser.add_argument("--graph-into", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.graph_into:
        run_graph(str(chosen.clip), chosen.graph_into)
        return
    if not chosen.mediapipe_python:
        parser.error("--mediapipe-python is needed")

    from weights.store import resolve

    clip = str(chosen.clip or resolve("demo-clip"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.npz"
        command = [
            chosen.mediapipe_python, "-m", "benchmarks.compare_mediapipe", clip, "--graph-into",
            str(file),
        ]  # fmt: skip
        root = Path(__file__).parents[1]
        subprocess.run(command, check=True, cwd=root, stderr=subprocess.DEVNULL)
        graph = dict(np.load(file))
    if chosen.save:
        save_reference(graph["landmarks"], chosen.save)
    compare(clip, graph, chosen.num_threads)


def run_graph(clip: str, file: Path) -> None:
    """Run MediaPipe's graph on a clip.

    Writes `landmarks` (T, 33, 2) px, NaN where it finds no person, and `times` (2,), processor and
    wall time in ms per frame.
    """
    import mediapipe as mp

    graph = mp.solutions.pose.Pose(
        static_image_mode=False, model_complexity=1, smooth_landmarks=False
    )
    landmarks, clock = [], Clock()
    for rgb in frames(clip):
        found = clock.time(lambda rgb=rgb: graph.process(rgb)).pose_landmarks
        size = rgb.shape[1], rgb.shape[0]
        landmarks.append(
            [(p.x, p.y) for p in found.landmark] * np.array(size)
            if found
            else np.full((33, 2), np.nan)
        )
    np.savez(file, landmarks=np.array(landmarks), times=clock.milliseconds())


def save_reference(landmarks: np.ndarray[Any, Any], file: Path) -> None:
    """Keep `KEPT_FRAMES` of the frames with a person.

    Writes `frame_index` (F,) and `landmarks` (F, 33, 2) float32 px.
    """
    found = np.flatnonzero(np.isfinite(landmarks[:, 0, 0]))
    kept = found[np.linspace(0, len(found) - 1, KEPT_FRAMES).round().astype(int)]
    np.savez_compressed(file, frame_index=kept, landmarks=landmarks[kept].astype(np.float32))


def compare(clip: str, graph: dict[str, np.ndarray[Any, Any]], num_threads: int) -> None:
    """Run our detector on the clip and print how it compares with what `run_graph` wrote."""
    from core.skeletons import BLAZEPOSE_33, COCO_17
    from core.types import Frame
    from detectors.choice import create
    from pipeline.media.video_reader import probe

    detector = create("blazepose", threads=num_threads)
    detector.begin(probe(Path(clip)))
    coco = BLAZEPOSE_33.indices(COCO_17.joints)
    distances, people, clock = [], [], Clock()
    for index, rgb in enumerate(frames(clip)):
        found = clock.time(lambda index=index, rgb=rgb: detector.detect(Frame(index, 0.0, rgb)))
        people.append(len(found))
        theirs = graph["landmarks"][index][coco]
        if np.isfinite(theirs).all():
            distances.append(nearest_distance(found.to_skeleton(COCO_17).keypoints_xy, theirs))
    detector.close()

    matched = np.array([d for d in distances if d is not None])
    occupied = np.count_nonzero(people)
    print(f"{len(people)} frames; the graph finds a person in {len(distances)}, we in {occupied}")
    print(f"people per frame: graph at most 1, ours {np.mean(people):.2f} on average")
    print(
        f"median 2D distance {np.median(matched):.2%} of the person's height"
        f" ({len(matched)} frames matched)"
    )
    print(f"frames with a median under 2 %: {np.mean(np.median(matched, axis=1) < 0.02):.1%}")
    for name, (cpu, wall) in (
        ("graph", graph["times"]),
        (f"ours, {num_threads} thread(s)", clock.milliseconds()),
    ):
        print(f"{name}: {cpu:.1f} ms of processor time and {wall:.1f} ms of wall time a frame")
    per_person = (
        clock.milliseconds()[0] / np.mean(people),
        graph["times"][0] / (len(distances) / len(people)),
    )
    print(
        f"processor time per person found: ours {per_person[0]:.1f} ms,"
        f" graph {per_person[1]:.1f} ms"
    )


def nearest_distance(
    ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any] | None:
    """Distances of our nearest person's keypoints from theirs, over the height of theirs.

    Args:
        ours: (N, 17, 2) px.
        theirs: (17, 2) px.

    Returns:
        (17,); None if there is no person in ours.
    """
    if not len(ours):
        return None
    distances = np.linalg.norm(ours - theirs, axis=2) / np.ptp(theirs[:, 1])
    return distances[np.argmin(np.median(distances, axis=1))]


def frames(clip: str) -> Iterator[np.ndarray[Any, Any]]:
    """RGB frames of a clip, decoded by one thread that rests while a detector is timed."""
    capture = cv2.VideoCapture(clip, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    while True:
        read, bgr = capture.read()
        if not read:
            return
        yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


class Clock:
    """Measures the processor and wall time of calls, except the first, which warms up."""

    def __init__(self) -> None:
        self._times: list[tuple[float, float]] = []

    def time(self, call: Callable[[], Any]) -> Any:
        """Call a function, and return what it returns."""
        cpu, wall = time.process_time(), time.perf_counter()
        result = call()
        self._times.append((time.process_time() - cpu, time.perf_counter() - wall))
        return result

    def milliseconds(self) -> np.ndarray[Any, Any]:
        """(2,) mean processor and wall time of a call."""
        return np.mean(self._times[1:], axis=0) * 1e3


if __name__ == "__main__":
    run_benchmark(main)
