"""One lesson at a time: listen for some seconds, and hand the recording to the school. Belongs to the event loop."""

import asyncio
from collections.abc import Callable
import logging

from ..errors import LearningError
from ..protocol import Message, Taught, TeachOutcome
from .recorder import Recorder
from .school import LISTEN_S, School

_LOGGER = logging.getLogger(__name__)


class Teaching:
    """Takes the wish to teach a sound, and answers it."""

    def __init__(self, school: School, recorder: Recorder, tell: Callable[[Message | None], None]) -> None:
        """Record through `recorder`; None is told where the state has changed."""
        self._school = school
        self._recorder = recorder
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    def begin(self, name: str, *, listening: bool) -> None:
        """Listen, unless it does so already or nobody may listen."""
        if self._task is not None and not self._task.done():
            self._tell(Taught(name=name, outcome=TeachOutcome.BUSY))
        elif not listening:
            self._tell(Taught(name=name, outcome=TeachOutcome.NOT_LISTENING))
        else:
            self._task = asyncio.create_task(self._teach(name))

    async def end(self) -> None:
        """Stop what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _teach(self, name: str) -> None:
        self._tell(Taught(name=name, outcome=TeachOutcome.LISTENING, listens_s=LISTEN_S))
        samples = await self._recorder.record(LISTEN_S)
        try:
            taught = await asyncio.to_thread(self._school.teach, name, samples)
        except LearningError as err:
            _LOGGER.error("%s is not learned: %s", name, err)
            taught = Taught(name=name, outcome=TeachOutcome.FAILED)
        except Exception:
            # Whoever waits for an answer gets one.
            _LOGGER.exception("%s is not learned", name)
            taught = Taught(name=name, outcome=TeachOutcome.FAILED)
        self._tell(taught)
        self._tell(None)
