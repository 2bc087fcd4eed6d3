"""What the satellite runs on, as its owner would call it."""

from pathlib import Path
import platform

_DEVICE_TREE = Path("/proc/device-tree/model")


def hardware_name() -> str:
    """Return the model of the board (a Raspberry Pi names itself), else the kind of processor."""
    try:
        model = _DEVICE_TREE.read_text(encoding="ascii", errors="ignore").strip("\0 \n")
    except OSError:
        model = ""
    name = model or f"{platform.system()} {platform.machine()}"
    return "".join(char for char in name if char.isprintable())[:100]
