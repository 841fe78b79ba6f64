"""What the ffmpeg program says of a video's picture, in its words for people, as values.

The one place that knows these texts: the lines on an input, those of the filter `showinfo`, the
packets that `-f framecrc` lists, and the headers that `trace_headers` prints. There is no ffprobe
here: imageio-ffmpeg does not bring one.
"""

import math
import re
from array import array
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
"""ffmpeg's names of the transfer functions PQ and HLG."""

_NO_TIME = -(1 << 63)
_DISCARD = 4  # AV_PKT_FLAG_DISCARD: decoded, but not shown
_UNITS = {"k": 1e3, "m": 1e6}

_INPUT = re.compile(r"^Input #0, (\S+), from ", re.M)
_PICTURE = re.compile(r"^ *Stream #0:\d.*?: Video: (\w+)(.*)", re.M)
_TRACK = re.compile(r"^ *Stream #0:(\d+)(?:\[\w+\])?\(\w+\): Video: ", re.M)
_SOUND = re.compile(r"^ *Stream #0:\d.*?: Audio: (\w+).* \d+ Hz", re.M)
_DURATION = re.compile(r"^ *Duration: (\d+):(\d\d):(\d\d\.\d+)", re.M)
_RATE = re.compile(r"[ ,]([\d.]+)([km]?) fps")
_TURN = re.compile(r"[Dd]isplay ?[Mm]atrix: rotation of (-?[\d.]+|-?nan) degrees")
_DOLBY = re.compile(r"DOVI configuration record:.*\bprofile: (?:5|10),.* compatibility id: 0\b")
_FOCAL = re.compile(r"\bfocal_length\.35mm_equivalent *: ([\d.]+)\s*$", re.M)
_FIELDS = re.compile(r"\b(top|bottom) (coded )?first\b")
_CLOCK = re.compile(r"config in time_base: (\d+)/(\d+), frame_rate: (\d+)/(\d+)")
_SHOWN = re.compile(
    r"\bn: *\d+ pts: *(\S+) .*?\bfmt:(\S+) .*?\bsar:(\d+)/(\d+) s:(\d+)x(\d+) i:(.)"
)
_COLOURS = re.compile(r"\bcolor_trc:(\S+)")
_TICK = re.compile(rb"^#tb 0: (\d+)/(\d+)", re.M)
_PACKET = re.compile(rb"^0, *-?\d+, *(-?\d+), *\d+, *\d+, *0x\w+(?:, *F=0x(\w+))?", re.M)
MAX_PACKETS = 5_000_000
"""Pictures of a file: a day at 60 a second."""
_CUT = re.compile(r"ended prematurely|partial file|[Tt]runcat")
_CUT_OR_LOST = re.compile(_CUT.pattern + r"|[Pp]acket corrupt|corrupt input packet")
_DAMAGE = re.compile(r"[Dd]ecoding error|[Ee]rror while decoding|corrupt decoded|concealing")
_HEADER = re.compile(
    rb"\b(frame_(?:width|height)_minus_1|pic_(?:width|height)_in_\w+|max_frame_\w+_minus_1|"
    rb"(?:horizontal|vertical)_size_\w+|frame_crop\w+|conf_win_\w+|sar_\w+|aspect_ratio_\w+|"
    rb"frame_mbs_only_flag|progressive_sequence|field_seq_flag) .* = (\d+)\s*$"
)
_MAY_BE_INTERLACED = {("frame_mbs_only_flag", 0), ("progressive_sequence", 0)}
_TOO_LARGE = re.compile(r"Picture size (\d+)x(\d+) exceeds specified max pixel count")
_UNREACHED = re.compile(
    r"Connection refused|Failed to resolve hostname|No route to host|Network is unreachable"
)
_SHORT_OF_MEMORY = re.compile(
    r"Cannot allocate memory|pthread_create\(\) failed|thread_encoder_init failed"
)
_JUMP = re.compile(r"timestamp discontinuity.*?: (-?\d+), new offset")


