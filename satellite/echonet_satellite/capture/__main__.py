"""`python -m echonet_satellite.capture JSON`: captures as it is told, and writes records to standard output."""

import ctypes
import json
import os
import signal
import sys
from typing import Any, Final

from .errors import CaptureError, ErrorKind
from .records import Kind, RecordWriter

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Capture until the satellite ends the process, or is gone itself."""
    _end_with_the_satellite()
    what = json.loads(sys.argv[1])
    writer = RecordWriter(sys.stdout.fileno())
    try:
        _run(writer, what)
    except CaptureError as err:
        writer.tell(Kind.FAILED, error=err.kind, text=str(err))
    except BrokenPipeError:
        pass
    except Exception as err:  # noqa: BLE001 - whatever it is, the satellite is to say it and try again
        writer.tell(
            Kind.FAILED,
            error=ErrorKind.FAILED,
            text=f"{what.get('name')} has failed ({type(err).__name__}: {err})",
        )
    # A device that has been unplugged, or a server that hangs, cannot be closed in good order: it is not tried.
    os._exit(0)


def _run(writer: RecordWriter, what: dict[str, Any]) -> None:
    match what["source"]:
        case "devices":
            from . import portaudio  # noqa: PLC0415 - the process loads only what it needs

            portaudio.tell_devices(writer)
        case "microphone":
            from . import portaudio  # noqa: PLC0415

            portaudio.capture(writer, what["device"], what["channel"], what["queue_blocks"])
        case _:
            from . import stream  # noqa: PLC0415

            stream.capture(writer, what["source"])


def _end_with_the_satellite() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the satellite, which then ends this process
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    main()
