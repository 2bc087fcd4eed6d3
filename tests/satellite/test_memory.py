"""What a start leaves behind goes back to the system."""

import subprocess
import sys

from echonet_satellite import child

_SCRIPT = """
from pathlib import Path
from echonet_satellite import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

memory.use_little()
before = resident()
# Smaller than what the C library asks of the system one by one; the last one keeps the heap from shrinking.
kept = [bytearray(300_000) for _ in range(200)]
del kept[:-1]
left = resident() - before
memory.give_back()
print(left, resident() - before)
"""

_HEARING = """
import sys
from echonet_satellite.classifier import load_classifier
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import Sensitivity
from echonet_satellite.synthesis import demo_scene

classifier = load_classifier()
hearing = Hearing(classifier, dict.fromkeys(classifier.card.classes, Sensitivity.MEDIUM))
events = hearing.push(demo_scene().samples) + hearing.finish()
print(len(events), "numpy.ma" in sys.modules)
"""


def test_what_was_freed_goes_back_although_the_heap_cannot_shrink() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=child.environment(), capture_output=True, text=True, check=True
    )
    left, after = map(int, done.stdout.split())
    assert left > 50_000_000
    assert after < 5_000_000


def test_hearing_alarms_loads_nothing_more() -> None:
    """NumPy's percentiles took 12 MB, which came with the first alarm."""
    done = subprocess.run(
        [sys.executable, "-c", _HEARING], env=child.environment(), capture_output=True, text=True, check=True
    )
    events, loaded = done.stdout.split()
    assert int(events) > 10
    assert loaded == "False"
