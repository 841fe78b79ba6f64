"""What is compared of sound: where it sets in, band by band.

The spectral flux of Bello et al., "A tutorial on onset detection in music signals", IEEE
Transactions on Speech and Audio Processing, 2005: how much louder, in the logarithm, each band is
than a moment before. Loudness and colour of microphones cancel in it.
"""

from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter1d

from core.types import Floats
from pipeline.media.video.sound import SAMPLE_RATE, read_sound
from pipeline.multiview.sync.correlation import Signal

ONSET_HZ = 200.0
"""How often loudness is measured."""
LONGEST_S = 3600.0
"""Of a recording that is listened to."""
_HOP = round(SAMPLE_RATE / ONSET_HZ)
_WINDOW = 4 * _HOP
_BAND_EDGES_HZ = (150.0, 400.0, 800.0, 1500.0, 3000.0, 6000.0)
_QUIET, _SILENT = 0.1, 1e-5
"""Changes below these shares of the median and of the highest power are noise."""
_AROUND_S = 0.5  # that an onset stands out of
_LOUDEST = 6.0  # standard deviations that one onset may weigh


def onsets(video: Path) -> Signal | None:
    """Where the sound of a video sets in, on the clock of its picture; None without sound."""
    powers = _BandPowers()
    if not read_sound(video, LONGEST_S, powers.add) or not powers.rows:
        return None
    return onsets_of(np.concatenate(powers.rows))


def onsets_of(powers: Floats) -> Signal | None:
    """Where bands set in whose powers (T, B) are known at `ONSET_HZ`; None of silence."""
    floor = _QUIET * np.median(powers, 0) + _SILENT * powers.max(initial=0.0)
    if not floor.all():
        return None
    loudness = np.log(powers + floor)
    rise = np.maximum(loudness[2:] - loudness[:-2], 0.0)
    rise = np.concatenate([np.zeros((1, rise.shape[1])), rise])
    rise -= uniform_filter1d(rise, round(_AROUND_S * ONSET_HZ), axis=0, mode="nearest")
    spread = rise.std(0)
    if not spread.all():
        return None
    return Signal(ONSET_HZ, (rise / spread).clip(-_LOUDEST, _LOUDEST))


class _BandPowers:
    """Takes samples part after part, and keeps the powers of bands alone."""

    def __init__(self) -> None:
        self.rows: list[Floats] = []
        self._rest: Floats = np.zeros(0)
        self._window = np.hanning(_WINDOW)
        frequencies = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
        self._band = np.digitize(frequencies, _BAND_EDGES_HZ)

    def add(self, samples: Floats) -> None:
        """Take samples (N,) at `SAMPLE_RATE`."""
        samples = np.concatenate([self._rest, samples])
        count = max((len(samples) - _WINDOW) // _HOP + 1, 0)
        self._rest = samples[count * _HOP :]
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[: count * _HOP : _HOP]
        power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        bands = range(1, len(_BAND_EDGES_HZ))
        self.rows.append(np.stack([power[:, self._band == band].mean(1) for band in bands], 1))
