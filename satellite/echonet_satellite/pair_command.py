"""The commands `pair` and `unpair`: they ask the running satellite, and show what it answers."""

import argparse
import asyncio
import os
from pathlib import Path
import signal
import sys
from typing import Any

from .clips.store import ClipStore
from .command_socket import SOCKET_NAME, converse
from .controllers import Controllers
from .errors import NotRunningError
from .hardware import SERVICE_STATE, what_to_type
from .journal import Journal
from .options import configuration, state_directory
from .pairing_window import Outcome
from .proof import group_code
from .state import exclusive


async def pair(args: argparse.Namespace) -> int:
    """Open a pairing window, show its code, and wait until somebody has paired or the window closes."""
    outcome: Outcome | None = None

    async def take(answer: dict[str, Any]) -> None:
        nonlocal outcome
        if "code" in answer:
            _show(answer)
        elif "outcome" in answer:
            outcome = Outcome(answer["outcome"])

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, _leave, asyncio.current_task())
    try:
        await converse(running_state(args), "pair", take)
    except asyncio.CancelledError:
        print("\nThe code stays valid until its time is over.")
        return 130
    match outcome:
        case Outcome.PAIRED:
            print("Paired.")
            return 0
        case Outcome.TOO_MANY_TRIES:
            text = f"the code was tried too often: run `{what_to_type('pair')}` again, and look who tries"
        case Outcome.EXPIRED:
            text = f"the code has expired: run `{what_to_type('pair')}` again"
        case None:
            raise NotRunningError(f"the satellite has stopped: start it again with `{what_to_type('run')}`")
        case _:
            text = "another code was asked for: use that one"
    print(f"echonet-satellite: {text}", file=sys.stderr)
    return 1


async def unpair(args: argparse.Namespace) -> int:
    """Forget every paired controller, whether or not the satellite runs."""
    forgotten: list[str] = []

    async def take(answer: dict[str, Any]) -> None:
        forgotten.extend(answer.get("forgotten", []))

    state = running_state(args)
    try:
        await converse(state, "unpair", take)
    except NotRunningError:
        forgotten = _forget_all(state)
    print(f"Forgotten: {', '.join(forgotten)}." if forgotten else "Nobody was paired.")
    return 0


def _forget_all(state: Path) -> list[str]:
    """Forget every controller of a satellite that does not run, and every sound that was kept for them."""
    if not state.is_dir():
        return []
    with exclusive(state):
        controllers = Controllers(state / "controllers.json")
        names = [controller.name for controller in controllers.all]
        ids = [controller.id for controller in controllers.all]
        for controller in controllers.all:
            controllers.forget(controller.id)
        if (state / "journal.sqlite3").exists():
            journal = Journal(state / "journal.sqlite3")
            try:
                for controller_id in ids:
                    journal.forget_controller(controller_id)
            finally:
                journal.close()
        ClipStore(state / "clips").delete_all()
    return names


def running_state(args: argparse.Namespace) -> Path:
    """Return the state directory of the satellite that a command is for."""
    config = configuration(args)
    state = state_directory(config)
    if config.state is None and not (state / SOCKET_NAME).exists() and os.path.lexists(SERVICE_STATE):
        return SERVICE_STATE
    return state


def _show(answer: dict[str, Any]) -> None:
    import segno  # noqa: PLC0415 - only this command draws

    code = group_code(answer["code"])
    if sys.stdout.isatty():
        segno.make(code, error="m").terminal(compact=True)
    print(f"\n    {code}\n")
    print(
        f'Type this code in Home Assistant: Settings > Devices & services > EchoNet, satellite "{answer["name"]}".\n'
        f"It is valid for {answer['expires_in_s'] / 60:.0f} minutes and for one use. Waiting...",
        flush=True,
    )


def _leave(task: "asyncio.Task[Any] | None") -> None:
    if task is not None:
        task.cancel()
