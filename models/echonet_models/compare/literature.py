"""What the papers that EchoNet grew from measured, each on data of its own: to be put beside ours, not compared.

B: sound classes for security cameras; C: gunshots for homes and vehicles; D: rare events, DCASE 2017 task 2;
E: screams. Paper A names its systems and gives no figures of them.
"""

COLUMNS = (
    *("paper", "system", "on its own data", "macro recall", "macro precision", "macro specificity"),
    *("micro accuracy", "event error rate"),
)
ROWS = (
    ("B", "2DCNN", "eight classes, windows of 0.96 s", "92", "85", "98", "90", "–"),
    ("B", "encoder + classifier", "eight classes, windows of 0.96 s", "92", "85", "99", "92", "–"),
    ("C", "ResNet", "gun or not gun", "–", "–", "–", "99.7", "–"),
    ("D", "CRNN", "rare events in mixtures", "–", "–", "–", "–", "0.29"),
    ("D", "CNN + FNN", "the same", "–", "–", "–", "–", "0.43"),
    ("D", "FNN", "the same", "–", "–", "–", "–", "0.63"),
    ("E", "ResNet", "scream or not: F1 0.76", "–", "–", "–", "–", "–"),
    ("E", "ResNet, both cities", "scream or not: F1 0.93", "–", "–", "–", "–", "–"),
)
