"""A second look: where the network holds something likely, another one says what it makes of some seconds of sound.

What lasts only seems to in 1.6 s: a doorbell's chord, a singer's note, a saw. Of three times as much, a network tells
cries, alarms and screams better; it would be too slow for every step, and is asked where it can matter.
"""

from typing import Final

import numpy as np

from .card import ModelCard, SecondLookCard
from .frontend import Floats
from .network import Network

# What was not looked at a second time counts as surely not there.
UNLIKELY_LOGIT: Final = -8.0
_TINY: Final = 1e-6


class SecondLook:
    """Weighs the probabilities of one network with what another makes of a longer stretch."""

    def __init__(self, card: ModelCard, look: SecondLookCard, content: bytes, name: str) -> None:
        """Build the other network from the content of its file.

        Raises:
            ModelError: the runtime cannot use it, or its tensors are not those of the card.
        """
        self.window_frames = look.window_frames
        shape = (1, look.window_frames, card.frontend.n_mels)
        self._network = Network(content, name, (look.input, shape), (look.logits, (1, len(card.classes))))
        # A probability is never above this: nobody looks twice for a class that has no share.
        self._likely = np.array([look.likely.get(name, 2.0) for name in card.classes], np.float32)
        self._shares = np.array([look.shares.get(name, 0.0) for name in card.classes], np.float32)

    def __call__(self, probabilities: Floats, window: Floats) -> Floats:
        """Return probabilities [classes] after a look, where one is needed, at a window [1, window_frames, n_mels]."""
        needed = bool((probabilities >= self._likely).any())
        other = (
            self._network(window)[0] if needed else np.full(len(probabilities), UNLIKELY_LOGIT, np.float32)
        )
        return blend(probabilities, other, self._shares)


def blend(probabilities: Floats, logits: Floats, shares: Floats) -> Floats:
    """Return probabilities, of which logits of another network have their shares: the weighted mean of both, in logits.

    Arrays [..., classes]; a class whose share is nothing keeps its probability to the last bit.
    """
    sure = np.clip(probabilities, _TINY, 1 - _TINY)
    own = np.log(sure / (1 - sure))
    other = np.maximum(logits, np.float32(UNLIKELY_LOGIT))
    mean = 1 / (1 + np.exp(-(own + shares * (other - own))))
    return np.where(shares > 0, mean, probabilities).astype(np.float32)
