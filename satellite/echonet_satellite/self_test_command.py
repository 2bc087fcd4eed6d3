"""The command `selftest`: asks the running satellite to follow a known sound through its whole chain."""

import argparse
import sys
from typing import Any, Final

from .command_socket import converse
from .errors import NotRunningError
from .pair_command import running_state
from .protocol import SelfTestOutcome

_WHAT_TO_DO: Final = {
    SelfTestOutcome.NOT_LISTENING: "listening is off: turn it on in Home Assistant",
    SelfTestOutcome.MICROPHONE: "the microphone is missing, silent or overdriven: `echonet-satellite doctor` says more",
    SelfTestOutcome.ALL_OFF: "every sound that could be tried is off: turn the sensitivity of one up in Home Assistant",
    SelfTestOutcome.NOT_HEARD: "the sound was not recognised: try again when it is quieter in the room, and "
    "run `echonet-satellite doctor`",
    SelfTestOutcome.NOT_KEPT: "it was heard, but the disk does not take it: `echonet-satellite doctor` says more",
    SelfTestOutcome.NOBODY_CONNECTED: "it was heard and kept, but no Home Assistant is connected: pair one, or see why "
    "it does not connect",
    SelfTestOutcome.NOT_ACKNOWLEDGED: "it was told, but Home Assistant did not acknowledge it: see its log",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--loudspeaker",
        action="store_true",
        help="play the sound through a loudspeaker beside the microphone, so that the microphone is tried, too",
    )


async def self_test(args: argparse.Namespace) -> int:
    """Run the test, say what came of it, and return the exit status."""
    answer: dict[str, Any] = {}

    async def take(line: dict[str, Any]) -> None:
        answer.update(line)

    where = "played by the loudspeaker" if args.loudspeaker else "put behind the microphone"
    print(f"A known sound is {where} and followed; this takes up to half a minute.", flush=True)
    await converse(running_state(args), "selftest aloud" if args.loudspeaker else "selftest", take)
    if "outcome" not in answer:
        raise NotRunningError(answer.get("error", "the satellite has stopped: start it again"))
    outcome = SelfTestOutcome(answer["outcome"])
    if answer.get("confidence"):
        name = str(answer["sound_class"]).replace("_", " ")
        print(f"Heard: {name}, {answer['confidence']:.0%} sure, {answer['took_s']:.1f} s after it began.")
    if outcome is SelfTestOutcome.PASSED:
        print("Passed: it was heard, is on disk, was told, and Home Assistant has acknowledged it.")
        return 0
    print(f"echonet-satellite: {_WHAT_TO_DO[outcome]}", file=sys.stderr)
    return 1
