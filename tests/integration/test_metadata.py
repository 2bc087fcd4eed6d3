"""The files that Home Assistant and HACS read: complete, consistent, and of the form that they expect."""

import ast
from functools import partial
import json
from pathlib import Path
import re
import string
import struct
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.loader import async_get_integration
from homeassistant.util.yaml import load_yaml_dict
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import client, issues, services
from custom_components.echonet.const import DOMAIN
from custom_components.echonet.event_types import event_types_of
from custom_components.echonet.helpers import translation_key
from custom_components.echonet.household.silence import Trouble
from custom_components.echonet.protocol import (
    SERVICE_TYPE,
    AlarmPattern,
    Problem,
    SelfTestOutcome,
    Sensitivity,
    SoundClass,
    Test,
)
from tests.integration.conftest import StartSatellite, setup, state_of, wait_for
from tests.support.learning import tone
from tests.support.satellite import SatelliteUnderTest

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "custom_components" / DOMAIN
MODULES = sorted(COMPONENT.rglob("*.py"))

MANIFEST_KEYS = {
    "after_dependencies",
    "categories",
    "codeowners",
    "config_flow",
    "connectivity",
    "dependencies",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "loggers",
    "name",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "version",
    "zeroconf",
}
HACS_KEYS = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}
RULES = set(
    """
    action-setup appropriate-polling brands common-modules config-flow-test-coverage config-flow
    dependency-transparency docs-actions docs-triggers docs-conditions docs-high-level-description
    docs-installation-instructions docs-removal-instructions entity-event-setup entity-unique-id
    has-entity-name runtime-data test-before-configure test-before-setup unique-config-entry
    action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters
    entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow
    test-coverage devices diagnostics discovery-update-info discovery docs-data-update docs-examples
    docs-known-limitations docs-supported-devices docs-supported-functions docs-troubleshooting
    docs-use-cases dynamic-devices entity-category entity-device-class entity-disabled-by-default
    entity-translations exception-translations icon-translations reconfiguration-flow repair-issues
    stale-devices async-dependency inject-websession strict-typing
    """.split()  # noqa: SIM905  # fifty-four names are read more easily as a text
)


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


TEXTS = load(COMPONENT / "translations" / "en.json")


def calls(name: str, keyword: str) -> set[str]:
    """The constant values of a keyword in all calls of a function, wherever it is called."""
    found: set[str] = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = (
                node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            )
            if function == name:
                found |= {
                    str(item.value.value)
                    for item in node.keywords
                    if item.arg == keyword and isinstance(item.value, ast.Constant)
                }
    return found


def test_manifest() -> None:
    manifest = load(COMPONENT / "manifest.json")
    keys = list(manifest)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])
    assert set(keys) <= MANIFEST_KEYS
    assert manifest["domain"] == DOMAIN == COMPONENT.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert manifest["zeroconf"] == [SERVICE_TYPE]
    assert manifest["iot_class"] == "local_push"
    assert manifest["requirements"] == []
    assert all(owner.startswith("@") for owner in manifest["codeowners"])
    assert manifest["codeowners"]


async def test_home_assistant_accepts_it(hass: HomeAssistant) -> None:
    integration = await async_get_integration(hass, DOMAIN)
    assert integration.integration_type == "device"
    assert integration.has_branding
    assert integration.config_flow


def test_hacs() -> None:
    hacs = load(ROOT / "hacs.json")
    assert set(hacs) <= HACS_KEYS
    assert hacs["name"] == "EchoNet"
    assert hacs["homeassistant"] >= "2026.10"


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [("icon.png", 256, 256), ("icon@2x.png", 512, 512), ("logo.png", None, 160), ("logo@2x.png", None, 320)],
)
def test_brand_images(name: str, width: int | None, height: int) -> None:
    head = (COMPONENT / "brand" / name).read_bytes()[:26]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    size = struct.unpack(">II", head[16:24])
    assert size[1] == height
    assert width is None or size[0] == width


