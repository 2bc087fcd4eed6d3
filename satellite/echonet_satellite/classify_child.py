"""A process of its own that classifies a file which somebody has sent: whatever is in it, the satellite goes on."""

import json
from pathlib import Path
import sys
from typing import Final

from .child import be_humble

# What a server is sent, and for how long it works on that. The rate and the channels of a file are limited where it is
# read, for the command line as well.
MAX_BYTES: Final = 32 << 20
MAX_SECONDS: Final = 600.0
_MEMORY: Final = 2 << 30
_CPU_S: Final = 120
REFUSED: Final = 3


def main(arguments: list[str]) -> int:
    """Classify the file behind a descriptor, and write what was heard, or why not, to standard output as JSON."""
    be_humble(memory_bytes=_MEMORY, cpu_s=_CPU_S)
    from .classifier import load_classifier  # noqa: PLC0415 - all of this only within the limits
    from .classify import as_json, find  # noqa: PLC0415
    from .errors import EchonetError  # noqa: PLC0415
    from .protocol import Sensitivity  # noqa: PLC0415

    descriptor, sensitivity, model = arguments
    path = Path(f"/proc/self/fd/{descriptor}")
    try:
        classifier = load_classifier(Path(model) if model else None)
        findings = [
            as_json(finding)
            for finding in find(path, classifier, Sensitivity(sensitivity), longest_s=MAX_SECONDS)
        ]
    except EchonetError as err:
        print(json.dumps({"reason": str(err).replace(str(path), "the file")}))
        return REFUSED
    card = classifier.card
    print(json.dumps({"model": card.name, "model_version": card.version, "detections": findings}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
