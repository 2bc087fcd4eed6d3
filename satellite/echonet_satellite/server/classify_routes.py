"""`POST /v1/classify`: what is heard in an audio file, as JSON or XML, for paired controllers; one file at a time."""

import asyncio
from collections.abc import Mapping
from importlib.resources import files
import json
import os
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from aiohttp import web

from .. import child
from ..classify_child import MAX_BYTES, REFUSED
from ..controllers import Controllers
from ..protocol import PATH_CLASSIFY, PATH_OPENAPI, Sensitivity
from .bearer import paired_only
from .guard import answer, refusal

_UPLOAD_S: Final = 60.0
_WORK_S: Final = 180.0
_OCTETS: Final = "application/octet-stream"
_JSON: Final = "application/json"
_XML: Final = "application/xml"
_LEVELS: Final = frozenset(level.value for level in Sensitivity if level is not Sensitivity.OFF)


class ClassifyRoutes:
    """Answers `PATH_CLASSIFY`, and says in `PATH_OPENAPI` what can be asked at all."""

    def __init__(self, controllers: Controllers, model: Path | None) -> None:
        """Serve `controllers` with the model in a folder, else with the one that came with the satellite."""
        self._controllers = controllers
        self._model = model
        self._busy = False
        self._process: asyncio.subprocess.Process | None = None
        self._description = (files(__package__) / "openapi.json").read_text(encoding="utf-8")

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_post(PATH_CLASSIFY, paired_only(self._controllers, self._classify))
        router.add_get(PATH_OPENAPI, paired_only(self._controllers, self._describe))

    def close(self) -> None:
        """Give up what is being classified."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _describe(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=self._description, content_type=_JSON)

    async def _classify(self, request: web.Request) -> web.StreamResponse:
        wanted = _wanted(request.headers.get("Accept", ""))
        if wanted is None:
            return refusal(406, "not_acceptable")
        if request.content_type != _OCTETS and not request.content_type.startswith("audio/"):
            return refusal(415, "unsupported_media_type")
        sensitivity = request.query.get("sensitivity", Sensitivity.MEDIUM.value)
        if sensitivity not in _LEVELS:
            return refusal(400, "sensitivity")
        if (request.content_length or 0) > MAX_BYTES:
            return refusal(413)
        if self._busy:
            busy = refusal(503)
            busy.headers["Retry-After"] = "5"
            return busy
        self._busy = True
        # In memory, and never on the disk: what somebody sends is not kept.
        descriptor = os.memfd_create("classify")
        try:
            async with asyncio.timeout(_UPLOAD_S):
                size = await _receive(request, descriptor)
            if size > MAX_BYTES:
                return refusal(413)
            if size == 0:
                return _unreadable("the file is empty: there is no sound in it to hear")
            return await self._answer(descriptor, sensitivity, wanted)
        except TimeoutError:
            return refusal(408, "timeout")
        finally:
            os.close(descriptor)
            self._busy = False

    async def _answer(self, descriptor: int, sensitivity: str, wanted: str) -> web.StreamResponse:
        arguments = (str(descriptor), sensitivity, str(self._model or ""))
        self._process = process = await asyncio.create_subprocess_exec(
            *child.command("classify_child", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=(descriptor,),
            env=child.environment(),
        )
        try:
            async with asyncio.timeout(_WORK_S):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode not in {0, REFUSED}:
            return _unreadable("the file needs more time or memory than a file may, or is damaged")
        result = json.loads(output)
        if process.returncode == REFUSED:
            return _unreadable(result["reason"])
        if wanted == _XML:
            return web.Response(body=_xml(result), content_type=_XML)
        return answer(200, result)


async def _receive(request: web.Request, descriptor: int) -> int:
    """Take a body into memory, no more than is allowed and a little; return its size."""
    size = 0
    async for piece in request.content.iter_any():
        size += len(piece)
        if size > MAX_BYTES:
            break
        os.write(descriptor, piece)
    return size


def _unreadable(reason: str) -> web.Response:
    return answer(422, {"error": "unreadable", "reason": reason})


def _wanted(accept: str) -> str | None:
    """Return which of our types an `Accept` header prefers; None where it wants neither."""
    if not accept.strip():
        return _JSON
    ranges = [_range(item) for item in accept.split(",")]
    best, chosen = 0.0, None
    for ours, names in ((_JSON, (_JSON,)), (_XML, (_XML, "text/xml"))):
        # The most exact range that fits is the one that holds.
        fitting = [
            (exactness, quality)
            for exactness, fits in enumerate(({"*/*"}, {"application/*", "text/*"}, set(names)))
            for name, quality in ranges
            if name in fits and (name != "text/*" or ours == _XML)
        ]
        quality = max(fitting)[1] if fitting else 0.0
        if quality > best:
            best, chosen = quality, ours
    return chosen


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                quality = 0.0
    return name, quality


def _xml(result: Mapping[str, Any]) -> bytes:
    root = ET.Element("classification", {"model": result["model"], "model_version": result["model_version"]})
    for item in result["detections"]:
        ET.SubElement(
            root, "detection", {key: str(value) for key, value in item.items() if value is not None}
        )
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found
