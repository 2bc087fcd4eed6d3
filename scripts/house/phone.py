"""A phone: registers as the companion app does and receives its notifications over the app's local push channel."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .api import Api, Subscription

NAME = "Demo phone"
ACTION = "notify.mobile_app_demo_phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What the phone showed, and when."""

    received: datetime
    title: str
    message: str
    data: dict[str, Any]

    def button(self, answer: str) -> str | None:
        """What the button for an answer such as `ACKNOWLEDGE` tells, None where there is no such button."""
        prefix = f"ECHONET-{answer}-"
        actions = [str(action.get("action", "")) for action in self.data.get("actions", ())]
        return next((action for action in actions if action.startswith(prefix)), None)

    @property
    def critical(self) -> bool:
        """Whether it sounds even where the phone is silent (iOS)."""
        sound = self.data.get("push", {}).get("sound", {})
        return isinstance(sound, dict) and bool(sound.get("critical"))


class Phone:
    """One registered phone."""

    def __init__(self, api: Api, webhook_id: str, channel: Subscription) -> None:
        self._api = api
        self._webhook_id = webhook_id
        self._channel = channel

    async def notifications(self) -> AsyncIterator[Notification]:
        """What arrives, from now on."""
        async for event in self._channel:
            yield Notification(
                received=datetime.now(UTC),
                title=event.get("title", ""),
                message=event["message"],
                data=event.get("data", {}),
            )

    async def press(self, action: str) -> None:
        """Press a button of a notification: the app then fires an event, in the name of its user."""
        await self._api.post(
            f"/api/webhook/{self._webhook_id}",
            type="fire_event",
            data={"event_type": "mobile_app_notification_action", "event_data": {"action": action}},
        )


async def connect_phone(api: Api) -> Phone:
    """Register a phone and open its push channel; from then on the action `ACTION` exists."""
    registration = await api.post(
        "/api/mobile_app/registrations",
        app_id="io.robbie.HomeAssistant",
        app_name="Home Assistant",
        app_version="2026.11.0",
        device_id="echonet-demo-phone",
        device_name=NAME,
        manufacturer="Apple",
        model="iPhone",
        os_name="iOS",
        os_version="19.0",
        supports_encryption=False,
        app_data={"push_websocket_channel": True},
    )
    channel = await api.subscribe(
        "mobile_app/push_notification_channel", webhook_id=registration["webhook_id"], support_confirm=False
    )
    return Phone(api, registration["webhook_id"], channel)
