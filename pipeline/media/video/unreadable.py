"""Why a file cannot be read as a video, in words for a person."""

import re
from pathlib import Path

from pipeline.media.ffmpeg_program import local_input, run_ffmpeg
from pipeline.media.video.mp4 import is_mov


def unreadable_reason(path: Path) -> str:
    """What is wrong with a file whose picture nothing here can decode."""
    log = run_ffmpeg(*local_input(path)).log
    if is_mov(path) and "moov atom not found" in log:
        return (
            "the file is cut short: the index at its end (moov) is missing; copy or record it again"
        )
    if "Audio:" in log and ("Video:" not in log or _has_cover_only(log)):
        return "the file has sound but no picture"
    if re.search(r"Video: (webp|apng)", log):
        return "an animation that this ffmpeg does not decode; save it as a GIF or as a video"
    if unknown := re.search(r"Video: none \((\w+)", log):
        return f"its picture is coded as {unknown[1]}, which FFmpeg does not know"
    if known := re.search(r"Video: (\w+)", log):
        return (
            f"none of its frames can be decoded (it says that they are {known[1]}); "
            "it is cut short, damaged or encrypted"
        )
    if "Format not on whitelist" in log:
        return "its format is not read here; playlists are not, because they open other files"
    return "not a video that FFmpeg can read"


def _has_cover_only(log: str) -> bool:
    """Whether the only picture of a file is the cover of its sound."""
    pictures = re.findall(r"^ *Stream #.*Video: .*", log, re.M)
    return bool(pictures) and all("(attached pic)" in picture for picture in pictures)
