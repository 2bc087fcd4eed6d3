"""Several channels become one, in such a way that no sound is lost: nothing cancels, and no dead channel dilutes."""

from typing import Final

import numpy as np

from ..channel import Blend, Channel
from ..frontend import Floats
from .source import WrongChannelError

# Weights are decided for pieces of this length, however the sound is cut into blocks, so that all ways hear the same.
PIECE_S: Final = 0.04
# Between two pieces the weights glide, so that a change does not click.
_GLIDE_S: Final = 0.005
# Another channel must be so much louder (3 dB) before it is heard instead of the one that was.
_LOUDER: Final = 2.0
# How much of the polarity estimate is carried over from earlier pieces: polarity hardly ever changes.
_REMEMBERED: Final = 0.96


class Mixer:
    """Turns blocks [samples, channels] of a stream into blocks [samples] of one channel."""

    def __init__(self, channels: int, rate: int, channel: Channel = Blend.LOUDEST) -> None:
        """Begin a stream.

        Raises:
            WrongChannelError: there is no such channel.
        """
        if isinstance(channel, int) and channel > channels:
            have = "only one channel" if channels == 1 else f"only {channels} channels"
            raise WrongChannelError(f"there is no channel {channel}: it has {have}")
        self._channel = channel
        self._channels = channels
        self._size = max(2, round(PIECE_S * rate))
        self._glide = max(1, round(_GLIDE_S * rate))
        self._rest = np.zeros((0, channels), np.float32)
        self._weights: Floats | None = None
        self._loudest = 0
        self._together = np.zeros(channels)

    def push(self, frames: Floats) -> Floats:
        """Return what can be heard so far: whole pieces."""
        if self._channels == 1:
            return frames[:, 0]
        if isinstance(self._channel, int):
            return frames[:, self._channel - 1]
        if len(self._rest):
            frames = np.concatenate((self._rest, frames))
        whole = len(frames) - len(frames) % self._size
        self._rest = frames[whole:]
        return self._pieces(frames[:whole], self._size)

    def flush(self) -> Floats:
        """Return the rest, at the end of the stream."""
        rest, self._rest = self._rest, self._rest[:0]
        return self._pieces(rest, len(rest))

    def _pieces(self, frames: Floats, size: int) -> Floats:
        if not len(frames):
            return np.zeros(0, np.float32)
        pieces = frames.reshape(-1, size, self._channels)
        return np.concatenate([self._piece(piece) for piece in pieces])

    def _piece(self, frames: Floats) -> Floats:
        weights = self._weigh(frames)
        before, self._weights = self._weights, weights
        mono = frames @ weights
        if before is not None and not np.array_equal(before, weights):
            glide = min(self._glide, len(frames))
            share = np.linspace(0, 1, glide, endpoint=False, dtype=np.float32)
            mono[:glide] = share * mono[:glide] + (1 - share) * (frames[:glide] @ before)
        return mono

    def _weigh(self, frames: Floats) -> Floats:
        # The differences of neighbouring samples are deaf for an offset, and nearly for the hum of an open input.
        moves = np.diff(frames, axis=0)
        energies = np.einsum("ij,ij->j", moves, moves)
        first = int(energies.argmax())
        if self._weights is None or energies[first] > _LOUDER * energies[self._loudest]:
            self._loudest = first
        weights = np.zeros(self._channels, np.float32)
        if self._channel is Blend.LOUDEST or not energies[first]:
            weights[self._loudest] = 1.0
            return weights
        self._together = _REMEMBERED * self._together + moves.T @ moves[:, self._loudest]
        # The reference channel may have changed; its polarity relative to itself is always positive.
        signs = np.where(self._together * np.sign(self._together[self._loudest] or 1.0) < 0, -1.0, 1.0)
        weights[:] = signs * (energies / energies.sum())
        return weights
