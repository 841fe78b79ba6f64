"""`glb` as its bytes have it; other programs read it in tests/consumers."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.types import Array
from pipeline.export.base import write_exports
from testkit.made.array_results import Actor, array_result
from testkit.made.moving_people import FPS, tumbling

FRAMES = 60


class Scene:
    """A file taken apart."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON"
        self.content: dict[str, Any] = json.loads(data[20 : 20 + size])
        self._arrays = data[28 + size :]

    def array(self, accessor: int) -> Array:
        about = self.content["accessors"][accessor]
        view = self.content["bufferViews"][about["bufferView"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[about["type"]]
        values = np.frombuffer(
            self._arrays, "<f4", about["count"] * width, offset=view["byteOffset"]
        )
        return values.reshape(about["count"], width)

    def channel(self, node: str, path: str) -> tuple[Array, Array]:
        """Times and values of the one channel of a node."""
        (animation,) = self.content["animations"]
        names = [node["name"] for node in self.content["nodes"]]
        (sampler,) = [
            animation["samplers"][channel["sampler"]]
            for channel in animation["channels"]
            if names[channel["target"]["node"]] == node and channel["target"]["path"] == path
        ]
        return self.array(sampler["input"])[:, 0], self.array(sampler["output"])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder, joints = tmp_path_factory.mktemp("made"), tumbling(FRAMES)
    away = np.concatenate([np.arange(10, 30), np.arange(40, 50)])
    actors = [Actor(np.arange(FRAMES), joints), Actor(away, joints[away])]
    result = array_result(folder, actors, 2.0 + np.arange(FRAMES) / FPS)
    assert write_exports(result, ["glb"], folder).lines == ()
    return Scene(folder / "clip.glb")


def test_people_are_there_in_the_video_s_time_and_have_no_size_while_they_are_away(
    scene: Scene,
) -> None:
    times, scales = scene.channel("person2", "scale")
    np.testing.assert_allclose(times, 2 + np.array([0, 10, 30, 40, 50]) / FPS, atol=1e-5)
    np.testing.assert_array_equal(scales[:, 0], [0, 1, 0, 1, 0])
    names = [
        scene.content["nodes"][channel["target"]["node"]]["name"]
        for channel in scene.content["animations"][0]["channels"]
        if channel["target"]["path"] == "scale"
    ]
    assert names == ["person2"], "who is always there needs none"


def test_quaternions_of_neighbouring_frames_are_neighbours(scene: Scene) -> None:
    """Players interpolate their numbers: q beside -q would be a full turn."""
    (animation,) = scene.content["animations"]
    for channel in animation["channels"]:
        if channel["target"]["path"] == "rotation":
            q = scene.array(animation["samplers"][channel["sampler"]]["output"])
            np.testing.assert_allclose(np.linalg.norm(q, axis=1), 1, atol=1e-5)
            assert (q[1:] * q[:-1]).sum(1).min() > 0.9


def test_the_figure_stands_on_the_ground_at_rest(scene: Scene) -> None:
    for mesh in scene.content["meshes"]:
        accessor = scene.content["accessors"][mesh["primitives"][0]["attributes"]["POSITION"]]
        assert accessor["min"][1] == pytest.approx(0, abs=0.03)
        assert accessor["max"][1] == pytest.approx(1.8, abs=0.05)
