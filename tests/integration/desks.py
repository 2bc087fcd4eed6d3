"""A household without Home Assistant: its desk, and a clock that the test sets."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from custom_components.echonet.household.desk import Desk
from custom_components.echonet.household.incident import Acknowledgement, Place
from custom_components.echonet.household.news import News
from custom_components.echonet.household.policy import Circumstances, Telling
from custom_components.echonet.household.storage import loaded, stored
from custom_components.echonet.protocol import AlarmPattern, Detection, Phase
from tests.integration.sounds import NIGHT


class Household:
    """What the runtime does with a desk, with `at` seconds after `NIGHT` for a clock."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.at = 0.0
        self.told: list[News] = []

    @property
    def circumstances(self) -> Circumstances:
        now = NIGHT + timedelta(seconds=self.at)
        return Circumstances(now=now, local=now.time(), away=True, armed=True)

    @property
    def tellings(self) -> list[Telling]:
        return [item.decision.telling for item in self.told]

    def _take(self, news: list[News]) -> list[News]:
        self.told += news
        return news

    def hears(self, place: Place, detection: Detection, **how: Any) -> list[News]:
        return self._take(self.desk.hear(place, detection, self.circumstances, **how))

    def ends(self, place: Place, start: Detection, **fields: Any) -> list[News]:
        duration = (self.circumstances.now - start.onset).total_seconds()
        return self.hears(place, replace(start, phase=Phase.END, duration_s=duration, **fields))

    def becomes(self, place: Place, start: Detection, pattern: AlarmPattern) -> list[News]:
        return self.hears(place, replace(start, phase=Phase.UPDATE, pattern=pattern))

    def back(self, place: Place, *active: Detection) -> list[News]:
        return self._take(self.desk.back(place, active, self.circumstances))

    def lost(self, place: Place) -> None:
        self.desk.lost(place.satellite_id, self.circumstances.now)

    def wait(self, seconds: float) -> list[News]:
        """Let time pass as the runtime does: with a look each second while there may be something to tell."""
        news: list[News] = []
        until = self.at + seconds
        while self.at < until:
            self.at = min(self.at + 1, until)
            if self.desk.restless:
                news += self._take(self.desk.tick(self.circumstances))
        return news

    def acknowledge(self, incident_id: str, *, false_alarm: bool = False) -> list[News]:
        incident = self.desk.incidents.get(incident_id)
        assert incident is not None
        answer = Acknowledgement(
            at=self.circumstances.now, by="Anna", kind=incident.kind, false_alarm=false_alarm
        )
        return self._take(self.desk.acknowledge(incident_id, answer))

    def reload(self, connected: Mapping[Place, Collection[Detection]], *away: Place) -> list[News]:
        """Load anew as the runtime does: the satellites that are there say at once what goes on."""
        left = loaded(stored(replace(self.desk.state, at=self.circumstances.now)))
        plan, waves = self.desk.plan, self.desk.waves_for
        self.desk = Desk(left)
        self.desk.plan, self.desk.waves_for = plan, waves
        for place in away:
            self.lost(place)
        news = [
            item
            for place, active in connected.items()
            for item in self.desk.back(place, active, self.circumstances)
        ]
        return self._take([*self.desk.resume(self.circumstances), *news])

    def restart(self, seconds: float = 0.0) -> list[News]:
        """Stop and start again, by way of what is stored."""
        left = replace(self.desk.state, at=self.circumstances.now)
        state = loaded(stored(left))
        assert state == left
        plan, waves = self.desk.plan, self.desk.waves_for
        self.desk = Desk(state)
        self.desk.plan, self.desk.waves_for = plan, waves
        self.at += seconds
        return self._take(self.desk.resume(self.circumstances))
