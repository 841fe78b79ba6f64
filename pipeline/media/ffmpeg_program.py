"""The ffmpeg program: where it is, and how it is run.

Only the `ffmpeg` program is needed, not `ffprobe`: imageio-ffmpeg brings the one without the other.
"""

import re
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from core.errors import InputError, OutputError
from pipeline.media.files import MAX_PIXELS

MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac"})
"""Audio codecs, as ffmpeg names them, that players know in mp4; others are encoded again."""

LOCAL_ONLY = {
    "protocol_whitelist": "file,pipe",
    "format_whitelist": ",".join((
        "mov", "matroska", "avi", "mpegts", "mpegtsraw", "mpeg", "mpegvideo", "asf", "asf_o", "flv",
        "live_flv", "kux", "ogg", "nut", "ivf", "dv", "mxf", "gxf", "lxf", "wtv", "rm", "ivr",
        "nsv", "nuv", "swf", "pva", "pmp", "mtv", "dhav", "vivo", "cine", "r3d", "roq", "smk",
        "bink", "flic", "film_cpk", "yuv4mpegpipe", "gif", "apng", "webp_anim", "jpegxl_anim",
        "obu", "av1", "h261", "h263", "h264", "hevc", "vvc", "evc", "m4v", "mjpeg", "mjpeg_2000",
        "mpjpeg", "cavsvideo", "avs2", "avs3", "dirac", "dnxhd", "vc1", "vc1test", "ipu",
        "bmp_pipe", "dpx_pipe", "exr_pipe", "hdr_pipe", "j2k_pipe", "jpeg_pipe", "jpegls_pipe",
        "jpegxl_pipe", "pam_pipe", "pbm_pipe", "pcx_pipe", "pgm_pipe", "ppm_pipe", "png_pipe",
        "psd_pipe", "qoi_pipe", "sgi_pipe", "sunrast_pipe", "tiff_pipe", "webp_pipe",
        "aac", "aiff", "amr", "flac", "mp3", "wav",
    )),
}  # fmt: skip
"""FFmpeg's options for a file that may name others: none of them, and no network, is opened.

The formats are containers and streams of pictures, and of sound, for words on a file without a
picture. Playlists (concat, hls, dash), descriptions with companions (vobsub, imf, mlv, sdp), series
of pictures (image2) and vector pictures open files by names of their own, and are not among them.
"""

BOUNDED = ("-max_pixels", str(MAX_PIXELS), "-filter_threads", "4")
"""What stands before an input that is decoded: sizes may grow in mid-stream, and each thread takes
8 MiB for its stack."""


_MEMORY_BYTES, _MEMORY_BYTES_A_PIXEL = 2 << 30, 100
"""Of an ffmpeg that reads a file: in all, and more for each pixel of its frames, of which decoders
hold thirty."""

_MAX_LOG_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 16
_QUESTION_S = 60.0  # that a question may take which does not depend on a file's length


@dataclass(frozen=True)
class Answer:
    """What a run of ffmpeg wrote: its output, and its log in words for people.

    is_well: Whether it ended without an error. is_late: Whether it was ended because it took too
    long.
    """

    output: bytes
    log: str
    is_well: bool
    is_late: bool = False


def short_of_memory_error(path: Path, pixels: int = 0) -> InputError:
    """The error for a file that takes more than `memory_limit`, or than there is."""
    return InputError(
        f"{path}: takes more memory to decode than the {memory_limit(pixels) >> 20} MiB that ffmpeg"
        " is given, or than this machine has"
    )


def memory_limit(pixels: int = 0) -> int:
    """Bytes that an ffmpeg may take whose frames have so many pixels."""
    return _MEMORY_BYTES + _MEMORY_BYTES_A_PIXEL * pixels


