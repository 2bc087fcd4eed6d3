"""From a source of sound to a listener, in one worker thread, with its health."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import logging
import threading
import time
from typing import Final

import numpy as np

from .audio import (
    AudioError,
    Block,
    DeviceMissingError,
    Source,
    SourceEnded,
    SourceKind,
    WrongChannelError,
)
from .classifier import Classifier
from .clips.tape import Tape
from .decision import StreamEvent
from .frontend import Floats
from .health import HealthMonitor
from .hearing import Hearing
from .learning.learned import Learned
from .learning.sounds import TaughtEvent
from .picture import Picture
from .protocol import Settings
from .sound_event import Listener, SoundEvent
from .stream import Stream

_LOGGER = logging.getLogger(__name__)

_READ_TIMEOUT_S: Final = 0.25
_FROZEN_AFTER_S: Final = 4.0
# A process must start, a camera answer, and PulseAudio takes two seconds for its first buffer: on a slow or busy
# computer that is no reason to begin anew, but one to say that nothing is heard yet.
_MISSED_AFTER_S: Final = 8.0
_GIVEN_UP_AFTER_S: Final = 20.0
_RETRY_S: Final = (1.0, 2.0, 5.0, 10.0)
# What is damaged in these stays so: begun anew, a recording would tell the same sounds again and again.
_NEVER_BACK: Final = frozenset({SourceKind.FILE, SourceKind.DEMO, SourceKind.PIPE})
# A microphone that is switched on goes from nothing to the noise of the room, often with a click.
_SETTLING_S: Final = 0.35


class Pipeline:
    """Owns the worker thread. `start` returns at once; the thread ends with `stop`, or when a file is over."""

    def __init__(  # noqa: PLR0913 - the parts of a satellite meet here
        self,
        source: Source,
        classifier: Classifier,
        settings: Settings,
        listener: Listener,
        *,
        learned: Learned | None = None,
        tape: Tape | None = None,
        on_peak: Callable[[float], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; nothing runs yet. Where there is a `tape`, it is given every block before that is heard.

        `on_peak` is told twice a second how loud it was at most, in dB below full scale, whoever watches.
        `learned` is what the home has taught, and may change at any time.
        """
        self._source = source
        self._classifier = classifier
        self._settings = settings
        self._listener = listener
        self._tape = tape
        self._on_peak = on_peak
        self._learned = learned
        self._monotonic = monotonic
        self._utc_now = utc_now
        self._health = HealthMonitor(source.kind)
        self._watched = False
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="hearing", daemon=True)
        self._stream: Stream | None = None
        self._failures = 0
        self._last_sound = 0.0
        self._heard = False
        self._busy_since: float | None = None
        self._injected: Floats = np.zeros(0, np.float32)

    def start(self) -> None:
        """Start the worker thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end, within a second; `join` waits for it."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the thread (a file that is over, or `stop`); return whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def kind(self) -> SourceKind:
        """What the sound comes from."""
        return self._source.kind

    @property
    def over(self) -> bool:
        """Whether the thread has ended: what was heard is over, or it was stopped."""
        return self._thread.ident is not None and not self._thread.is_alive()

    @property
    def busy_s(self) -> float:
        """For how long the thread has been at one thing; a healthy one is done within a second."""
        since = self._busy_since
        return 0.0 if since is None else self._monotonic() - since

    def configure(self, settings: Settings) -> None:
        """Change settings, from any thread; while it does not listen, the source is closed."""
        with self._changed:
            self._settings = settings
            self._changed.notify_all()

    def watch(self, enabled: bool) -> None:
        """Begin or end to tell levels, from any thread."""
        self._watched = enabled

    def inject(self, samples: Floats) -> None:
        """Mix a sound into what is captured next, as if it were at the microphone; from any thread."""
        self._injected = samples

    def _run(self) -> None:
        while not self._stopping:
            self._busy_since = self._monotonic()
            try:
                self._turn()
            except SourceEnded:
                self._finish()
                break
            except AudioError as err:
                if self._source.kind in _NEVER_BACK:
                    _LOGGER.error("%s", err)
                    self._finish()
                    break
                self._fail(str(err), wrong_channel=isinstance(err, WrongChannelError))
            except Exception as err:
                # Whatever it was, a satellite that has gone deaf must say so and try again.
                _LOGGER.exception("The hearing has failed and starts again")
                self._fail(f"the hearing has failed ({type(err).__name__})")
        self._close()
        self._busy_since = None

    def _turn(self) -> None:
        """Wait for the owner's wish, or hear one block."""
        settings = self._settings
        if not settings.listening:
            self._close()
            self._health.paused()
            self._tell_health()
            self._wait(settings)
            return
        if self._stream is None:
            self._source.open()
            settling_s = _SETTLING_S if self._source.kind is SourceKind.MICROPHONE else 0.0
            picture = Picture(self._classifier.card)
            hearing = Hearing(
                self._classifier,
                settings.sensitivity,
                on_step=picture.step,
                learned=self._learned,
                on_sound=self._tell_taught,
                settling_s=settling_s,
            )
            self._stream = Stream(hearing, picture, settings)
            self._last_sound = self._monotonic()
            self._heard = False
        stream = self._stream
        if stream.settings is not settings:
            stream.settings = settings
            self._tell(stream, stream.hearing.configure(settings.sensitivity))
        block = self._source.read(_READ_TIMEOUT_S)
        if block is not None:
            self._hear(stream, block)
        else:
            self._miss(self._monotonic() - self._last_sound)
        self._health.dropped(self._source.dropped_blocks, self._monotonic())
        self._tell_health()

    def _miss(self, silent_s: float) -> None:
        """Note that no sound has come for so long."""
        if silent_s > (_FROZEN_AFTER_S if self._heard else _GIVEN_UP_AFTER_S):
            raise DeviceMissingError(f"{self._source.name} gives no sound")
        if silent_s > _MISSED_AFTER_S:
            self._health.gone()

    def _hear(self, stream: Stream, block: Block) -> None:
        started = self._monotonic()
        if self._failures:
            _LOGGER.warning("%s is heard again", self._source.name)
            self._failures = 0
        self._last_sound = started
        self._heard = True
        block = self._mixed(block)
        stream.note(block, self._source.dropped_blocks)
        if self._tape is not None:
            self._tape.push(block.samples, block.captured)
        stream.picture.watched = self._watched
        stream.picture.hear(block.samples)
        if self._learned is not None:
            self._learned.recorder.push(block.samples)
        self._tell(stream, stream.hearing.push(block.samples))
        if self._on_peak is not None and (peak := stream.peak(block)) is not None:
            self._on_peak(peak)
        if level := stream.picture.take(stream.settings.sensitivity):
            self._listener.on_level(level)
        self._health.block(block.samples, self._monotonic() - started, elsewhere=block.elsewhere)

    def _finish(self) -> None:
        """Hear the last moment of what is over; a pipe that ends leaves the satellite deaf, a recording is done."""
        if self._stream is not None:
            self._tell(self._stream, self._stream.hearing.finish())
        if self._source.kind is SourceKind.PIPE:
            _LOGGER.warning("%s has ended: nothing is heard any more", self._source.name)
            self._health.gone()
            self._tell_health()

    def _mixed(self, block: Block) -> Block:
        injected = self._injected
        if not len(injected):
            return block
        part, self._injected = injected[: len(block.samples)], injected[len(block.samples) :]
        samples = block.samples.copy()
        samples[: len(part)] = np.clip(samples[: len(part)] + part, -1.0, 1.0)
        return replace(block, samples=samples)

    def _tell(self, stream: Stream, events: list[StreamEvent]) -> None:
        for event in events:
            name, onset = stream.identify(event, self._utc_now, self._monotonic)
            self._listener.on_event(
                SoundEvent(
                    id=name,
                    sound_class=event.sound_class,
                    phase=event.phase,
                    onset=onset,
                    confidence=event.confidence,
                    peak_dbfs=round(event.peak_dbfs, 1),
                    duration_s=round(max(0.0, event.heard_s - event.onset_s), 2),
                    pattern=event.pattern,
                    embeddings=event.embeddings,
                )
            )

    def _tell_taught(self, event: TaughtEvent) -> None:
        ago = timedelta(seconds=event.steps * self._classifier.card.step_s)
        self._listener.on_taught(event, self._utc_now() - ago)

    def _tell_health(self) -> None:
        if health := self._health.changed(self._monotonic()):
            self._listener.on_health(health)

    def _fail(self, reason: str, *, wrong_channel: bool = False) -> None:
        """Say that nothing is heard, and wait before the next attempt."""
        if self._failures == 0:
            _LOGGER.warning("%s; trying again until it is back", reason)
        else:
            _LOGGER.debug("%s", reason)
        wait_s = _RETRY_S[min(self._failures, len(_RETRY_S) - 1)]
        self._failures += 1
        self._health.gone(wrong_channel=wrong_channel)
        # Told before anything is closed: nobody knows how long that takes.
        for step in (self._tell_health, self._close):
            try:
                step()
            except Exception:
                _LOGGER.exception("The failure of the hearing could not be told")
        self._wait(self._settings, wait_s)

    def _wait(self, settings: Settings, timeout: float | None = None) -> None:
        """Wait until the settings are no longer these, the end, or so long."""
        self._busy_since = None
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._settings is not settings, timeout)

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if self._tape is not None:
            self._tape.clear()
        try:
            if stream is not None:
                self._tell(stream, stream.hearing.flush())
        finally:
            self._source.close()
