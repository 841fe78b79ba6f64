"""Clocks of recordings cut apart by known amounts, by sound and by motion."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from core.errors import InputError
from core.skeletons import H36M_21
from core.types import Floats
from pipeline.multiview.sync.clocks import Clock, Recording, given_clocks, synchronise
from pipeline.multiview.sync.correlation import Signal
from pipeline.multiview.sync.motion import motion_signal
from pipeline.multiview.sync.sound import onsets
from testkit.made.gestures import View, gestures
from testkit.make_video import run_ffmpeg

RATE = 16_000
CUTS = [(-2.0, 0.0), (3.0, 0.0), (0.0133, 0.0), (0.7, 0.001), (-1.25, -0.001)]
"""Seconds by which the second recording starts later, and how much its clock runs slow."""


def talk(seconds: float, seed: int) -> Floats:
    """Bursts of noise of all lengths, as syllables are."""
    random = np.random.default_rng(seed)
    sound, start = np.zeros(int(seconds * RATE)), 0.2
    while start < seconds - 0.5:
        length = random.uniform(0.05, 0.25)
        burst = lfilter(
            [1.0], [1.0, -random.uniform(0, 0.9)], random.normal(size=int(length * RATE))
        )
        at = int(start * RATE)
        sound[at : at + len(burst)] += burst / burst.std() * np.hanning(len(burst))
        start += length + random.exponential(0.15)
    return sound / np.abs(sound).max()


def recorded(sound: Floats, start_s: float, seconds: float, drift: float, seed: int) -> Floats:
    """What a phone records of a sound, by its own clock: an echo, its own colour, noise."""
    random = np.random.default_rng(seed)
    times = start_s + (1 + drift) * np.arange(int(seconds * RATE)) / RATE
    heard = np.interp(times, np.arange(len(sound)) / RATE, sound)
    heard = heard + 0.3 * np.roll(heard, int(0.03 * RATE))
    heard = lfilter([1.0, random.uniform(-0.8, 0.8)], [1.0], heard)
    return 0.3 * random.uniform(0.3, 1) * heard + 0.005 * random.normal(size=len(heard))


def filmed(path: Path, sound: Floats, fps: int) -> Path:
    """A video with a sound."""
    picture = ["-f", "lavfi", "-i", f"color=s=64x64:r={fps}:d={len(sound) / RATE}"]
    samples = (sound.clip(-1, 1) * 32767).astype("<i2").tobytes()
    run_ffmpeg(
        *picture, "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0",
        "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", str(path), stdin=samples,
    )  # fmt: skip
    return path


def heard(path: Path) -> Recording:
    return Recording(path.name, onsets(path), [])


def seen(view: View, start_s: float, seconds: float, fps: float, drift: float, seed: int) -> Signal:
    """A person's motion as lifted from a view: jitter, and depth that is off as lifts' is."""
    random = np.random.default_rng(seed)
    times = np.arange(int(seconds * fps)) / fps
    joints, _ = view.of(gestures(start_s + (1 + drift) * times))
    noise = lfilter([0.4], [1, -0.6], random.normal(0, 0.02, joints.shape), axis=0)
    noise[..., 2] *= 3
    signal = motion_signal(joints + noise, times, H36M_21, seconds)
    assert signal is not None
    return signal


def largest_error_s(clock: Clock, offset_s: float, drift: float, seconds: float) -> float:
    """Between a clock and the true one, over the whole recording."""
    times = np.linspace(0, seconds, 50)
    return float(np.abs(clock.to_shared(times) - offset_s - (1 + drift) * times).max())


@pytest.mark.parametrize(("offset_s", "drift"), CUTS)
def test_sound_tells_clocks_within_10_ms(tmp_path: Path, offset_s: float, drift: float) -> None:
    sound = talk(40, seed=1)
    first = filmed(tmp_path / "a.mp4", recorded(sound, 3, 30, 0.0, 2), fps=25)
    second = filmed(tmp_path / "b.mp4", recorded(sound, 3 + offset_s, 30, drift, 3), fps=60)
    clocks = synchronise([heard(first), heard(second)])
    assert [clock.found_by for clock in clocks] == ["first", "sound"]
    assert largest_error_s(clocks[1], offset_s, drift, 30) < 0.010


def test_the_clock_of_sound_is_that_of_the_picture(tmp_path: Path) -> None:
    """A sound that starts later than the picture, and one that starts before it."""
    sound = talk(20, seed=4)
    files = [filmed(tmp_path / f"{name}.mp4", recorded(sound, 1, 15, 0, 5), 25) for name in "ab"]
    late, early = tmp_path / "late.mkv", tmp_path / "early.mkv"
    for target, delays in ((late, ("0", "0.4")), (early, ("0.4", "0"))):
        words = [
            word
            for delay, stream in zip(delays, ("0:v", "1:a"), strict=True)
            for word in ("-itsoffset", delay, "-i", str(files[0]), "-map", stream)
        ]
        inputs, maps = [*words[:4], *words[6:10]], [*words[4:6], *words[10:]]
        run_ffmpeg(*inputs, *maps, "-c", "copy", str(target))
    clocks = synchronise([heard(files[1]), heard(late), heard(early)])
    assert clocks[1].offset_s == pytest.approx(-0.4, abs=0.01)
    assert clocks[2].offset_s == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(("offset_s", "drift"), CUTS)
@pytest.mark.parametrize("turn_deg", [60, 170])
def test_motion_tells_clocks_within_20_ms(offset_s: float, drift: float, turn_deg: float) -> None:
    first = seen(View(0.0), 3, 40, 25, 0.0, seed=1)
    second = seen(View(np.radians(turn_deg)), 3 + offset_s, 35, 60, drift, seed=2)
    clocks = synchronise([Recording("a", None, [first]), Recording("b", None, [second])])
    assert [clock.found_by for clock in clocks] == ["first", "motion"]
    assert largest_error_s(clocks[1], offset_s, drift, 35) < 0.020


def test_people_who_do_not_match_do_not_matter() -> None:
    """Each view has a person that the other one lacks."""

    def other(seed: int) -> Signal:
        times = np.arange(40 * 30) / 30
        signal = motion_signal(View(0.0).of(gestures(times, seed))[0], times, H36M_21, 40)
        assert signal is not None
        return signal

    first = [other(5), seen(View(0.0), 0, 40, 30, 0, seed=1)]
    second = [seen(View(1.0), 0.5, 40, 30, 0, seed=2), other(6)]
    clocks = synchronise([Recording("a", None, first), Recording("b", None, second)])
    assert clocks[1].offset_s == pytest.approx(0.5, abs=0.02)


def test_three_views_are_joined_by_those_that_agree(tmp_path: Path) -> None:
    """The third has no sound, and nothing to see in common with the first."""
    sound = talk(30, seed=7)
    first = filmed(tmp_path / "a.mp4", recorded(sound, 1, 25, 0, 1), 25)
    second = filmed(tmp_path / "b.mp4", recorded(sound, 2.5, 25, 0, 2), 30)
    moved, same = (seen(View(turn), start, 25, 30, 0, 3) for turn, start in ((0, 2.5), (1, 3.2)))
    clocks = synchronise([
        heard(first), Recording("b", onsets(second), [moved]), Recording("c", None, [same]),
    ])  # fmt: skip
    assert [clock.found_by for clock in clocks] == ["first", "sound", "motion"]
    assert clocks[2].offset_s == pytest.approx(2.2, abs=0.02)


def test_unrelated_clips_are_refused(tmp_path: Path) -> None:
    files = [filmed(tmp_path / f"{seed}.mp4", talk(20, seed), 25) for seed in (10, 11)]
    others = [gestures(np.arange(600) / 30, seed) for seed in (12, 13)]
    signals = [motion_signal(joints, np.arange(600) / 30, H36M_21, 20) for joints in others]
    recordings = [
        Recording(file.name, onsets(file), [signal])
        for file, signal in zip(files, signals, strict=True)
        if signal is not None
    ]
    with pytest.raises(InputError, match=r"11\.mp4: .* give --offset SECONDS, or clap"):
        synchronise(recordings)


def test_what_repeats_itself_tells_nothing() -> None:
    """A beat fits at every second; so does a walk on the spot."""
    times = np.arange(900) / 30
    steady = gestures(np.array([1.0])) + 0.2 * np.sin(2 * np.pi * times)[:, None, None]
    steady[:, 0] = 0
    signal = motion_signal(steady, times, H36M_21, 30)
    assert signal is not None
    with pytest.raises(InputError, match="has no sound"):
        synchronise([Recording("a", None, [signal]), Recording("b", None, [signal])])


def test_a_view_in_which_nobody_moves_is_refused() -> None:
    with pytest.raises(InputError, match="b: when it starts"):
        synchronise([Recording("a", None, []), Recording("b", None, [])])


def test_offsets_by_hand_are_those_of_the_others() -> None:
    clocks = given_clocks([1.5, -0.2])
    assert [clock.offset_s for clock in clocks] == [0.0, 1.5, -0.2]
    assert [clock.found_by for clock in clocks] == ["first", "given", "given"]


def test_silence_has_no_onsets(tmp_path: Path) -> None:
    assert onsets(filmed(tmp_path / "silent.mp4", np.zeros(5 * RATE), 25)) is None