@dataclass(frozen=True)
class StreamText:
    """The lines on an input.

    container, codec: ffmpeg's names; codec "none" where it knows none. fps: The rate that the line
    gives, rounded; None without one. turn_deg: What players turn the picture by, anticlockwise
    degrees; NaN for no turn about a right angle; None where no matrix is given. fields: Whether the
    line says which field comes first. sound: The codec of the first audio stream with a sampling
    rate; None without one. duration_s: Of the longest stream; None where unknown. is_dolby: Whether
    its colours are Dolby Vision's own (IPT), which without its metadata are wrong. focal_35mm: The
    focal length, mm, that gives the same view on 35 mm film, 0 where the camera did not say.
    """

    container: str
    codec: str
    fps: float | None
    turn_deg: float | None
    fields: bool
    sound: str | None
    duration_s: float | None
    is_dolby: bool
    focal_35mm: float


def read_stream(log: str) -> StreamText | None:
    """The lines on the input in ffmpeg's log; None where it has no picture."""
    container, picture = _INPUT.search(log), _PICTURE.search(log)
    if container is None or picture is None:
        return None
    rate, sound, turn = _RATE.search(picture[2]), _SOUND.search(log), _TURN.search(log)
    duration, focal = _DURATION.search(log), _FOCAL.search(log)
    return StreamText(
        container[1].rstrip(","),
        picture[1],
        float(rate[1]) * _UNITS.get(rate[2], 1) if rate else None,
        float(turn[1]) if turn else None,
        _FIELDS.search(picture[2]) is not None,
        None if sound is None or sound[1] == "none" else sound[1],
        sum(float(n) * unit for n, unit in zip(duration.groups(), (3600, 60, 1), strict=True))
        if duration
        else None,
        _DOLBY.search(log) is not None,
        float(focal[1]) if focal else 0.0,
    )


def is_short_of_memory(log: str) -> bool:
    """Whether the system, or its limit, gave ffmpeg no more memory."""
    return _SHORT_OF_MEMORY.search(log) is not None


def first_track(log: str) -> int | None:
    """The number of the first stream that is a track of pictures and not a picture alone.

    A track has a language, if only "und"; pictures that stand beside tracks in a file have none.
    """
    track = _TRACK.search(log)
    return int(track[1]) if track else None


@dataclass(frozen=True)
class ShownFrame:
    """One decoded frame, as `showinfo` describes it before any other filter.

    time_s: Presentation time from the start of the file's clock, seconds; NaN without one.
    width, height: Upright, px. sar: Width of a pixel over its height; 1 where it is not said.
    is_interlaced: Whether its lines are of two moments.
    """

    time_s: float
    width: int
    height: int
    sar: Fraction
    is_interlaced: bool


class ShowinfoReader:
    """Reads `showinfo`'s lines, one after another."""

    def __init__(self) -> None:
        self._tick_s = 1.0
        self.rate: Fraction | None = None
        """The frame rate that filters are told, exactly; None where there is none."""
        self.transfer = "unknown"
        """The transfer function of the latest frame."""
        self.damage: str | None = None
        """The first line that says that a frame is damaged."""
        self.too_large: str | None = None
        """The size of a frame that has more pixels than ffmpeg may decode, with its unit."""
        self.is_short_of_memory = False
        """Whether ffmpeg was refused memory."""
        self.unreached: str | None = None
        """Why a server was not reached, in ffmpeg's words; None where it was."""

    def frame(self, line: str) -> ShownFrame | None:
        """The frame that a line of ffmpeg's log describes; None for other lines."""
        if shown := _SHOWN.search(line):
            stamp, _, sar_x, sar_y, width, height, fields = shown.groups()
            is_timed = re.fullmatch(r"-?\d+", stamp) is not None
            sar = Fraction(int(sar_x), int(sar_y)) if int(sar_y) else Fraction(0)
            return ShownFrame(
                int(stamp) * self._tick_s if is_timed else math.nan,
                int(width), int(height), sar or Fraction(1), fields in "TB",
            )  # fmt: skip
        if clock := _CLOCK.search(line):
            ticks, second, count, per = map(int, clock.groups())
            self._tick_s = ticks / second if second else 1.0
            self.rate = Fraction(count, per) if count and per else None
        elif colours := _COLOURS.search(line):
            self.transfer = colours[1]
        elif too_large := _TOO_LARGE.search(line):
            self.too_large = f"{too_large[1]} × {too_large[2]} px"
        elif is_short_of_memory(line):
            self.is_short_of_memory = True
        elif self.damage is None and _DAMAGE.search(line):
            self.damage = line.strip()
        elif unreached := _UNREACHED.search(line):
            self.unreached = unreached[0]
        return None


