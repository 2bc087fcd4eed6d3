"""`POST /v1/classify`: as its description says, for paired controllers only, and no file harms the satellite."""

import asyncio
import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import numpy as np
import pytest
import soundfile

from echonet_satellite import child, classify_child, synthesis
from echonet_satellite.classify_child import MAX_BYTES
from echonet_satellite.protocol import PATH_CLASSIFY, PATH_CLIPS, PATH_OPENAPI
from echonet_satellite.server import classify_routes
from tests.support.hearing import model_directory
from tests.support.satellite import SatelliteUnderTest

RATE = 16_000


def wav(seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> bytes:
    return encoded(np.zeros((round(seconds * rate), channels), np.float32), rate)


def encoded(samples: Any, rate: int = RATE) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


async def classify(
    session: aiohttp.ClientSession,
    satellite: SatelliteUnderTest,
    body: Any,
    query: str = "",
    **headers: str,
) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {satellite.issue_token()}", **headers}
    url = f"https://127.0.0.1:{satellite.port}{PATH_CLASSIFY}{query}"
    async with session.post(
        url, data=body, headers={key.replace("_", "-"): value for key, value in headers.items()}, ssl=False
    ) as response:
        return response.status, response.content_type, await response.read()


async def test_a_file_is_classified_as_the_command_does(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    model_directory()
    body = encoded(synthesis.demo_scene().samples[: 12 * RATE])
    status, kind, answer = await classify(session, satellite, body)
    assert (status, kind) == (200, "application/json")
    result = json.loads(answer)
    assert result["detections"]
    status, kind, answer = await classify(session, satellite, body, Accept="application/xml")
    assert (status, kind) == (200, "application/xml")
    root = ET.fromstring(answer)  # noqa: S314 - our own answer
    told = [(item.get("class"), float(item.get("onset", "nan"))) for item in root]
    assert told == [(item["class"], item["onset"]) for item in result["detections"]]


async def test_only_paired_controllers_may_ask(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    for token in ("", "Bearer", "Bearer x", "Basic eDp5"):
        status, _, _ = await classify(session, satellite, wav(), Authorization=token)
        assert status == 401
    async with session.get(f"https://127.0.0.1:{satellite.port}{PATH_OPENAPI}", ssl=False) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 422),
        ("*/*", 422),
        ("text/html, application/xml;q=0.1", 422),
        ("application/json;q=0, application/xml", 422),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0, */*;q=0", 406),
    ],
)
async def test_the_answer_is_of_a_type_that_is_accepted(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, accept: str, status: int
) -> None:
    # A file that is none is refused as such, once its answer could be read at all.
    assert (await classify(session, satellite, b"", Accept=accept))[0] == status


def test_the_preferred_type_is_the_one_that_is_given() -> None:
    wanted = classify_routes._wanted
    assert wanted("application/xml;q=0.9, application/json;q=0.8") == "application/xml"
    assert wanted("text/xml, */*;q=0.5") == "application/xml"
    assert wanted("*/*, application/json;q=0.1") == "application/xml"
    assert wanted("application/json, application/xml") == "application/json"
    assert wanted("application/json;q=nan") is None or wanted("application/json;q=nan") == "application/json"


async def test_a_wrong_request_is_refused_without_work(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "command", lambda *_: pytest.fail("a child was started"))
    assert (await classify(session, satellite, wav(), Content_Type="text/plain"))[0] == 415
    assert (await classify(session, satellite, wav(), "?sensitivity=off"))[0] == 400
    assert (await classify(session, satellite, bytes(MAX_BYTES + 1)))[0] == 413

    async def endless() -> Any:
        for _ in range(MAX_BYTES // (1 << 20) + 1):
            yield bytes(1 << 20)

    assert (await classify(session, satellite, endless()))[0] == 413


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"no sound at all", "cannot be read"),
        (wav()[:44], "no sound"),
        (wav(700.0, rate=8000), "longer than 10 minutes"),
    ],
    ids=["nonsense", "empty", "long"],
)
async def test_a_file_that_is_no_recording_is_refused_in_one_line(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, body: bytes, reason: str
) -> None:
    model_directory()
    status, _, answer = await classify(session, satellite, body)
    told = json.loads(answer)
    assert (status, told["error"]) == (422, "unreadable")
    assert reason in told["reason"]
    assert "/proc" not in told["reason"]


async def test_a_file_that_brings_the_child_down_costs_one_answer(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "command", lambda *_: ["/bin/sh", "-c", "kill -9 $$"])
    assert (await classify(session, satellite, wav()))[0] == 422
    assert not satellite.connected
    satellite.emit("dog")


async def test_one_file_at_a_time(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "command", lambda *_: ["/bin/sh", "-c", "read line"])
    monkeypatch.setattr(classify_routes, "_WORK_S", 0.5)
    first = asyncio.create_task(classify(session, satellite, _slowly()))
    await asyncio.sleep(0.1)
    status, _, _ = await classify(session, satellite, wav())
    assert status == 503
    await first


async def _slowly() -> Any:
    yield wav()
    await asyncio.sleep(1.0)
    yield wav()


def test_a_child_may_not_take_all_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    code = (
        "from echonet_satellite.child import be_humble\n"
        "be_humble(memory_bytes=1 << 30, cpu_s=10)\n"
        "try:\n    bytearray(2 << 30)\nexcept MemoryError:\n    print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=child.environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "refused\n"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_the_description_holds_for_whatever_is_asked(satellite: SatelliteUnderTest) -> None:
    """Schemathesis makes requests from the description, right and wrong ones, and compares the answers with it."""
    schemathesis = pytest.importorskip("schemathesis")
    token = satellite.issue_token()
    satellite.keep_clip(id="0" * 32)
    await asyncio.to_thread(_ask_everything, schemathesis, satellite, token)


def _ask_everything(schemathesis: Any, satellite: SatelliteUnderTest, token: str) -> None:
    from hypothesis import HealthCheck, given, settings, strategies as st  # noqa: PLC0415
    import requests  # noqa: PLC0415
    from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: PLC0415

    base = f"https://127.0.0.1:{satellite.port}"
    headers = {"Authorization": f"Bearer {token}"}
    sounds = st.sampled_from([wav(0.2), wav(0.5, 8000, 2), wav()[:40], b"RIFF"]) | st.binary(max_size=200)
    for name in ("application/octet-stream", "audio/flac", "audio/mpeg", "audio/ogg", "audio/wav"):
        schemathesis.openapi.media_type(name, sounds)
    with requests.Session() as session:
        session.trust_env = False  # no other certificates, and no proxy
        session.verify = False
        described = session.get(base + PATH_OPENAPI, headers=headers, timeout=30).json()
        schema = schemathesis.openapi.from_dict(described)
        operations = [item.ok() for item in schema.get_all_operations()]
        assert {PATH_CLASSIFY, PATH_CLIPS, PATH_OPENAPI} < {item.path for item in operations}
        for operation in operations:

            @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy())
            def check(case: Any) -> None:
                case.call_and_validate(
                    base_url=base,
                    session=session,
                    headers=headers,
                    # No schema can say which bytes are a recording.
                    excluded_checks=[positive_data_acceptance],
                    timeout=60,
                    verify=False,
                )

            check()


def test_the_limits_of_the_service_are_said_in_its_description() -> None:
    from importlib.resources import files  # noqa: PLC0415

    text = (files("echonet_satellite.server") / "openapi.json").read_text()
    assert f"{classify_child.MAX_BYTES >> 20} MiB" in text
    assert classify_child.MAX_SECONDS == 600
    assert "ten minutes" in text
