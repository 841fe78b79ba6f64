"""Some fifty kinds of video file, made by ffmpeg, and what ffmpeg itself says is in them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from pipeline.media.ffmpeg_program import frame_sync_option, local_url
from pipeline.media.ffmpeg_program import run_ffmpeg as ask_ffmpeg
from pipeline.media.video import tone_mapping
from testkit.make_video import run_ffmpeg

FRAMES, FPS = 30, 30


@dataclass(frozen=True)
class Source:
    """What the files are made of: a test picture that moves.

    width, height px, divisible by 16; frames their number, divisible by two.
    """

    width: int = 320
    height: int = 192
    frames: int = FRAMES

    def words(self, size: str | None = None, frames: int | None = None) -> list[str]:
        """ffmpeg's words for an input of this picture."""
        seconds = (frames or self.frames) / FPS
        size = size or f"{self.width}x{self.height}"
        return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={FPS}:d={seconds},gblur=sigma=1.5"]


Make = Callable[[Path, Source], None]


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name, its ending, what makes it, and ffmpeg's filters for right frames.

    frames: What the file has, over what the source has.
    """

    name: str
    suffix: str
    make: Make
    filters: str = "null"
    frames: float = 1.0


def encoded(words: str, sound: bool = False) -> Make:
    """Make a file by one command; `words` are its output's."""

    def make(path: Path, source: Source) -> None:
        tone = ["-f", "lavfi", "-i", "sine=440:d=1"] if sound else []
        run_ffmpeg(*source.words(), *tone, *words.split(), local_url(path))

    return make


X264 = "-c:v libx264 -preset veryfast -crf 10 -g 12 -bf 2 -pix_fmt yuv420p"
X265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none:crf=12"
NO_B_FRAMES = X264.replace("-bf 2", "-bf 0")  # else the times of joined parts overlap


def redisplayed(words: str, coding: str = X264) -> Make:
    """Make a file whose display matrix `words`, options of an input, set."""

    def make(path: Path, source: Source) -> None:
        plain = path.with_name(f"plain_{path.name}")
        run_ffmpeg(*source.words(), *coding.split(), local_url(plain))
        run_ffmpeg(*words.split(), "-i", local_url(plain), "-c", "copy", local_url(path))
        plain.unlink()

    return make