@dataclass(frozen=True)
class Packets:
    """What the container holds of the picture, undecoded.

    count: Packets that are shown. span_s: From the first one's time to the last one's, seconds;
    None where they have no times. step_s: The median of the times between them. are_timed: Whether
    each has a presentation time. are_hidden: Whether some are decoded and not shown (an edit list's
    pre-roll). is_cut: Whether the file ends inside one. jumps: Whether the container's clock leaps
    ahead, which ffmpeg takes out again.
    """

    count: int
    span_s: float | None
    step_s: float | None
    are_timed: bool
    are_hidden: bool
    is_cut: bool
    jumps: bool

    @property
    def rate(self) -> float | None:
        """Packets a second on average; None where unknown."""
        return (self.count - 1) / self.span_s if self.span_s else None


class PacketReader:
    """Reads the list of packets that `-c copy -f framecrc` prints, as it comes."""

    def __init__(self) -> None:
        self._rest = b""
        self._tick_s = 1.0
        self._stamps = array("q")  # of those that are shown
        self._hidden = 0

    def read(self, part: bytes) -> None:
        """Take some more of the list.

        Raises:
            ValueError: There are more than `MAX_PACKETS`.
        """
        lines, newline, self._rest = (self._rest + part).rpartition(b"\n")
        if tick := _TICK.search(lines):
            self._tick_s = int(tick[1]) / int(tick[2])
        for stamp, flags in _PACKET.findall(lines + newline):
            if flags and int(flags, 16) & _DISCARD:
                self._hidden += 1
            else:
                self._stamps.append(int(stamp))
        if len(self._stamps) + self._hidden > MAX_PACKETS:
            raise ValueError(f"more than {MAX_PACKETS:,} packets")

    def packets(self, log: str, container: str) -> Packets:
        """The packets, with what ffmpeg's log says meanwhile.

        Where parts of a transport stream are joined, ffmpeg calls their packets corrupt; elsewhere
        that is a file's end.
        """
        cut = _CUT if container == "mpegts" else _CUT_OR_LOST
        stamps = np.frombuffer(self._stamps, np.int64) if self._stamps else np.zeros(0, np.int64)
        timed = np.sort(stamps[stamps != _NO_TIME])
        has_span = len(timed) > 1 and timed[-1] > timed[0]
        return Packets(
            len(stamps),
            float(timed[-1] - timed[0]) * self._tick_s if has_span else None,
            float(np.median(np.diff(timed))) * self._tick_s if has_span else None,
            len(timed) == len(stamps),
            self._hidden > 0,
            cut.search(log) is not None,
            any(int(jump) > 0 for jump in _JUMP.findall(log)),
        )


@dataclass(frozen=True)
class Headers:
    """What the headers in a stream say of its pictures, undecoded.

    may_be_interlaced: Whether they leave open that a frame has lines of two moments. are_alike:
    Whether all of them give pictures the same size, shape of pixels and fields.
    """

    may_be_interlaced: bool
    are_alike: bool


class HeaderReader:
    """Reads the headers that the bitstream filter `trace_headers` prints, line by line."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}
        self._may_be_interlaced = self._is_changed = False

    def read(self, line: bytes) -> bool:
        """Take a line of ffmpeg's log; whether it is of something else than a header."""
        if b"trace_headers" not in line:
            return True
        if field := _HEADER.search(line):
            name, value = field[1].decode(), int(field[2])
            self._may_be_interlaced |= (name, value) in _MAY_BE_INTERLACED
            self._is_changed |= self._values.setdefault(name, value) != value
        return False

    @property
    def headers(self) -> Headers:
        """What those read so far say."""
        return Headers(self._may_be_interlaced, bool(self._values) and not self._is_changed)
