"""What encodes H.264: libx264, or a chip's encoder where ffmpeg and the machine have one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipeline.media.ffmpeg_program import run_ffmpeg
from pipeline.media.options import EncoderName
from pipeline.runtime.logs import LOG


@dataclass(frozen=True)
class Encoder:
    """An encoder of ffmpeg's.

    options: Of the output. before: Words before the inputs. filters: What brings pictures to it,
    by name with their argument.
    """

    options: Mapping[str, Any]
    before: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)


SOFTWARE = Encoder({
    "vcodec": "libx264", "preset": "superfast", "threads": 1,
    "x264-params": "mbtree=1:rc-lookahead=10", "pix_fmt": "yuv420p",
})  # fmt: skip
"""superfast with macroblock tree and a short lookahead has veryfast's size and quality for two
thirds of its work. One thread, because drawing keeps the other cores busy, and more threads cost a
third more in all. How good, a constant rate factor says."""

LIVE_SOFTWARE = Encoder({
    "vcodec": "libx264", "preset": "ultrafast", "threads": 1,
    "x264-params": "deblock=0,0:aq-mode=1", "crf": 23, "pix_fmt": "yuv420p",
})  # fmt: skip
"""For pictures that come as fast as they are encoded: as good as SOFTWARE at a factor of 21, by
SSIM, for 0.6 of its work and 1.9 times its bytes."""

HARDWARE: dict[str, Encoder] = {
    "nvenc": Encoder({
        "vcodec": "h264_nvenc", "preset": "p4", "rc": "vbr", "cq": 23, "b:v": 0,
        "pix_fmt": "yuv420p",
    }),
    "videotoolbox": Encoder({"vcodec": "h264_videotoolbox", "q:v": 65, "pix_fmt": "yuv420p"}),
    "vaapi": Encoder(
        {"vcodec": "h264_vaapi", "qp": 22},
        before=("-vaapi_device", "/dev/dri/renderD128"),
        filters={"format": "nv12", "hwupload": ""},
    ),
}  # fmt: skip
"""Encoders of chips, each at about SOFTWARE's quality by its makers' scale."""


@cache
def encoder_of(name: EncoderName) -> Encoder:
    """The encoder of a name, if it works here, else libx264, which is said once.

    "auto" is the first of `HARDWARE` that works.
    """
    if name == "libx264":
        return SOFTWARE
    tried = HARDWARE if name == "auto" else {name: HARDWARE[name]}
    for encoder in tried.values():
        complaint = _complaint(encoder)
        if complaint is None:
            return encoder
    if name != "auto":
        LOG.warning("encoder %s does not work here (%s): libx264 encodes", name, complaint)
    return SOFTWARE


def _complaint(encoder: Encoder) -> str | None:
    """Why an encoder does not encode five frames; None where it does."""
    chain = ",".join(f"{key}={value}" if value else key for key, value in encoder.filters.items())
    options = [word for key, value in encoder.options.items() for word in (f"-{key}", str(value))]
    answer = run_ffmpeg(
        "-v", "error", *encoder.before, "-f", "lavfi", "-i", "testsrc2=s=256x256:r=25:d=0.2",
        *(("-vf", chain) if chain else ()), *options, "-f", "null", "-",
    )  # fmt: skip
    if answer.is_well:
        return None
    first, *_ = [*answer.log.splitlines(), "it said nothing"]
    return re.sub(r"^\[.*?\] ", "", first)  # which part of ffmpeg says it
