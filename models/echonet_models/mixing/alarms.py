"""Synthetic smoke and CO alarms, because recordings of them are few.

T3 (ISO 8201, NFPA 72): 0.5 s on, 0.5 s off, three times, then 1.5 s off. T4 (NFPA 720): 100 ms on, 100 ms off, four
times, then 5 s off. Each time varies by 10 %. Sounders are near 3100 Hz, or 520 Hz and its odd harmonics.
"""

import numpy as np

from ..data.recordings import SAMPLE_RATE, Samples


def smoke_or_co_alarm(generator: np.random.Generator, duration_s: float) -> tuple[Samples, Samples]:
    """Return an alarm and its envelope (1 where the sounder is on)."""
    smoke = generator.random() < 0.6
    on_s, off_s, pause_s, beeps = (0.5, 0.5, 1.5, 3) if smoke else (0.1, 0.1, 5.0, 4)
    total = int(duration_s * SAMPLE_RATE)
    envelope = np.zeros(total, np.float32)
    scale = generator.uniform(0.9, 1.1, size=3)
    position = int(generator.uniform(0, 0.3) * SAMPLE_RATE)
    while position < total:
        for beep in range(beeps):
            stop = position + int(on_s * scale[0] * SAMPLE_RATE)
            envelope[position:stop] = 1
            gap = pause_s * scale[2] if beep == beeps - 1 else off_s * scale[1]
            position = stop + int(gap * SAMPLE_RATE)
    smooth = np.convolve(envelope, np.ones(64, np.float32) / 64, mode="same")
    return (_sounder(generator, total) * smooth).astype(np.float32), envelope


def _sounder(generator: np.random.Generator, samples: int) -> Samples:
    low = generator.random() < 0.25
    pitch = generator.uniform(480, 560) if low else generator.uniform(2600, 3500)
    phase = 2 * np.pi * pitch * np.arange(samples) / SAMPLE_RATE
    if generator.random() < 0.2:
        phase += 3 * np.sin(2 * np.pi * generator.uniform(2, 30) * np.arange(samples) / SAMPLE_RATE)
    tone = np.zeros(samples)
    for harmonic in range(1, 8):
        if pitch * harmonic < SAMPLE_RATE / 2 - 200:
            weight = (
                1 / harmonic if low and harmonic % 2 else generator.uniform(0, 0.3) if harmonic > 1 else 1.0
            )
            tone += weight * np.sin(harmonic * phase + generator.uniform(0, 6))
    sounder: Samples = (tone / np.abs(tone).max()).astype(np.float32)
    return sounder
