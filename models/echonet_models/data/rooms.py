"""Measured room responses."""

from pathlib import Path

import numpy as np

from .recordings import SAMPLE_RATE, Samples, read_audio

LONGEST_ECHO_S = 1.2


def read_room_responses(directory: Path) -> list[Samples]:
    """Return the measured room responses, aligned to their direct sound and cut to `LONGEST_ECHO_S`."""
    responses = []
    for path in sorted((directory / "room_responses").glob("*.flac")):
        response = read_audio(path)
        start = max(0, int(np.abs(response).argmax()) - 16)
        response = response[start : start + int(LONGEST_ECHO_S * SAMPLE_RATE)]
        responses.append((response / np.abs(response).max()).astype(np.float32))
    return responses
