"""What a person may see of the hearing: how loud it is, how likely each class, and a column of a spectrogram."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from .card import ModelCard
from .frontend import Floats, decibels
from .hearing import dbfs
from .protocol import Level, Sensitivity, SoundClass

# Half of what a list of the protocol may hold, and more than a card on a phone has pixels for.
BANDS: Final = 32
SILENCE_DBFS: Final = -120
LOUDEST_DBFS: Final = 20


class Picture:
    """Collects what is heard while somebody watches, and gives it out once a step is full; costs nothing otherwise."""

    def __init__(self, card: ModelCard) -> None:
        """Draw what a model with this card hears."""
        self.watched = False
        self._card = card
        bands = min(BANDS, card.frontend.n_mels)
        # What a tone of full scale gives in the band where it lies.
        self._full_scale_db = 20 * float(np.log10(card.frontend.win_length / 4))
        self._first = np.arange(bands) * card.frontend.n_mels // bands
        self._forget()

    def _forget(self) -> None:
        self._samples = 0
        self._power = 0.0
        self._peak = 0.0
        self._probabilities: Floats | None = None
        self._frame: Floats | None = None

    def hear(self, samples: Floats) -> None:
        """Take the samples of a block."""
        if self.watched and len(samples):
            self._samples += len(samples)
            self._power += float(np.dot(samples, samples))
            self._peak = max(self._peak, float(np.abs(samples).max()))

    def step(self, probabilities: Sequence[float], frames: Floats) -> None:
        """Take what was decided by in a step, and its frames; of several steps the most is shown."""
        if not self.watched:
            return
        heard = np.asarray(probabilities, np.float32)
        frame = frames.max(axis=0)
        if self._probabilities is not None and self._frame is not None:
            heard, frame = np.maximum(self._probabilities, heard), np.maximum(self._frame, frame)
        self._probabilities, self._frame = heard, frame

    def take(self, sensitivity: Mapping[SoundClass, Sensitivity]) -> Level | None:
        """Return what has been heard since the last time, where that is at least a step, and somebody watches."""
        if not self.watched:
            self._forget()
            return None
        if self._probabilities is None or self._frame is None or self._samples == 0:
            return None
        card = self._card
        bands = np.maximum.reduceat(decibels(self._frame, card.frontend), self._first) - self._full_scale_db
        level = Level(
            rms_dbfs=round(dbfs((self._power / self._samples) ** 0.5), 1),
            peak_dbfs=round(dbfs(self._peak), 1),
            probabilities={
                name: round(float(value), 3)
                for name, value in zip(card.classes, self._probabilities, strict=True)
                if np.isfinite(value)
            },
            thresholds={
                name: card.decisions[name].thresholds[wanted]
                for name in card.classes
                if (wanted := sensitivity.get(name, Sensitivity.OFF)) is not Sensitivity.OFF
            },
            bands_dbfs=tuple(
                int(value) for value in np.clip(np.nan_to_num(bands.round()), SILENCE_DBFS, LOUDEST_DBFS)
            ),
        )
        self._forget()
        return level
