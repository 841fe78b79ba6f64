"""pybvh and bvhio, which read BVH apart from us and from each other, find the same joints."""

from pathlib import Path

import pytest

from pipeline.export.base import ExportOptions, write_exports
from pipeline.results.result import Result
from testkit.consumers import ask, environment
from tests.consumers.rigs import CLIPS, made_clips, people, z_up

READERS = {
    "pybvh": """
import json, sys
import pybvh
motion = pybvh.read_bvh_file(sys.argv[1])
frames = list(map(int, sys.argv[2].split(",")))
positions = motion.joint_positions()
print(json.dumps({"rate": motion.fps, "count": motion.frame_count, "frames": {
    frame: dict(zip(motion.joint_names, positions[frame].tolist())) for frame in frames}}))
""",
    "bvhio": """
import json, sys
import bvhio
file = bvhio.readAsBvh(sys.argv[1])
root = bvhio.readAsHierarchy(sys.argv[1])
frames = {}
for frame in map(int, sys.argv[2].split(",")):
    root.loadPose(frame)
    frames[frame] = {joint.Name: list(joint.PositionWorld) for joint, _, _ in root.layout()}
print(json.dumps({"rate": 1 / file.FrameTime, "count": file.FrameCount, "frames": frames}))
""",
}


@pytest.fixture(scope="module")
def clips(filmed: Result, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    environment("bvh")
    return {"filmed": filmed, **made_clips(tmp_path_factory.mktemp("made"))}


@pytest.mark.parametrize("names", ["mixamo", "lafan1", "h36m"])
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("reader", READERS)
def test_joints_are_where_rigid_bones_have_them(
    reader: str, clip: str, names: str, clips: dict[str, Result], folder: Path
) -> None:
    result = clips[clip]
    assert write_exports(result, ["bvh"], folder, ExportOptions(bvh_names=names)).failures == []
    for track_id, person in people(result).items():
        file = folder / f"{result.stem}_person{track_id}.bvh"
        frames = person.frames()
        said = ask("bvh", READERS[reader], file, ",".join(map(str, frames)))
        assert said["count"] == len(person.heads_m)
        assert said["rate"] == pytest.approx(result.report.video.fps, rel=1e-5)
        for frame in frames:
            heads = {name: z_up(at) for name, at in said["frames"][str(frame)].items()}
            person.require(heads, frame, names, scale=0.01)