@cache
def ffmpeg_program() -> str:
    """Find an ffmpeg that has libx264: the one on PATH, or imageio-ffmpeg's where that is newer.

    Distributions keep theirs for years, and older ones decode less: 5.1 knows no animated WebP.

    Raises:
        OutputError: There is none.
    """
    try:
        bundled = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:  # no wheel of it holds a program for this machine
        bundled = None
    programs = [program for program in (shutil.which("ffmpeg"), bundled) if program]
    with ThreadPoolExecutor() as at_once:
        banners = at_once.map(_banner, programs)
    versions = {
        program: _version(banner)
        for program, banner in zip(programs, banners, strict=True)
        if b"--enable-libx264" in banner
    }
    if not versions:
        raise OutputError(
            "no ffmpeg program with libx264 found: install ffmpeg, or `pip install imageio-ffmpeg`"
        )
    return max(versions, key=versions.__getitem__)  # the first of equals


def has_ffmpeg() -> bool:
    """Whether there is such a program."""
    try:
        return bool(ffmpeg_program())
    except OutputError:
        return False


@cache
def _banner(program: str) -> bytes:
    """What a program says of its version and of how it was built."""
    return _run(program, "-version").output


def _version(banner: bytes) -> tuple[int, int]:
    """An ffmpeg's version, both numbers; a build of no release counts as newer than all."""
    version = re.match(rb"ffmpeg version n?(\d+)\.(\d+)", banner)
    return (int(version[1]), int(version[2])) if version else (sys.maxsize, 0)


def frame_sync_option() -> str:
    """The option whose value `passthrough` keeps frame times; ffmpeg 5.1 renamed it."""
    return "fps_mode" if _version(_banner(ffmpeg_program())) >= (5, 1) else "vsync"


def local_url(path: Path) -> str:
    """A URL that ffmpeg takes for a local file, whatever its name (`-x.mp4`, `http://…`)."""
    return f"file:{path.absolute()}"


def local_input(path: Path) -> list[str]:
    """ffmpeg's words for an input that is one local file, and no other."""
    options = [word for key, value in LOCAL_ONLY.items() for word in (f"-{key}", value)]
    return [*options, "-i", local_url(path)]


def run_ffmpeg(
    *arguments: str,
    within_s: float = _QUESTION_S,
    output: Callable[[bytes], object] | None = None,
    keep: Callable[[bytes], object] = bool,
) -> Answer:
    """Run the ffmpeg program until it ends, well or not.

    Args:
        arguments: Its words.
        within_s: Seconds after which it is ended.
        output: Takes what it writes, part by part, which the answer then lacks.
        keep: Which lines of its log the answer has.

    Raises:
        OutputError: There is no such program.
    """
    return _run(ffmpeg_program(), *arguments, within_s=within_s, output=output, keep=keep)


def limit_memory(process: "subprocess.Popen[bytes]", pixels: int = 0) -> None:
    """Hold a program that decodes to `memory_limit`, where the system can.

    What a file says decides what FFmpeg allocates, and nothing in FFmpeg bounds all of it.
    """
    if hasattr(resource, "prlimit"):
        limits = (memory_limit(pixels), memory_limit(pixels))
        with suppress(ProcessLookupError, PermissionError):  # ended by now, or less is its limit
            resource.prlimit(process.pid, resource.RLIMIT_DATA, limits)


@cache
def has_filter(name: str) -> bool:
    """Whether the ffmpeg program has a filter."""
    return f" {name} " in run_ffmpeg("-filters").output.decode(errors="replace")


def _run(
    program: str,
    *arguments: str,
    within_s: float = _QUESTION_S,
    output: Callable[[bytes], object] | None = None,
    keep: Callable[[bytes], object] = bool,
) -> Answer:
    process = subprocess.Popen(
        [program, "-hide_banner", "-nostdin", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    limit_memory(process)
    written, log = bytearray(), bytearray()

    def read_log() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if len(log) < _MAX_LOG_BYTES and keep(line):
                log.extend(line)

    reader = threading.Thread(target=read_log, name="ffmpeg's log", daemon=True)
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(within_s, end)
    timer.daemon = True
    with process:
        try:
            reader.start()
            timer.start()
            assert process.stdout is not None
            while part := process.stdout.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]
                (output or written.extend)(part)
            reader.join()
            process.wait()
        finally:
            timer.cancel()
            process.kill()
    log_text = log.decode(errors="replace")
    return Answer(bytes(written), log_text, process.returncode == 0, late.is_set())
