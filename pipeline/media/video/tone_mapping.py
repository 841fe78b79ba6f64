"""From high dynamic range (HLG, PQ) to the one that screens show and detectors are trained on."""

from pipeline.media.ffmpeg_program import has_filter
from pipeline.media.video.ffmpeg_text import HDR_TRANSFERS

NEEDS = ("zscale", "tonemap")
"""The ffmpeg filters that it is made of."""

FILTERS = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)
"""Hable's curve in linear light, with BT.2020's primaries made BT.709's."""


def is_hdr(transfer: str) -> bool:
    """Whether a transfer function, by ffmpeg's name of it, is of high dynamic range."""
    return transfer in HDR_TRANSFERS


def can_tone_map() -> bool:
    """Whether this machine's ffmpeg has the filters."""
    return all(map(has_filter, NEEDS))
