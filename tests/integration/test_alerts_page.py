"""The page about alerts shows what the code renders, and names everything that is there."""

from dataclasses import replace
import os
from pathlib import Path
import re

from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.echonet.household.incident import Place
from custom_components.echonet.household.payload import companion_data
from custom_components.echonet.household.texts import TEXTS, Language
from custom_components.echonet.protocol import AlarmPattern
from tests.integration.sounds import HOME, alert, sound

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "alerts.md"
ROOMS = {
    Language.ENGLISH: ("Kitchen", "Ground floor"),
    Language.GERMAN: ("Küche", "Erdgeschoss"),
    Language.FRENCH: ("Cuisine", "Rez-de-chaussée"),
    Language.SPANISH: ("Cocina", "Planta baja"),
}
HOUSE = replace(HOME, address="12 Elm Street, Springfield")
BLOCK = re.compile(r"<!-- example: (\w+) -->\n(.*?)(?=<!-- )", re.DOTALL)


def example(language: Language) -> str:
    """A notification as a quotation of Markdown."""
    room, floor = ROOMS[language]
    place = Place(satellite_id="k" * 32, name="Kitchen", room=room, floor=floor)
    told = alert((place, sound(pattern=AlarmPattern.T3)), home=HOUSE)
    notice, texts = told.notice(language), TEXTS[language]
    buttons = companion_data(told, notice, texts, opens="/")["actions"]
    lines = [
        f"**{notice.title}**",
        *notice.message.splitlines(),
        " ".join(f"[ {button['title']} ]" for button in buttons),
    ]
    return "\n>\n".join(f"> {line}" for line in lines) + "\n\n"


def emergency() -> str:
    """The text that is forwarded."""
    room, floor = ROOMS[Language.ENGLISH]
    place = Place(satellite_id="k" * 32, name="Kitchen", room=room, floor=floor)
    return f"> {alert((place, sound(pattern=AlarmPattern.T3)), home=HOUSE).notice().emergency}\n\n"


def test_the_examples_are_what_the_code_renders() -> None:
    text = PAGE.read_text(encoding="utf-8")
    wanted = {language.value: example(language) for language in Language} | {"emergency": emergency()}
    if os.environ.get("ECHONET_WRITE_EXAMPLES"):
        text = BLOCK.sub(lambda match: f"<!-- example: {match[1]} -->\n{wanted[match[1]]}", text)
        PAGE.write_text(text, encoding="utf-8")
    assert {match[1]: match[2] for match in BLOCK.finditer(text)} == wanted, (
        "run this test with ECHONET_WRITE_EXAMPLES=1"
    )


@pytest.mark.parametrize("action", ["acknowledge", "label", "mute", "test_alert"])
def test_every_action_and_field_is_on_the_page(action: str) -> None:
    described = load_yaml_dict(str(REPOSITORY / "custom_components" / "echonet" / "services.yaml"))
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| `echonet.{action}` ")]
    for field in described[action]["fields"]:
        assert f"`{field}`" in row or field == "verdict"


def test_every_action_is_in_the_readme_with_its_fields() -> None:
    described = load_yaml_dict(str(REPOSITORY / "custom_components" / "echonet" / "services.yaml"))
    rows = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    for action, description in described.items():
        (row,) = [line for line in rows if line.startswith(f"| `echonet.{action}` ")]
        assert all(f"`{field}`" in row for field in description["fields"]), action
