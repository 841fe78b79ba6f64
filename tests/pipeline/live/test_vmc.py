"""VMC as a receiver of python-osc understands it."""

import socket
from typing import Any

import numpy as np
import pytest

from core.kinematics import bone_rotations, rest_pose, rigid_joints
from core.skeletons import H36M_21
from core.types import CameraPoses, Floats, Frame
from pipeline.export.axes import y_up
from pipeline.live.moment import LiveBody, Moment
from pipeline.live.stream import open_stream
from pipeline.render.person import PersonInFrame
from testkit.walker import walking, with_feet

pytest.importorskip("pythonosc", reason="python-osc is not installed (extra `export`)")
FRAMES = 40
AT = {
    "RightUpperLeg": "r_hip", "RightLowerLeg": "r_knee", "RightFoot": "r_ankle",
    "LeftUpperLeg": "l_hip", "LeftLowerLeg": "l_knee", "LeftFoot": "l_ankle", "Chest": "spine",
    "Neck": "thorax", "Head": "neck_base", "LeftUpperArm": "l_shoulder",
    "LeftLowerArm": "l_elbow", "LeftHand": "l_wrist", "RightUpperArm": "r_shoulder",
    "RightLowerArm": "r_elbow", "RightHand": "r_wrist",
}  # fmt: skip
PARENTS = {
    "Spine": "Hips", "Chest": "Spine", "UpperChest": "Chest", "Neck": "UpperChest", "Head": "Neck",
    **{
        f"{side}{bone}": parent if parent in ("Hips", "UpperChest") else f"{side}{parent}"
        for side in ("Left", "Right")
        for parent, bone in (
            ("UpperChest", "Shoulder"), ("Shoulder", "UpperArm"), ("UpperArm", "LowerArm"),
            ("LowerArm", "Hand"), ("Hips", "UpperLeg"), ("UpperLeg", "LowerLeg"),
            ("LowerLeg", "Foot"), ("Foot", "Toes"),
        )
    },
}  # fmt: skip


def moment(index: int, joints: Floats, track_ids: tuple[int, ...] = (3,)) -> Moment:
    bodies = []
    for track_id in track_ids:
        person = PersonInFrame(
            track_id, np.zeros(4), np.zeros((21, 2)), np.zeros(21), joints + 5.0 * (track_id - 3),
            np.full(21, np.nan), H36M_21,
        )  # fmt: skip
        camera = CameraPoses(
            np.zeros((1, 21, 3)), np.zeros((1, 3)), H36M_21, person.joint_sigma_m[None]
        )
        bodies.append(LiveBody(person, camera, np.zeros(4, bool)))
    frame = Frame(index, index / 30, np.zeros((2, 2, 3), np.uint8))
    return Moment(frame, 0.0, bodies)


def received(moments: list[Moment]) -> list[dict[str, Any]]:
    """What a server gets of each moment: address → arguments, bones by name."""
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer

    frames: list[dict[str, Any]] = []
    dispatcher = Dispatcher()

    def take(address: str, *values: Any) -> None:
        if address == "/VMC/Ext/OK":
            frames.append({})
        key = values[0] if address.endswith("Pos") else address
        frames[-1][key] = values

    dispatcher.set_default_handler(take)
    with BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        server.timeout = 10
        stream = open_stream(f"vmc://127.0.0.1:{server.server_address[1]}")
        stream.send_header({})
        for one in moments:
            stream.send(one)
            server.handle_request()
        stream.close()
    return frames


def in_unity(bones: dict[str, Any]) -> dict[str, Floats]:
    """Forward kinematics as Unity does it: bone → world position, in its left-handed axes."""
    positions: dict[str, Floats] = {}
    turned: dict[str, Floats] = {}

    def solve(name: str) -> None:
        _, *numbers = bones[name]
        x, y, z, w = numbers[3:]
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        if name == "Hips":
            positions[name], turned[name] = np.array(numbers[:3]), rotation
            return
        parent = PARENTS[name]
        if parent not in positions:
            solve(parent)
        positions[name] = positions[parent] + turned[parent] @ numbers[:3]
        turned[name] = turned[parent] @ rotation

    for name in ("Hips", *PARENTS):
        solve(name)
    return positions


def test_a_receiver_puts_every_joint_where_rigid_bones_have_it() -> None:
    walker = with_feet(walking(FRAMES))
    world = np.stack([walker[..., 0], walker[..., 2], -walker[..., 1]], -1)
    world += np.array([0.3, 4.0, 0.9])
    frames = received([moment(i, joints) for i, joints in enumerate(world)])
    assert len(frames) == FRAMES, "a bundle a frame"
    up = y_up(world)
    rest = rest_pose(up[:1], H36M_21)
    rigid = rigid_joints(bone_rotations(up, H36M_21, 30.0), up[:, 0], rest, H36M_21)
    for index in (0, 7, FRAMES - 1):
        assert frames[index]["/VMC/Ext/T"] == pytest.approx((index / 30,), abs=1e-4)
        at = in_unity(frames[index])
        for bone, joint in AT.items():
            expected = rigid[index, H36M_21.index(joint)] * [-1, 1, 1]
            np.testing.assert_allclose(at[bone], expected, atol=1e-3, err_msg=bone)


def test_one_person_is_sent_the_one_who_came_first() -> None:
    world = np.tile(y_up(with_feet(walking(1))[0]), (3, 1, 1))
    ids = [(3, 4), (4,)]
    frames = received([moment(i, world[i], ids[i]) for i in range(2)])
    xs = [frame["Hips"][1] for frame in frames]
    np.testing.assert_allclose(xs, [-world[0, 0, 0], -world[0, 0, 0] - 5.0], atol=1e-4)


def test_a_missing_library_is_said_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from core.errors import OutputError
    from pipeline.live.vmc import VmcStream

    monkeypatch.setitem(__import__("sys").modules, "pythonosc.osc_bundle_builder", None)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        pytest.raises(OutputError, match=r"needs pythonosc.*\[export\]"),
    ):
        VmcStream(sender, ("127.0.0.1", 9))
