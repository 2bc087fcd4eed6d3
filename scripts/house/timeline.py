"""Puts together when a sound began, when it was detected, when Home Assistant knew, and when the phone rang."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .api import Api, Subscription
from .errors import HouseError
from .household import entities
from .phone import Notification, Phone
from .satellite import Satellite, Sound, sound

# Alerts carry the id of the detection that began the incident.
_TAG = "echonet-"
ACKNOWLEDGE = "ACKNOWLEDGE"


@dataclass(slots=True, kw_only=True)
class Entry:
    """One detection on its way; what is None has not come yet.

    `event_fired` is the line in the activity, `state_changed` the binary sensor of the class, `alert_told` the
    attributes of the household's event entity, `alert` what the phone received, `updates` what replaced it there,
    `answered` when somebody acknowledged it on the phone.
    """

    sound: Sound
    event_fired: datetime | None = None
    state_changed: datetime | None = None
    alert_told: dict[str, Any] | None = None
    alert: Notification | None = None
    updates: list[Notification] = field(default_factory=list)
    answered: datetime | None = None

    def after_onset_ms(self, moment: datetime | None) -> float | None:
        """Milliseconds from the onset of the sound to `moment`."""
        return None if moment is None else (moment - self.sound.onset).total_seconds() * 1000


class Timeline:
    """Listens to the satellite, to Home Assistant and to the phone, and keeps an entry per detection."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.ready = asyncio.Event()
        self._listeners: list[Callable[[Entry], None]] = []

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """Call `listener` whenever an entry is new or has got on."""
        self._listeners.append(listener)

    async def acknowledge(self, entry: Entry, phone: Phone) -> None:
        """Answer an alert as somebody with this phone does, once."""
        button = entry.alert.button(ACKNOWLEDGE) if entry.alert is not None else None
        if button is not None and entry.answered is None:
            entry.answered = datetime.now(UTC)
            await phone.press(button)
            self._changed(entry)

    async def until(self, wanted: Callable[[Entry], bool], timeout_s: float) -> Entry:
        """Wait for an entry that is as wanted."""
        found: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()

        def look(entry: Entry) -> None:
            if not found.done() and wanted(entry):
                found.set_result(entry)

        self._listeners.append(look)
        try:
            for entry in tuple(self.entries.values()):
                look(entry)
            async with asyncio.timeout(timeout_s):
                return await found
        except TimeoutError:
            raise HouseError(
                f"within {timeout_s:.0f} s nothing came that was waited for; what came: {list(self.entries.values())}"
            ) from None
        finally:
            self._listeners.remove(look)

    async def follow(self, api: Api, satellite: Satellite, satellite_id: str, phone: Phone) -> None:
        """Listen until cancelled. Sounds that were detected before are left out."""
        keys = {entity_id: key for key, entity_id in (await entities(api, satellite_id)).items()}
        changes = await api.subscribe("subscribe_events", event_type="state_changed")
        told = await api.subscribe("subscribe_events", event_type="echonet_sound")
        stop = satellite.listen(self._on_satellite)
        self.ready.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_states(changes, keys))
                tasks.create_task(self._follow_activity(told))
                tasks.create_task(self._follow_phone(phone))
        finally:
            stop()

    def _on_satellite(self, event: dict[str, Any]) -> None:
        heard = sound(event)
        if heard is not None:
            entry = self.entries[heard.id] = Entry(sound=heard)
            self._changed(entry)

    async def _follow_states(self, changes: Subscription, keys: dict[str, str]) -> None:
        async for event in changes:
            new, old = event["data"]["new_state"], event["data"]["old_state"]
            if new is None:
                continue
            if "incident" in new["attributes"]:
                await self._apply_alert(new["attributes"])
            key = keys.get(event["data"]["entity_id"])
            if key is None:
                continue
            moment = datetime.fromisoformat(new["last_updated"])
            if new["state"] == "on" and (old is None or old["state"] != "on"):
                # A state has no detection id; it belongs to the latest sound of its class.
                entry = await self._find(
                    lambda item: item.sound.sound_class == key and item.state_changed is None  # noqa: B023
                )
                if entry is not None:
                    entry.state_changed = moment
                    self._changed(entry)

    async def _follow_activity(self, told: Subscription) -> None:
        async for event in told:
            identifier = event["data"]["id"]
            entry = await self._find(lambda item: item.sound.id == identifier)  # noqa: B023  awaited at once
            if entry is not None and entry.event_fired is None:
                entry.event_fired = datetime.fromisoformat(event["time_fired"])
                self._changed(entry)

    async def _apply_alert(self, attributes: dict[str, Any]) -> None:
        entry = await self._find(lambda item: item.sound.id == attributes["incident"])
        if entry is not None and entry.alert_told is None:
            entry.alert_told = attributes
            self._changed(entry)

    async def _find(self, wanted: Callable[[Entry], bool]) -> Entry | None:
        # Home Assistant may be quicker than the pipe through which we read what the satellite says.
        for _ in range(25):
            for entry in reversed(self.entries.values()):
                if wanted(entry):
                    return entry
            await asyncio.sleep(0.02)
        return None

    async def _follow_phone(self, phone: Phone) -> None:
        async for notification in phone.notifications():
            identifier = str(notification.data.get("tag", "")).removeprefix(_TAG)
            entry = await self._find(lambda item: item.sound.id == identifier)  # noqa: B023  awaited at once
            if entry is None:
                continue
            if entry.alert is None:
                entry.alert = notification
            else:
                entry.updates.append(notification)
            self._changed(entry)

    def _changed(self, entry: Entry) -> None:
        for listener in tuple(self._listeners):
            listener(entry)
