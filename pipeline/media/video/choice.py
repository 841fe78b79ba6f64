"""Who decodes a video: OpenCV, or the ffmpeg program where OpenCV's pictures would be wrong.

OpenCV is as fast as decoding gets here, and right for progressive frames of square pixels. It
answers that all is well for frames of interlaced fields that it did not convert, gives frames of a
changed size the first one's shape, and knows no mirrored display, no shape of pixels and no times
but the container's. It decodes in this process, where nothing limits the memory that it takes: so
only what ffmpeg, in a process with a limit, has found to be of one size.
"""

import cv2
import numpy as np

from core.types import Picture
from pipeline.media.video import tone_mapping
from pipeline.media.video.facts import PICTURE, SKETCH_PX, VideoFacts
from pipeline.media.video.fitting import pixel_shape

_MIN_PSNR_DB = 16.0
_MIN_CONTRAST = 8.0
_MAX_PIXELS = 7680 * 4320  # a decoder holds twenty frames and more


def why_ffmpeg(facts: VideoFacts) -> str | None:
    """Why OpenCV would decode a video wrongly, by what ffmpeg says of it; None where it would not.

    The words stand in the report.
    """
    stream, packets = facts.stream, facts.packets
    first = facts.frames[0]
    shape = pixel_shape(first)
    turn = stream.turn_deg
    reasons = {
        "an animation beside its still": facts.picture != PICTURE,
        "interlaced": facts.is_interlaced,
        f"pixels of {shape.numerator}:{shape.denominator}": shape != 1,
        "mirrored": facts.is_mirrored,
        "turned by its stream": turn is not None and not _is_plain_turn(turn, stream.container),
        "high dynamic range": tone_mapping.is_hdr(facts.transfer) and tone_mapping.can_tone_map(),
        "frames without times": not packets.are_timed,
        "frames hidden by an edit list": packets.are_hidden,
        "its clock leaps": packets.jumps,
        "frames of more than 8K": first.width * first.height > _MAX_PIXELS,
        "its frames may change their size": not facts.is_alike,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _is_plain_turn(turn_deg: float, container: str) -> bool:
    """Whether a display matrix is one that OpenCV's angle says all of."""
    return container.startswith("mov,") and turn_deg % 90 == 0


def looks_different(rgb: Picture, facts: VideoFacts) -> bool:
    """Whether OpenCV's first frame is another picture than ffmpeg's: black, stale or turned.

    Args:
        rgb: (H, W, 3), OpenCV's.
        facts: With ffmpeg's sketches; one without contrast decides nothing.
    """
    ours = cv2.resize(rgb, (SKETCH_PX, SKETCH_PX), interpolation=cv2.INTER_AREA)
    ours = cv2.cvtColor(ours, cv2.COLOR_RGB2GRAY).astype(np.float32)
    theirs = facts.sketches[0].astype(np.float32)
    if theirs.std() < _MIN_CONTRAST:
        return False
    error = float(np.mean((ours - theirs) ** 2))
    return error > 255**2 / 10 ** (_MIN_PSNR_DB / 10)
