"""What the papers that EchoNet grew from measured, each on data of its own: to be put beside ours, not compared.

A: audio anomaly detection at home; B: sound classes for security cameras; C: gunshots for homes and vehicles; D: rare
events, DCASE 2017 task 2; E: screams. Shares, not per cent.
"""

from dataclasses import dataclass

from echonet_satellite.protocol import SoundClass

OTHERS = "others"


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """Precision and recall of windows of 0.96 s; the first of 2DCNN, the second of encoder and classifier."""

    precision: tuple[float, float]
    recall: tuple[float, float]


B_SYSTEMS = ("2DCNN", "encoder + classifier")

# Paper B's table; it has no screams.
B_WINDOWS: dict[str, WindowFigures] = {
    SoundClass.ALARM: WindowFigures((0.6765, 0.8095), (0.9857, 0.9577)),
    SoundClass.GLASS_BREAK: WindowFigures((0.5889, 0.5070), (0.8413, 0.8182)),
    SoundClass.BABY_CRY: WindowFigures((1.0, 0.9460), (1.0, 0.9737)),
    SoundClass.DOG: WindowFigures((0.9518, 0.8623), (0.8934, 0.9233)),
    SoundClass.FIRE: WindowFigures((1.0, 0.9138), (1.0, 1.0)),
    OTHERS: WindowFigures((0.9414, 0.9682), (0.9130, 0.8845)),
    SoundClass.PRESENCE: WindowFigures((0.8169, 0.9397), (0.8253, 0.9438)),
    SoundClass.GUNSHOT: WindowFigures((0.8472, 0.8610), (0.8979, 0.8975)),
}
B_MACRO = {
    "precision": (0.8528, 0.8509),
    "recall": (0.9196, 0.9248),
    "specificity": (0.9844, 0.9876),
    "accuracy": (0.9873, 0.9897),
}
B_MICRO_PRECISION = (0.8983, 0.9173)

# Paper D: event-based error rate on the evaluation set of DCASE 2017 task 2.
D_ERROR_RATES: dict[SoundClass, float] = {
    SoundClass.BABY_CRY: 0.21,
    SoundClass.GLASS_BREAK: 0.19,
    SoundClass.GUNSHOT: 0.41,
}
D_MEAN_ERROR_RATE = 0.29
D_BASELINE_ERROR_RATE = 0.63

# Paper C: gun or not gun, of clips; paper E: F1 of screams, best of its systems, and over two cities mixed.
C_GUN_ACCURACY = 0.9974
E_SCREAM_F1 = 0.76
E_SCREAM_F1_ADAPTED = 0.93