def joined(*parts: tuple[str, str, str]) -> Make:
    """Make a file of parts, bytes after bytes: each of a size, options, and a clock offset in s."""

    def make(path: Path, source: Source) -> None:
        stream = path if path.suffix == ".ts" else path.with_suffix(".joined.ts")
        pieces = []
        for number, (size, words, offset) in enumerate(parts):
            piece = path.with_name(f"{path.stem}_{number}.ts")
            made_of = source.words(size or None, source.frames // 2)
            output = [
                "-output_ts_offset",
                offset,
                *(words or NO_B_FRAMES).split(),
                local_url(piece),
            ]
            run_ffmpeg(*made_of, *output)
            pieces.append(piece.read_bytes())
            piece.unlink()
        stream.write_bytes(b"".join(pieces))
        if stream != path:
            run_ffmpeg("-i", local_url(stream), "-c", "copy", local_url(path))
            stream.unlink()

    return make


def listed(*sizes: str, coding: str) -> Make:
    """Make a file of parts of several sizes by ffmpeg's list of files."""

    def make(path: Path, source: Source) -> None:
        parts = []
        for number, size in enumerate(sizes):
            part = path.with_name(f"{path.stem}_{number}{path.suffix}")
            run_ffmpeg(*source.words(size, source.frames // 2), *coding.split(), local_url(part))
            parts.append(part)
        lines = path.with_suffix(".txt")
        lines.write_text("".join(f"file '{part.absolute()}'\n" for part in parts))
        words = ["-f", "concat", "-safe", "0", "-i", str(lines), "-c", "copy"]
        run_ffmpeg(*words, local_url(path))
        for left in (lines, *parts):
            left.unlink()

    return make


def trimmed(path: Path, source: Source) -> None:
    """Make a file that hides its first frames behind an edit list, as phones' own editors do."""
    whole = path.with_name(f"whole_{path.name}")
    tone = ["-f", "lavfi", "-i", f"sine=440:d={source.frames / FPS}"]
    run_ffmpeg(*source.words(), *tone, *X264.split(), local_url(whole))
    run_ffmpeg("-ss", "0.3", "-i", local_url(whole), "-c", "copy", local_url(path))
    whole.unlink()


def uneven(path: Path, source: Source) -> None:
    """Make a file of variable frame rate: two frames of three."""
    words = ["-vf", "select=mod(n\\,3)", f"-{frame_sync_option()}", "passthrough"]
    run_ffmpeg(*source.words(), *words, *X264.split(), local_url(path))


LETTERBOX = (
    "scale={w}:{h}:force_original_aspect_ratio=decrease,"
    "format=rgb24,pad={w}:{h}:(ow-iw)/2:(oh-ih)/2"
)
SQUARE = "scale=round(iw*sar):ih,setsar=1"
FIELDS = "-vf setfield=tff -flags +ildct+ilme"
HLG = f"{X265}:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc -pix_fmt yuv420p10le"
PQ = HLG.replace("arib-std-b67", "smpte2084")
TFF = "-x264-params interlaced=1:tff=1"
WIDE, TALL = "320x192", "192x320"

KINDS = (
    Kind("h264", "mp4", encoded(X264)),
    Kind("h264 of 10 bit", "mkv", encoded(X264.replace("yuv420p", "yuv420p10le"))),
    Kind("h264 4:4:4", "mp4", encoded(X264.replace("yuv420p", "yuv444p"))),
    Kind("h264 of full range", "mov", encoded(X264.replace("yuv420p", "yuvj420p"))),
    Kind("h264 in flash", "flv", encoded(X264)),
    Kind("h264 in a transport stream", "ts", encoded(X264, sound=True)),
    Kind("h264, uneven", "mkv", uneven, frames=2 / 3),
    Kind("h264, raw, 60 a second", "h264", encoded(f"-r 60 {X264}"), frames=2),
    Kind("hevc", "mp4", encoded(f"{X265} -pix_fmt yuv420p")),
    Kind("hevc 4:2:2 of 10 bit", "mov", encoded(f"{X265} -pix_fmt yuv422p10le -tag:v hvc1")),
    Kind("hevc, raw, 24 a second", "hevc", encoded(f"-r 24 {X265}"), frames=0.8),
    Kind("vp8", "webm", encoded("-c:v libvpx -b:v 4M -deadline realtime")),
    Kind("vp9", "webm", encoded("-c:v libvpx-vp9 -b:v 4M -deadline realtime -cpu-used 8")),
    Kind("av1", "mp4", encoded("-c:v libaom-av1 -crf 20 -cpu-used 8 -usage realtime")),
    Kind("av1 of 10 bit", "webm", encoded(
        "-c:v libaom-av1 -crf 20 -cpu-used 8 -usage realtime -pix_fmt yuv420p10le")),
    Kind("mpeg4 with sound", "avi", encoded("-c:v mpeg4 -q:v 2 -bf 2", sound=True)),
    Kind("msmpeg4", "avi", encoded("-c:v msmpeg4 -q:v 2")),
    Kind("motion jpeg", "avi", encoded("-c:v mjpeg -q:v 2 -pix_fmt yuvj422p")),
    Kind("windows media", "wmv", encoded("-c:v wmv2 -q:v 2", sound=True)),
    Kind("theora", "ogv", encoded("-c:v libtheora -q:v 9")),
    Kind("mpeg2", "vob", encoded("-c:v mpeg2video -q:v 2 -bf 2", sound=True)),
    Kind("mpeg2, interlaced", "ts", encoded(f"-c:v mpeg2video -q:v 2 -bf 2 {FIELDS}")),
    Kind("h264, interlaced", "mts", encoded(f"{X264} {TFF}", sound=True)),
    Kind("h264, later interlaced", "ts",
         joined(("", "", "0"), ("", f"{NO_B_FRAMES} {TFF}", "0.5"))),
    Kind("prores", "mov", encoded("-c:v prores_ks -profile:v 2")),
    Kind("prores, interlaced", "mov", encoded(f"-c:v prores_ks -profile:v 2 {FIELDS}")),
    Kind("dv", "dv", encoded("-vf scale=720:576,fps=25 -c:v dvvideo -pix_fmt yuv420p"),
         SQUARE, 25 / 30),
    Kind("dnxhr", "mxf", encoded("-c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p")),
    Kind("ffv1", "mkv", encoded("-c:v ffv1 -pix_fmt bgr0")),
    Kind("quicktime animation", "mov", encoded("-c:v qtrle -pix_fmt rgb24")),
    Kind("raw pictures", "y4m", encoded("-pix_fmt yuv420p")),
    Kind("gif", "gif", encoded("-r 25"), frames=25 / 30),
    Kind("animated png", "apng", encoded("-plays 0")),
    Kind("animated webp", "webp", encoded("-c:v libwebp_anim -q:v 95")),
    Kind("turned", "mp4", redisplayed("-display_rotation 90")),
    Kind("turned, in matroska", "mkv", redisplayed("-display_rotation 90")),
    Kind("upside down", "mov", redisplayed("-display_rotation 180")),
    Kind("mirrored", "mp4", redisplayed("-display_rotation 0 -display_hflip")),
    Kind("mirrored upside down", "mp4", redisplayed("-display_rotation 0 -display_vflip")),
    Kind("mirrored and turned", "mp4", redisplayed("-display_rotation 90 -display_hflip")),
    Kind("wide pixels", "mp4", encoded(f"-vf setsar=64/45 {X264}"), SQUARE),
    Kind("narrow pixels in matroska", "mkv", encoded(f"-vf setsar=8/9 {X264}"), SQUARE),
    Kind("wide pixels, turned", "mp4",
         redisplayed("-display_rotation 90", f"-vf setsar=4/3 {X264}"), SQUARE),
    Kind("trimmed by an edit list", "mp4", trimmed, frames=0.7),
    Kind("joined, of two shapes", "ts", joined((WIDE, "", "0"), (TALL, "", "0")),
         LETTERBOX.format(w=320, h=192)),
    Kind("joined, of two shapes, in matroska", "mkv",
         joined((WIDE, "", "0"), (TALL, "", "0.5")), LETTERBOX.format(w=320, h=192)),
    Kind("vp8 of two sizes", "webm",
         listed(WIDE, "160x96", coding="-c:v libvpx -b:v 4M -deadline realtime"),
         LETTERBOX.format(w=320, h=192)),
    Kind("joined, an hour apart", "ts", joined(("", "", "0"), ("", "", "3600"))),
    Kind("hlg", "mp4", encoded(HLG), tone_mapping.FILTERS),
    Kind("pq", "mkv", encoded(PQ), tone_mapping.FILTERS),
)  # fmt: skip
"""All kinds."""


def expected_times(path: Path) -> Floats:
    """(T,) seconds from the first frame: the times of a file's frames as ffmpeg decodes them."""
    words = ["-i", local_url(path), "-map", "0:V:0", f"-{frame_sync_option()}", "passthrough"]
    text = ask_ffmpeg(*words, "-f", "framecrc", "pipe:1").output.decode()
    tick = re.search(r"^#tb 0: (\d+)/(\d+)", text, re.M)
    assert tick is not None, text
    stamps = re.findall(r"^0, *-?\d+, *(-?\d+),", text, re.M)
    times = np.array([int(stamp) for stamp in stamps]) * int(tick[1]) / int(tick[2])
    return np.asarray(times - times[0])


def expected_frames(path: Path, filters: str, width: int, height: int) -> NDArray[np.uint8]:
    """(T, H, W, 3) RGB: a file's frames as ffmpeg decodes them, through its filters."""
    words = ["-i", local_url(path), "-map", "0:V:0", "-vf", filters]
    words += [f"-{frame_sync_option()}", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo"]
    pixels = ask_ffmpeg(*words, "pipe:1").output
    return np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3)


def psnr_db(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures of 8 bit, dB; at most 99."""
    error = float(np.mean((ours.astype(np.float32) - theirs) ** 2))
    return min(99.0, 10 * float(np.log10(255**2 / error))) if error else 99.0
