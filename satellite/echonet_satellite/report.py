"""What `echonet-satellite run` says on the terminal: lines for a person, or JSON lines for a program."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
import json
from typing import Any, Final

from .controllers import Controller
from .info import Info
from .output import escaped
from .pairing_window import Outcome
from .proof import group_code
from .protocol import AlarmPattern, Detection, Health, Message, Phase, Problem

# What the rhythm of an alarm says; of one without a known rhythm, nothing.
IN_WORDS: Final = {
    AlarmPattern.T3: "a smoke alarm",
    AlarmPattern.T4: "a carbon monoxide alarm",
    AlarmPattern.SIREN: "a siren",
    AlarmPattern.CLOCK: "an alarm clock",
    AlarmPattern.CHIRP: "the empty battery of a detector",
}


class Report:
    """Writes one line per event; with `as_json`, one JSON object that has `event`, `at` (UTC) and what belongs to it.

    Events are `listening`, `pairing`, `paired`, `pairing_closed`, `connected`, `disconnected`, `onset`, `detection`,
    `health`, `source_ended` and `stopped`. `onset` comes with the first `detection` of a sound; its `at` is when the
    sound began.
    """

    def __init__(self, write: Callable[[str], None], *, as_json: bool) -> None:
        """Write through `write`, which must never wait for whoever reads."""
        self._write = write
        self._as_json = as_json
        self._problems: tuple[Problem, ...] | None = None

    def tell(self, event: str, text: str, *, at: datetime | None = None, **details: Any) -> None:
        """Write one event."""
        moment = at or datetime.now(UTC)
        if self._as_json:
            at_utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
            self._write(json.dumps({"event": event, "at": at_utc, **details}))
        elif text:
            self._write(f"{moment.astimezone():%H:%M:%S}  {escaped(text)}")

    def pairing(self, code: str, remaining_s: float) -> None:
        """Write how to pair."""
        grouped = group_code(code)
        self.tell(
            "pairing",
            f"Pairing code: {grouped}  (for {remaining_s / 60:.0f} minutes; "
            "Home Assistant: Settings > Devices & services > EchoNet)",
            code=grouped,
            expires_in_s=round(remaining_s),
        )

    def paired(self, controllers: list[str]) -> None:
        """Write who is paired now, the newest last."""
        self.tell(
            "paired", f"Paired with {controllers[-1] if controllers else '?'}.", controllers=controllers
        )

    def pairing_closed(self, outcome: Outcome) -> None:
        """Write that nobody can pair any longer, and why."""
        self.tell(
            "pairing_closed",
            f"Pairing has ended ({outcome.value.replace('_', ' ')}); `echonet-satellite pair` begins again.",
            reason=outcome.value,
        )

    def listening(self, info: Info, *, source: str, addresses: Sequence[str], port: int) -> None:
        """Write that the satellite has started: what it listens to, and where it serves."""
        self.tell(
            "listening",
            f'"{info.name}" listens to {source} with the model {info.model_name} {info.model_version}, '
            f"and serves {', '.join(addresses) or 'this machine only'} on port {port}.",
            name=info.name,
            satellite_id=info.satellite_id,
            addresses=list(addresses),
            port=port,
            source=source,
            model=info.model_name,
            model_version=info.model_version,
        )

    def connection(self, controller: Controller, connected: bool) -> None:
        """Write that a controller has come or gone."""
        self.tell(
            "connected" if connected else "disconnected",
            f"{controller.name} has {'connected' if connected else 'disconnected'}.",
            controller=controller.name,
        )

    def source_ended(self) -> None:
        """Write that nothing more is heard, because it was a recording."""
        self.tell("source_ended", "The recording is over; the satellite still serves, Ctrl-C stops it.")

    def stopped(self) -> None:
        """Write that the satellite has ended as it was told to."""
        self.tell("stopped", "Stopped.")

    def message(self, message: Message) -> None:
        """Write what the station tells, as far as a person wants to read it."""
        if isinstance(message, Detection):
            self._detection(message)
        elif isinstance(message, Health):
            problems = [problem.value for problem in message.problems]
            # How long the hearing takes changes all the time, and is nothing that a person has to read.
            news = message.problems != self._problems
            self._problems = message.problems
            self.tell(
                "health",
                f"Health: {', '.join(problems).replace('_', ' ') or 'all is well'}" if news else "",
                problems=problems,
                dropped_blocks=message.dropped_blocks,
                realtime_factor=round(message.realtime_factor, 4),
            )

    def _detection(self, message: Detection) -> None:
        name = message.sound_class.value
        if message.phase is Phase.START:
            self.tell("onset", "", at=message.onset, id=message.id, sound_class=name)
        pattern = message.pattern.value if message.pattern else None
        kind = IN_WORDS.get(message.pattern) if message.pattern else None
        marks = "".join((f", {kind}" if kind else "", ", a test" if message.test else ""))
        where = f"{message.room}: " if message.room else ""
        text = {
            Phase.START: f"{where}{name.replace('_', ' ')} begins ({message.confidence:.0%} sure{marks})",
            Phase.UPDATE: "",
            Phase.END: f"{where}{name.replace('_', ' ')} ends after {message.duration_s:.1f} s{marks}",
        }[message.phase]
        self.tell(
            "detection",
            text,
            id=message.id,
            sequence=message.sequence,
            sound_class=name,
            phase=message.phase.value,
            onset=message.onset.astimezone(UTC).isoformat(timespec="milliseconds"),
            confidence=round(message.confidence, 4),
            peak_dbfs=round(message.peak_dbfs, 1),
            duration_s=round(message.duration_s, 3),
            pattern=pattern,
            test=message.test,
            room=message.room,
        )
