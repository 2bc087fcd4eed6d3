"""Keeps what the household owes its recipients over a restart of Home Assistant."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
import logging
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..protocol import EchonetError
from .state import State

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION: Final = 1
STORAGE_KEY: Final = f"{DOMAIN}.household"
# What happens at once is written once; the satellite has it too until then.
SAVE_DELAY_S: Final = 0.25


class _File(Store[Any]):
    """A file that says when it has been written: `Store` itself logs an error, and tells nobody.

    What is given to it to write is a `State`, which nobody changes any more: only then is it put into words, by a
    thread, because a long state would hold up the event loop.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        super().__init__(hass, STORAGE_VERSION, STORAGE_KEY, private=True, atomic_writes=True)
        self.waiting: list[Callable[[], None]] = []

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        state = data.pop("data_func")() if "data_func" in data else data["data"]
        waiting, self.waiting = self.waiting, []
        try:
            data["data"] = await self.hass.async_add_executor_job(stored, state)
            await super()._async_write_data(data)
        except BaseException:
            self.waiting = waiting + self.waiting
            raise
        for done in waiting:
            done()


class StateStore:
    """The file in `.storage`."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Read and write nothing yet."""
        self._pending = False
        self._file = _File(hass)

    async def async_load(self) -> State:
        """Return what was stored; nothing if there is none, or none that can be understood."""
        try:
            data = await self._file.async_load()
            return State() if data is None else loaded(data)
        except Exception as err:  # noqa: BLE001  # whatever the file holds, the household must listen
            _LOGGER.warning("What was stored of earlier alerts cannot be read, and is left out: %s", err)
            return State()

    @callback
    def async_save_soon(self, state: Callable[[], State]) -> None:
        """Write what `state` returns then."""
        if self._pending:
            # Asked again, `Store` would wait anew, and never write in a house that is never quiet.
            return
        self._pending = True

        def data() -> State:
            self._pending = False
            return state()

        self._file.async_delay_save(data, SAVE_DELAY_S)

    @callback
    def async_when_stored(self, done: Callable[[], None]) -> None:
        """Call `done` when what is so now has been written, however long that takes; `async_save_soon` comes first."""
        self._file.waiting.append(done)

    async def async_save(self, state: State) -> None:
        """Write now, because nothing more will come."""
        await self._file.async_save(state)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._file.async_remove()


class StorageError(EchonetError):
    """A file that is not what was stored."""


def stored(state: State) -> dict[str, Any]:
    """Return a state as JSON has it."""
    plain: dict[str, Any] = _plain(state)
    return plain


def loaded(data: dict[str, Any]) -> State:
    """Return the state that was stored.

    Raises:
        StorageError: it is none.
    """
    try:
        state: State = _build(State, data)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as err:
        raise StorageError(str(err) or type(err).__name__) from err
    return state


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value


def _build(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        (hint,) = (item for item in arguments if item is not NoneType)
        return None if value is None else _build(hint, value)
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
        return tuple(_build(kind, item) for kind, item in zip(kinds, value, strict=True))
    if origin is frozenset:
        return frozenset(_build(arguments[0], item) for item in value)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: _build(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    return _build_scalar(hint, value)


def _build_scalar(hint: Any, value: Any) -> Any:
    if hint is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(f"{value} has no zone")
        return moment
    if issubclass(hint, Enum):
        return hint(value)
    if hint is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, hint):
        raise TypeError(f"{value!r} is no {hint.__name__}")
    return value
