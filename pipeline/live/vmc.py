"""Poses by the Virtual Motion Capture protocol: bone rotations over OSC, a bundle a frame.

https://protocol.vmc.info/english: local positions and rotations of Unity's humanoid bones, in
Unity's axes, which are left-handed: x to the person's right at rest, y up, z forward; metres.
"""

import socket
from typing import Any

import numpy as np

from core.kinematics import TWIST_MARGIN_S, RestPose, bone_rotations, rest_pose
from core.rotations import quaternions
from core.skeletons import Skeleton
from core.types import Floats
from pipeline.export.axes import y_up
from pipeline.export.libraries import library
from pipeline.export.rigs.names import BONE_NAMES, rig
from pipeline.live.moment import LiveBody, Moment

_NAMES = BONE_NAMES["unity"]
_MOST_SAMPLES = 512  # of a person's joints that tell their bones' lengths


class VmcStream:
    """One person's bones, a bundle a frame: of those in view, who came first.

    A limb's twist follows what was seen of it in the last 0.3 s.

    Args:
        sender: A UDP socket; closed with the stream.
        address: The receiver, as `socket.sendto` takes it.
    """

    def __init__(self, sender: socket.socket, address: Any) -> None:
        self._bundles = library("pythonosc.osc_bundle_builder")
        self._messages = library("pythonosc.osc_message_builder")
        self._sender, self._address = sender, address
        self._sender.setblocking(False)
        self._person: _Person | None = None

    def send_header(self, header: dict[str, Any]) -> None:
        """Nothing: the protocol has none."""

    def send(self, moment: Moment) -> None:
        """Send the bones of one person."""
        bodies = [body for body in moment.people if np.isfinite(body.in_frame.joints_world_m).all()]
        body = min(bodies, key=lambda body: body.in_frame.track_id, default=None)
        if body is None:
            return
        if self._person is None or self._person.track_id != body.in_frame.track_id:
            self._person = _Person(body)
        self._person.add(moment.frame.time_s, body)
        try:
            self._sender.sendto(self._bundle(moment.frame.time_s, self._person), self._address)
        except OSError:  # a full buffer, no route: datagrams may get lost
            return

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()

    def _bundle(self, time_s: float, person: "_Person") -> bytes:
        bundle = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)

        def add(address: str, *values: Any) -> None:
            message = self._messages.OscMessageBuilder(f"/VMC/Ext/{address}")
            for value in values:
                message.add_arg(value)
            bundle.add_content(message.build())

        add("OK", 1)
        add("T", float(time_s))
        add("Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        for name, position, quaternion in person.bones():
            add("Bone/Pos", name, *position, *quaternion)
        return bytes(bundle.build().dgram)


class _Person:
    """What was seen of a person: lately, for twists, and at all, for lengths of bones."""

    def __init__(self, body: LiveBody) -> None:
        self.track_id = body.in_frame.track_id
        self._skeleton: Skeleton = body.camera.skeleton
        self._samples: list[Floats] = []
        self._recent: list[tuple[float, Floats]] = []
        self._rest: RestPose | None = None

    def add(self, time_s: float, body: LiveBody) -> None:
        """Add the person as they are now."""
        joints = y_up(np.asarray(body.in_frame.joints_world_m, dtype=float))
        self._recent = [(t, j) for t, j in self._recent if t > time_s - TWIST_MARGIN_S]
        self._recent.append((time_s, joints))
        if len(self._samples) < _MOST_SAMPLES:
            self._samples.append(joints)
            count = len(self._samples)
            if count & (count - 1) == 0:  # lengths settle: 1, 2, 4, 8, … frames
                self._rest = rest_pose(np.stack(self._samples), self._skeleton)

    def bones(self) -> list[tuple[str, list[float], list[float]]]:
        """Each bone's name, local position and quaternion x y z w, in Unity's axes."""
        assert self._rest is not None
        times = [time_s for time_s, _ in self._recent]
        span_s = times[-1] - times[0]
        fps = (len(times) - 1) / span_s if span_s > 0 else 1 / TWIST_MARGIN_S
        joints = np.stack([joints for _, joints in self._recent])
        rotations = bone_rotations(joints, self._skeleton, fps)[-1:]
        skeleton = rig(_NAMES, self._rest)
        positions = skeleton.offsets_m.copy()
        positions[0] = joints[-1, 0]
        turned = quaternions(skeleton.relative(rotations)[0])[:, [1, 2, 3, 0]]
        mirrored = positions * [-1.0, 1.0, 1.0], turned * [1.0, -1.0, -1.0, 1.0]
        positions, turned = (values.tolist() for values in mirrored)
        return list(zip(skeleton.names, positions, turned, strict=True))
