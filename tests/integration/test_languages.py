"""Every language says everything: nothing is missing, left over or left in English, and every placeholder is filled."""

from collections import Counter
from collections.abc import Iterator
import json
from pathlib import Path
import re
import string
from typing import Any

from homeassistant.util.yaml import Input, load_yaml_dict
import pytest

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.household.texts import Language

TRANSLATIONS = Path(__file__).parents[2] / "custom_components" / DOMAIN / "translations"
OTHERS = [language for language in Language if language is not Language.ENGLISH]
# Words that are spelled the same in English and in another of the languages.
SAME = {
    *(
        "{name}",
        "Alarm",
        "Incident",
        "Latitude",
        "Longitude",
        "Name",
        "Microphone",
        "No",
        "Normal",
    ),
    *("Port", "Satellite", "Test", "Text", "Verdict", "Actions", "Version", "Clips", "Media", "Pause"),
}


def flat(texts: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def load(language: Language) -> dict[str, str]:
    return dict(flat(json.loads((TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8"))))


def placeholders(text: str) -> Counter[str | None]:
    return Counter(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


ENGLISH = load(Language.ENGLISH)


def test_there_is_one_file_for_each_language_that_alerts_are_written_in() -> None:
    assert {path.stem for path in TRANSLATIONS.glob("*.json")} == set(Language)


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_neither_too_few_texts_nor_too_many(language: Language) -> None:
    texts = load(language)
    assert sorted(set(ENGLISH) - set(texts)) == []
    assert sorted(set(texts) - set(ENGLISH)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_fills_in_what_english_fills_in(language: Language) -> None:
    texts = load(language)
    wrong = {
        key: text for key, text in texts.items() if placeholders(text) != placeholders(ENGLISH.get(key, ""))
    }
    assert wrong == {}


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_left_in_english(language: Language) -> None:
    left = {
        key: text for key, text in load(language).items() if text == ENGLISH.get(key) and text not in SAME
    }
    assert left == {}


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_typed_or_emphasised_is_so_in_every_language(language: Language) -> None:
    def marks(text: str) -> tuple[int, list[str], int]:
        return text.count("**"), re.findall(r"`[^`]*`", text), text.count("\n\n")

    texts = load(language)
    assert {key for key, text in texts.items() if marks(text) != marks(ENGLISH.get(key, ""))} == set()


@pytest.mark.parametrize("language", list(Language))
def test_texts_are_in_order_and_without_stray_space(language: Language) -> None:
    def check(texts: dict[str, Any], path: str) -> None:
        assert list(texts) == sorted(texts), path
        for key, value in texts.items():
            if isinstance(value, dict):
                check(value, f"{path}.{key}")
            else:
                assert value.strip() == value != "", f"{path}.{key}"
                assert "[%key" not in value, f"{path}.{key}"
                # Home Assistant wants addresses of web pages as placeholders.
                assert "://" not in value, f"{path}.{key}"

    check(json.loads((TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8")), language)


BLUEPRINTS = Path(__file__).parents[2] / "blueprints" / "automation" / "echonet"
# What people read of a blueprint, and what names the file.
READ = {"name", "description", "label", "source_url", "heard"}


def without_texts(value: Any, texts: list[str], path: str = "") -> Any:
    """Return a blueprint without what people read, which goes to `texts`."""
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            is_sentence = key == "default" and isinstance(item, str) and " " in item
            if isinstance(item, str) and (key in READ or is_sentence):
                texts.append(f"{path}{key}: {item.strip()}")
                kept[key] = ""
            else:
                kept[key] = without_texts(item, texts, f"{path}{key}.")
        return kept
    if isinstance(value, list):
        return [without_texts(item, texts, f"{path}{index}.") for index, item in enumerate(value)]
    return repr(value) if isinstance(value, Input) else value


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("blueprint", sorted(path.name for path in BLUEPRINTS.glob("*.yaml")))
def test_a_blueprint_does_the_same_in_every_language(blueprint: str, language: Language) -> None:
    english: list[str] = []
    texts: list[str] = []
    original = without_texts(load_yaml_dict(str(BLUEPRINTS / blueprint)), english)
    translated = without_texts(load_yaml_dict(str(BLUEPRINTS / language / blueprint)), texts)
    assert translated == original
    left = {text for text in set(english) & set(texts) if text.rpartition(": ")[2] not in SAME}
    assert not left
    assert any(f"/{language}/{blueprint}" in text for text in texts)


@pytest.mark.parametrize("language", OTHERS)
def test_no_blueprint_is_only_there_in_one_language(language: Language) -> None:
    names = {path.name for path in BLUEPRINTS.glob("*.yaml")}
    assert {path.name for path in (BLUEPRINTS / language).glob("*.yaml")} == names


# What Home Assistant itself calls what our texts lead to.
ITS_WORDS = {
    Language.ENGLISH: {"Reconfigure", "Learn more"},
    Language.GERMAN: {"Neu konfigurieren", "Mehr erfahren"},
    Language.FRENCH: {"Reconfigurer", "En savoir plus"},
    Language.SPANISH: {"Reconfigurar", "Más información"},
}


@pytest.mark.parametrize("language", list(Language))
def test_a_text_names_a_switch_as_it_is_called(language: Language) -> None:
    """A Spanish text said to turn *Escuchar* on, and the switch is called *Escucha*."""
    texts = load(language)
    names = {text for key, text in texts.items() if key.endswith((".name", ".data.code"))}
    # The app of Home Assistant has one name in all languages.
    known = names | ITS_WORDS[language] | {"EchoNet satellite"}
    emphasised = [(key, name) for key, text in texts.items() for name in re.findall(r"\*\*(.+?)\*\*", text)]
    assert len(emphasised) > 10
    assert [(key, name) for key, name in emphasised if " > " not in name and name not in known] == []
