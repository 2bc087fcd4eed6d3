"""How much a network heeds the assistant, class by class.

It answers twice: by what it learned from labels, and by what it thinks that the assistant would say (`assistant`). The
first knows when a sound begins, and sounds that no teacher hears; the second holds for recordings unlike those learned
from. What is reported is the first and a share of the second, which the tune split chooses, as its recordings are,
through other microphones and in rooms.
"""

import numpy as np

from .datasets import CLASSES, Split
from .elsewhere import FEWEST_RECORDINGS, clip_average_precision, places, recordings_of_each, told_clips
from .listening import listen, logit
from .material import Material
from .networks.streaming import StreamingNetwork

HEEDS = (0.0, 0.5, 1.0, 2.0, 4.0)
# Of a class with too few recordings to choose by.
USUAL = 1.0
SURE = 1e-7


def choose_heeds(
    network: StreamingNetwork, material: Material, *, fewest: int = FEWEST_RECORDINGS
) -> tuple[float, ...]:
    """Return for each class the share of the assistant with which clips of the tune split are told best.

    Best is the highest mean of the average precisions as they are, through microphones and in rooms; of a class with
    fewer recordings than `fewest` the usual share. The network is left as it was.
    """
    clips = told_clips(material, Split.TUNE)
    precision = np.zeros((len(CLASSES), len(HEEDS)))
    for place, recordings in places(material).items():
        itself = listen(network, recordings, clips, f"clips {place}")
        network.heed([1.0] * len(CLASSES))
        heeding = listen(network, recordings, clips, f"clips {place}, the assistant heeded")
        network.heed([-1.0] * len(CLASSES))
        for number, heed in enumerate(HEEDS):
            heard = {}
            for path, rows in itself.items():
                own = logit(rows, SURE)
                heard[path] = own + heed * (logit(heeding[path], SURE) - own)
            for column, name in enumerate(CLASSES):
                precision[column, number] += clip_average_precision(clips, heard, name) or 0.0
    return tuple(
        HEEDS[int(row.argmax())] if count >= fewest else USUAL
        for row, count in zip(precision, recordings_of_each(clips).values(), strict=True)
    )
