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
    SelfTestOutcome.SOURCE_ENDED: "nothing is heard any more, because its source was a recording or a pipe, which has "
    "ended: start the satellite again to hear it once more, or give it a microphone",
    SelfTestOutcome.MICROPHONE: "the microphone is missing, silent or overdriven (a camera: not to be reached): "
    "`echonet-satellite doctor` says more",
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
    for line in _said(answer, aloud=args.loudspeaker):
        print(line)
    outcome = SelfTestOutcome(answer["outcome"])
    if outcome is SelfTestOutcome.PASSED:
        print("Passed: it was heard, is on disk, was told, and Home Assistant has acknowledged it.")
        return 0
    for line in _advice(answer, aloud=args.loudspeaker):
        print(f"echonet-satellite: {line}", file=sys.stderr)
    return 1


def _said(answer: dict[str, Any], *, aloud: bool) -> list[str]:
    """Return what was heard, where."""
    name = str(answer["sound_class"]).replace("_", " ")
    lines = []
    for item in answer["rooms"] or [answer]:
        where = f"{item['room']}: heard " if "room" in item else "Heard: "
        if item["confidence"]:
            sure, after_s = item["confidence"], item["took_s"]
            lines.append(f"{where}{name}, {sure:.0%} sure, {after_s:.1f} s after it began.")
        elif aloud and "room" in item and item["outcome"] == SelfTestOutcome.NOT_HEARD:
            lines.append(f"{item['room']}: not heard, which is well if the loudspeaker is in another room.")
    return lines


def _advice(answer: dict[str, Any], *, aloud: bool) -> list[str]:
    """Return what to do, where."""
    failed: dict[SelfTestOutcome, list[str]] = {}
    for item in answer["rooms"]:
        failed.setdefault(SelfTestOutcome(item["outcome"]), []).append(item["room"])
    failed.pop(SelfTestOutcome.PASSED, None)
    if aloud and len(failed) > 1:
        # The loudspeaker may just be elsewhere.
        failed.pop(SelfTestOutcome.NOT_HEARD, None)
    if not failed:
        return [_WHAT_TO_DO[SelfTestOutcome(answer["outcome"])]]
    return [f"{', '.join(rooms)}: {_WHAT_TO_DO[outcome]}" for outcome, rooms in failed.items()]
