"""A process of its own that makes a clip fit to be kept: talk out of it, then FLAC and a picture. Samples on stdin."""

import json
from pathlib import Path
import sys
from typing import Final

import numpy as np
import soundfile

from ..audio import SAMPLE_RATE
from ..child import be_humble
from ..protocol import Talk
from .spectrogram import spectrogram_png
from .speech import TALK_S, find_talk, mute

_MEMORY: Final = 1 << 30
_CPU_S: Final = 120
_FILE: Final = 16 << 20


def main(arguments: list[str]) -> int:
    """Write FLAC and PNG to two paths, and say on standard output what became of the clip, as JSON."""
    be_humble(memory_bytes=_MEMORY, cpu_s=_CPU_S, file_bytes=_FILE)
    flac, png, title, onset_s, talk = arguments
    samples = np.frombuffer(sys.stdin.buffer.read(), np.int16)
    talks = find_talk(samples)
    talk_s = float(talks.sum()) / SAMPLE_RATE
    if Talk(talk) is Talk.DROPPED and talk_s > TALK_S:
        print(json.dumps({"kept": False, "talk_s": talk_s}))
        return 0
    # Speech can be reconstructed from a spectrogram, so sound and picture are both made after the talk was muted.
    if talk_s:
        samples = mute(samples, talks)
    with soundfile.SoundFile(flac, "w", SAMPLE_RATE, 1, format="FLAC", subtype="PCM_16") as file:
        file.title = title
        file.write(samples)
    Path(png).write_bytes(spectrogram_png(samples, float(onset_s)))
    print(json.dumps({"kept": True, "talk_s": talk_s}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