def test_every_rule_of_the_quality_scale_is_answered() -> None:
    rules = load_yaml_dict(str(COMPONENT / "quality_scale.yaml"))["rules"]
    assert len(RULES) == 54
    assert set(rules) == RULES
    for name, answer in rules.items():
        if answer != "done":
            assert answer["status"] == "exempt", name
            assert answer["comment"].strip(), name


@pytest.fixture
async def satellite(start_satellite: StartSatellite) -> SatelliteUnderTest:
    """One that can do everything: it hears several rooms too."""
    return await start_satellite(rooms=("Kitchen", "Nursery"))


async def test_every_entity_has_a_name_and_an_icon(
    hass: HomeAssistant, household: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await setup(hass, household)
    assert satellite.learner is not None
    satellite.learner.school.teach("Doorbell", tone(1000))
    await satellite.station.learning.learn_again()
    await wait_for(lambda: hass.states.get("binary_sensor.hallway_doorbell"))
    icons = load(COMPONENT / "icons.json")["entity"]
    registry = er.async_get(hass)
    used: dict[str, set[str]] = {}
    for entry in (household, loaded):
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
            assert entity.translation_key
            used.setdefault(entity.domain, set()).add(entity.translation_key)
            if entity.original_device_class is None:
                assert entity.translation_key in icons[entity.domain], entity.entity_id
    assert {platform: set(texts) for platform, texts in TEXTS["entity"].items()} == used
    for platform, names in icons.items():
        assert platform in list(Platform)
        assert set(names) <= used[platform]
        assert all(icon["default"].startswith("mdi:") for icon in names.values())


def test_every_value_has_a_name() -> None:
    entity = TEXTS["entity"]
    for sound_class in SoundClass:
        assert set(entity["select"][f"{sound_class}_sensitivity"]["state"]) == set(Sensitivity)
    assert set(entity["event"]["loud_noise"]["state_attributes"]["event_type"]["state"]) == {
        "began",
        "ended",
        "late",
    }
    for event in (entity["event"]["sound_detection"], entity["event"]["alert"]):
        assert set(event["state_attributes"]["event_type"]["state"]) == set(event_types_of(SoundClass))
        assert set(event["state_attributes"]["pattern"]["state"]) == set(AlarmPattern)
    assert set(entity["sensor"]["health"]["state"]) == {"ok", *Problem}
    assert set(entity["sensor"]["incident"]["state"]) == {"none", *event_types_of(SoundClass)} - {
        "test",
        "late",
    }


def has_fired(hass: HomeAssistant, entity_id: str) -> bool:
    return state_of(hass, entity_id).attributes["event_type"] is not None


async def test_every_attribute_has_a_name(
    hass: HomeAssistant, household: MockConfigEntry, loaded: MockConfigEntry
) -> None:
    await setup(hass, household)
    await loaded.runtime_data.async_send(Test(sound_class=SoundClass.ALARM))
    common = {"device_class", "event_types", "friendly_name"}
    for entity_id, key in (
        ("event.hallway_sound_detection", "sound_detection"),
        ("event.echonet_household_alert", "alert"),
    ):
        await wait_for(partial(has_fired, hass, entity_id))
        assert set(state_of(hass, entity_id).attributes) - common == set(
            TEXTS["entity"]["event"][key]["state_attributes"]
        )


def test_every_action_is_described() -> None:
    described = load_yaml_dict(str(COMPONENT / "services.yaml"))
    texts, icons = TEXTS["services"], load(COMPONENT / "icons.json")["services"]
    actions = {
        services.ACKNOWLEDGE,
        services.DELETE_CLIPS,
        services.FORGET_SOUND,
        services.LABEL,
        services.MUTE,
        services.TEACH_SOUND,
        services.TEST_ALERT,
    }
    assert set(described) == set(texts) == set(icons) == actions
    schemas = {
        services.ACKNOWLEDGE: services.ACKNOWLEDGE_SCHEMA,
        services.FORGET_SOUND: services.SOUND_SCHEMA,
        services.LABEL: services.LABEL_SCHEMA,
        services.MUTE: services.MUTE_SCHEMA,
        services.TEACH_SOUND: services.SOUND_SCHEMA,
        services.TEST_ALERT: services.TEST_ALERT_SCHEMA,
    }
    for action, schema in schemas.items():
        fields = described[action]["fields"]
        assert {str(key) for key in schema.schema} == set(fields) == set(texts[action]["fields"])
        required = {str(key) for key in schema.schema if isinstance(key, probatio.Required)}
        assert required == {name for name, field in fields.items() if field.get("required")}
        for name, field in fields.items():
            assert {"example", "selector"} <= set(field), name
            if select := field["selector"].get("select"):
                assert set(select["options"]) == set(TEXTS["selector"][select["translation_key"]]["options"])


def test_every_form_explains_its_fields() -> None:
    steps = {
        **TEXTS["config"]["step"],
        **TEXTS["options"]["step"],
        **TEXTS["config_subentries"]["recipient"]["step"],
    }
    for name, step in steps.items():
        assert step["title"], name
        assert set(step.get("data", {})) == set(step.get("data_description", {})), name
    menu = TEXTS["config"]["step"]["user"]
    assert set(menu["menu_options"]) == set(menu["menu_option_descriptions"]) == {"satellite", "household"}


def test_the_readme_names_every_entity() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    per_class = re.compile(rf"({'|'.join(SoundClass)})_(sensitivity|clips)")
    names = [
        entity["name"].partition("{")[0].strip()
        for entities in TEXTS["entity"].values()
        for key, entity in entities.items()
        if not per_class.fullmatch(key)
    ]
    assert len(names) > 20
    assert not [name for name in names if name not in text]


def test_every_step_error_and_reason_has_a_text() -> None:
    config, recipient = TEXTS["config"], TEXTS["config_subentries"]["recipient"]
    options = TEXTS["options"]
    steps = calls("async_show_form", "step_id") | calls("async_show_menu", "step_id")
    known = set(config["step"]) | set(options["step"]) | {"confirm"}
    assert steps <= known
    assert {"pair", "reauth_confirm"} <= set(config["step"])
    reasons = calls("async_abort", "reason") | calls("_abort_if_unique_id_mismatch", "reason")
    reasons |= calls("async_update_reload_and_abort", "reason")
    assert reasons - {"satellite_removed"} <= set(config["abort"]) | set(options["abort"])
    assert calls("async_show_progress", "progress_action") == set(options["progress"])
    assert {"already_configured", "reauth_successful", "reconfigure_successful"} <= set(config["abort"])
    assert set(recipient["error"]) == {"already_told", "no_classes"}
    assert recipient["entry_type"]
    assert set(recipient["initiate_flow"]) == {"user", "reconfigure"}


def leaves(texts: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(texts, str):
        return [(path, texts)]
    return [leaf for key, value in texts.items() for leaf in leaves(value, f"{path}.{key}")]


def test_texts_are_what_home_assistants_own_check_demands() -> None:
    for path, text in leaves(TEXTS):
        assert text == text.strip(), path
        assert not re.search(r"<[a-z/]|https?://|www\.|'\{\w+\}'", text, re.IGNORECASE), path
        assert all(part.isidentifier() for _, part, _, _ in string.Formatter().parse(text) if part), path
    for kind, subentry in TEXTS["config_subentries"].items():
        assert {"step", "entry_type", "initiate_flow"} <= set(subentry), kind
        assert "user" in subentry["initiate_flow"], kind
    for name, issue in TEXTS["issues"].items():
        assert issue["title"], name
        assert ("description" in issue) is ("fix_flow" not in issue), name
    for action, texts in TEXTS["services"].items():
        assert texts["name"], action
        assert texts["description"], action


def test_every_error_of_the_client_has_its_texts() -> None:
    errors = [
        item
        for item in vars(client).values()
        if isinstance(item, type) and issubclass(item, client.ClientError) and item is not client.ClientError
    ]
    assert len(errors) == 13
    keys = {translation_key(error("")) for error in errors}
    assert keys | {"unknown", "invalid_address"} == set(TEXTS["config"]["error"])
    raised = calls("HomeAssistantError", "translation_key") | calls(
        "ServiceValidationError", "translation_key"
    )
    while_connected = keys - {"impostor", "invalid_code", "pairing_closed"}
    self_tests = {f"self_test_{outcome}" for outcome in SelfTestOutcome} - {"self_test_passed"}
    assert while_connected | raised | self_tests == set(TEXTS["exceptions"])


def test_every_issue_has_its_texts() -> None:
    keys = {
        *issues.CONNECTION_ISSUES,
        issues.CHATTERBOX,
        issues.STILL_PAIRED,
        issues.WALK_TEST_DUE,
        *issues.RECIPIENT_ISSUES.values(),
        *issues.CLOCK_ISSUES,
        *Trouble,
    }
    assert set(TEXTS["issues"]) == keys
    for key, texts in TEXTS["issues"].items():
        # Home Assistant wants either a description or a fix flow.
        fixable = key in {issues.CERTIFICATE_CHANGED, issues.STILL_PAIRED}
        assert ("fix_flow" in texts) is fixable
        assert ("description" in texts) is not fixable


def test_placeholders_are_those_that_are_given() -> None:
    def names(texts: Any) -> set[str]:
        if isinstance(texts, dict):
            return set().union(*map(names, texts.values()))
        return {name for _, name, _, _ in string.Formatter().parse(texts) if name}

    assert names(TEXTS["exceptions"]) == {"name"}
    assert names(TEXTS["issues"]) == {"name", "target", "difference", "command"}
    assert names(TEXTS["config"]["step"]["pair"]) == {"name", "host", "command"}
    assert names(TEXTS["config"]["step"]["reauth_confirm"]) == {"name", "host", "command"}
    assert names(TEXTS["config"]["step"]["code"]) == {"name", "host", "command", "until"}
    assert names(TEXTS["config"]["error"]) == set()


def test_platforms_say_how_many_updates_run_at_once() -> None:
    platforms = [
        COMPONENT / f"{platform}.py" for platform in Platform if (COMPONENT / f"{platform}.py").exists()
    ]
    assert len(platforms) == 7
    assert all("\nPARALLEL_UPDATES = " in path.read_text() for path in platforms)


def test_modules_have_one_line_that_says_what_they_are_for() -> None:
    for module in MODULES:
        text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
        assert text, module
        assert text.splitlines()[0].endswith("."), module


def imported_by(module: Path) -> set[Path]:
    """The modules of the integration that a module names, also those for the type checker only."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        folder = module.parents[node.level - 1]
        base = folder.joinpath(*(node.module or "").split("."))
        for name in [base.with_suffix(".py"), base / "__init__.py"]:
            if name.exists() and node.module:
                found.add(name)
        found |= {
            path for item in node.names if (path := base / f"{item.name}.py").exists() and base.is_dir()
        }
    return found


def test_no_module_imports_itself_in_a_circle() -> None:
    def circle(path: tuple[Path, ...]) -> tuple[Path, ...] | None:
        if path[-1] in path[:-1]:
            return path
        if path[-1] in cleared:
            return None
        for target in imported_by(path[-1]):
            if (found := circle((*path, target))) is not None:
                return found
        cleared.add(path[-1])
        return None

    cleared: set[Path] = set()
    for module in MODULES:
        found = circle((module,))
        assert found is None, " -> ".join(item.stem for item in found or ())
    assert len(cleared) == len(MODULES)
