"""Khronos's validator finds no fault with `glb`; three.js has the same joints as we do."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.export.base import ExportOptions, write_exports
from pipeline.export.rigs.names import BONE_NAMES
from pipeline.results.result import Result
from testkit.consumers import node_modules
from tests.consumers.rigs import CLIPS, IN_NODE, made_clips, people, z_up


def in_node(*words: str | Path) -> Any:
    command = ["node", str(IN_NODE), str(node_modules()), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def clips(filmed: Result, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    node_modules()
    return {"filmed": filmed, **made_clips(tmp_path_factory.mktemp("made"))}


@pytest.mark.parametrize("clip", CLIPS)
def test_the_validator_finds_neither_errors_nor_warnings(
    clip: str, clips: dict[str, Result], folder: Path
) -> None:
    result = clips[clip]
    assert write_exports(result, ["glb"], folder).failures == []
    said = in_node("validate", folder / f"{result.stem}.glb")
    assert (said["numErrors"], said["numWarnings"]) == (0, 0), said["messages"]
    assert said["info"]["animationCount"] == 1


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium here")
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("ending", ["glb", "bvh"])
def test_three_js_has_the_same_joints(
    ending: str, clip: str, clips: dict[str, Result], folder: Path
) -> None:
    """Of the first person; three.js takes colons out of names, and plays no bvh that has them."""
    result = clips[clip]
    names = "mixamo" if ending == "glb" else "lafan1"
    options = ExportOptions(bvh_names="lafan1")
    assert write_exports(result, [ending], folder, options).failures == []
    bones = people(result)
    track_id, person = next(iter(bones.items()))
    rate, start = result.report.video.fps, person.start if ending == "glb" else 0
    times = [(frame + start) / rate for frame in person.frames()]
    file = f"{result.stem}.glb" if ending == "glb" else f"{result.stem}_person{track_id}.bvh"
    said = in_node("joints", folder / file, ",".join(f"{time:.7f}" for time in times))
    assert said["errors"] == []
    assert said["skins"] == (len(bones) if ending == "glb" else 0)
    scale = 1.0 if ending == "glb" else 0.01
    for frame, at in zip(person.frames(), said["frames"], strict=True):
        heads = {
            name: z_up(np.array(at[name.replace(":", "")][0]))
            for name in BONE_NAMES[names].values()
        }
        person.require(heads, frame, names, scale)
