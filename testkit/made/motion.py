"""Motion capture as text with the CMU skeleton's joint names, all lengths and angles known."""

from core.types import Floats

UNIT_M = 0.0254 / 0.45
_CHAINS = """
Hips 0 0 0
 LHipJoint 0 0 0
  LeftUpLeg 1.6 -1.6 0
   LeftLeg 0 -7 0
    LeftFoot 0 -7 0
     LeftToeBase 0 -0.5 2
 RHipJoint 0 0 0
  RightUpLeg -1.6 -1.6 0
   RightLeg 0 -7 0
    RightFoot 0 -7 0
     RightToeBase 0 -0.5 2
 LowerBack 0 0 0
  Spine 0 2.2 0
   Spine1 0 2.2 0
    Neck 0 0 0
     Neck1 0 1.4 0
      Head 0 1.4 0
    LeftShoulder 0 0 0
     LeftArm 3.2 0.9 0
      LeftForeArm 5 0 0
       LeftHand 3.4 0 0
    RightShoulder 0 0 0
     RightArm -3.2 0.9 0
      RightForeArm -5 0 0
       RightHand -3.4 0 0
"""
JOINTS = [line.split()[0] for line in _CHAINS.strip().splitlines()]


def bvh(frames: list[dict[str, Floats]]) -> str:
    """A BVH file of 60 frames a second.

    Each frame maps joints to Z, Y, X degrees, and `place` to the hips' position; all other joints
    are at rest.
    """
    lines = [line for line in _CHAINS.splitlines() if line]
    text, open_levels = ["HIERARCHY"], []
    for i, line in enumerate(lines):
        level = len(line) - len(line.lstrip())
        while open_levels and open_levels[-1] >= level:
            text.append("}")
            open_levels.pop()
        name, *offset = line.split()
        channels = "CHANNELS 3 Zrotation Yrotation Xrotation"
        if level == 0:
            channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"
        text += [
            f"{'JOINT' if level else 'ROOT'} {name}",
            "{",
            f"OFFSET {' '.join(offset)}",
            channels,
        ]
        open_levels.append(level)
        if i + 1 == len(lines) or len(lines[i + 1]) - len(lines[i + 1].lstrip()) <= level:
            end = "0 0 1" if name.endswith("ToeBase") else "0 1 0"
            text += ["End Site", "{", f"OFFSET {end}", "}"]
    text += ["}"] * len(open_levels)
    text += ["MOTION", f"Frames: {len(frames)}", f"Frame Time: {1 / 60}"]
    for frame in frames:
        values = [*frame.get("place", [0, 0, 0])]
        for name in JOINTS:
            values += [*frame.get(name, [0, 0, 0])]
        text.append(" ".join(map(str, values)))
    return "\n".join(text)
