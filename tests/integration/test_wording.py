"""What a recipient reads, in four languages."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
import string
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.echonet.household.incident import Place
from custom_components.echonet.household.kinds import AlertKind, Severity, kind_of
from custom_components.echonet.household.policy import Telling
from custom_components.echonet.household.texts import TEXTS, Language, Texts, nearest_language
from custom_components.echonet.household.texts.shape import join_words
from custom_components.echonet.household.wording import (
    describe_confidence,
    describe_duration,
    describe_moment,
    write,
)
from custom_components.echonet.protocol import AlarmPattern, Location, LocationSource, Phase, SoundClass
from tests.integration.sounds import HALL, HOME, KITCHEN, NIGHT, SHED, alert, sound

ENGLISH = TEXTS[Language.ENGLISH]

SOUNDS = [
    *((item, None) for item in SoundClass if item is not SoundClass.ALARM),
    *((SoundClass.ALARM, pattern) for pattern in AlarmPattern),
]


def test_a_sentence_for_three_in_the_morning() -> None:
    told = alert((KITCHEN, sound(pattern=AlarmPattern.T3)), severity=Severity.HIGH)
    assert told.text == "Smoke alarm in the kitchen. Heard at 3:12 am with high confidence (94 %)."
    assert told.title == "Smoke alarm in the kitchen"


@pytest.mark.parametrize(
    ("language", "title", "message"),
    [
        ("en", "Smoke alarm in the kitchen", "Heard at 3:12 am with high confidence (94 %)."),
        ("de", "Rauchalarm: Kitchen", "Gehört um 3:12 Uhr mit hoher Sicherheit (94 %)."),
        ("fr", "Alarme de fumée : Kitchen", "Entendu à 3 h 12 avec une certitude élevée (94 %)."),
        ("es", "Alarma de humo: Kitchen", "Se oyó a las 3:12 con certeza alta (94 %)."),
    ],
)
def test_each_language(language: str, title: str, message: str) -> None:
    told = alert((KITCHEN, sound(pattern=AlarmPattern.T3)), severity=Severity.HIGH)
    notice = told.notice(Language(language))
    assert (notice.title, notice.message) == (title, message)


@pytest.mark.parametrize(
    ("language", "rooms", "words"),
    [
        ("en", ["Kitchen"], " in the kitchen"),
        ("en", ["Living Room", "Upstairs  hall"], " in the living room and the upstairs hall"),
        ("en", ["Anna's room", "Jonas’ bedroom", "Büro"], " in Anna's room, Jonas’ bedroom and Büro"),
        ("en", ["Bedroom 2"], " in Bedroom 2"),
        ("de", ["Küche", "flur"], " in der Küche und im Flur"),
        ("de", ["Küche", "Annas Zimmer"], ": Küche und Annas Zimmer"),
        (
            "fr",
            ["Cuisine", "Entrée", "Chambre  d'amis"],
            " dans la cuisine, dans l'entrée et dans la chambre d'amis",
        ),
        ("fr", ["Chez Léa"], " : Chez Léa"),
        ("es", ["Cocina", "Pasillo"], " en la cocina y en el pasillo"),
        ("es", ["Cuarto de Ana"], ": Cuarto de Ana"),
    ],
)
def test_rooms_in_words(language: str, rooms: list[str], words: str) -> None:
    assert TEXTS[Language(language)].in_rooms(rooms) == words


def test_all_rooms_are_named_the_loudest_first() -> None:
    told = alert(
        (KITCHEN, sound(SoundClass.GLASS_BREAK, peak_dbfs=-30)),
        (HALL, sound(SoundClass.GLASS_BREAK, peak_dbfs=-10, confidence=0.7)),
        (SHED, sound(SoundClass.GLASS_BREAK, peak_dbfs=-5)),
    )
    assert told.title == "Breaking glass in the hall and the kitchen"
    assert told.rooms == ("Garden Pi", "Hall", "Kitchen")


def test_without_a_room_the_satellite_is_named() -> None:
    told = alert((SHED, sound(SoundClass.SCREAM)))
    titles = [told.notice(language).title for language in Language]
    assert titles == [
        "Scream near Garden Pi",
        "Schrei bei Garden Pi",
        "Cri (satellite Garden Pi)",
        "Grito cerca de Garden Pi",
    ]


def test_a_name_without_end_leaves_room_for_the_rest() -> None:
    place = Place(satellite_id="x", name="x", room="Great  " + "very " * 60 + "room", floor="f" * 300)
    notice = alert((place, sound())).notice()
    assert len(notice.title) < 60
    assert notice.title.endswith("…")
    assert len(notice.message) < 300


@pytest.mark.parametrize(
    ("language", "today", "yesterday", "last_year"),
    [
        (
            "en",
            "at 1:05 am",
            "on Thursday, 19 November at 11:50 pm",
            "on Wednesday, 1 January 2025 at 12:00 pm",
        ),
        (
            "de",
            "um 1:05 Uhr",
            "am Donnerstag, 19. November, um 23:50 Uhr",
            "am Mittwoch, 1. Januar 2025, um 12:00 Uhr",
        ),
        ("fr", "à 1 h 05", "le jeudi 19 novembre à 23 h 50", "le mercredi 1er janvier 2025 à 12 h 00"),
        (
            "es",
            "a la 1:05",
            "el jueves 19 de noviembre a las 23:50",
            "el miércoles 1 de enero de 2025 a las 12:00",
        ),
    ],
)
def test_times_as_people_read_them(language: str, today: str, yesterday: str, last_year: str) -> None:
    now = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)
    texts = TEXTS[Language(language)]
    assert describe_moment(now.replace(hour=1, minute=5), now, texts) == today
    assert describe_moment(datetime(2026, 11, 19, 23, 50, tzinfo=UTC), now, texts) == yesterday
    assert describe_moment(datetime(2025, 1, 1, 12, 0, tzinfo=UTC), now, texts) == last_year


def test_midnight_is_twelve_in_the_morning() -> None:
    now = datetime(2026, 11, 20, 0, 5, tzinfo=UTC)
    assert describe_moment(now, now, ENGLISH) == "at 12:05 am"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (1, "1 second"),
        (42.4, "42 seconds"),
        (60, "1 minute"),
        (300, "5 minutes"),
        (3600, "1 hour"),
        (7000, "2 hours"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert describe_duration(timedelta(seconds=seconds), ENGLISH) == words


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "high confidence (99 %)"), (0.85, "high confidence (85 %)"), (0.6, "medium"), (0.3, "low")],
)
def test_confidence_in_words(confidence: float, words: str) -> None:
    assert words in describe_confidence(confidence, ENGLISH)


def test_what_is_late_says_why_and_when() -> None:
    told = alert(
        (KITCHEN, sound(SoundClass.DOG)), telling=Telling.LATE, severity=Severity.HIGH, after=86400.0
    )
    assert told.notice().message == (
        "Heard on Friday, 20 November at 3:12 am with high confidence (94 %). "
        "You are told late because the connection to the satellite was down."
    )


def test_a_test_says_that_it_is_one() -> None:
    told = alert((KITCHEN, sound(test=True)), telling=Telling.TEST)
    assert told.text == "Test: alarm in the kitchen. This is only a test, sent at 3:12 am. Nothing was heard."


def test_what_nobody_answers_says_so() -> None:
    heard = (KITCHEN, sound(pattern=AlarmPattern.T4))
    assert "Nobody has acknowledged this yet." in alert(heard, telling=Telling.REPEAT).notice().message
    assert "Passed on because nobody" in alert(heard, telling=Telling.ESCALATED).notice().message
    passed_on = alert(heard).notice(instead_of=["Anna", "Ben"])
    assert "Passed on because Anna and Ben cannot be reached." in passed_on.message


def test_the_end_is_told_as_what_it_is() -> None:
    heard = (
        KITCHEN,
        sound(phase=Phase.END, pattern=AlarmPattern.T3, onset=NIGHT, duration_s=0.0, confidence=0.94),
    )
    told = alert(heard, telling=Telling.ALL_CLEAR, severity=Severity.SILENT)
    facts = replace(told.facts, duration=timedelta(seconds=250))
    notice = write(facts, ENGLISH)
    assert notice.title == "No longer heard: smoke alarm in the kitchen"
    assert notice.message == (
        "It was heard for 4 minutes, beginning at 3:12 am. Silence does not prove that all is well."
    )
    assert "nobody knows" in write(replace(facts, lost=True), ENGLISH).message


GPS = Place(
    satellite_id="g" * 32,
    name="Van",
    room="Kitchen",
    floor="Ground floor",
    location=Location(latitude=48.1, longitude=11.5, accuracy_m=7.6),
    location_source=LocationSource.GPS,
    located_at=NIGHT - timedelta(hours=4),
)


def test_what_is_critical_says_where_on_the_map_and_how_that_is_known() -> None:
    line = alert((GPS, sound())).notice().message.splitlines()[1]
    assert line == (
        "Floor: Ground floor. Position: 48.100000, 11.500000 "
        "(GPS of the satellite on Thursday, 19 November at 11:12 pm, within 8 m)."
    )
    by_hand = replace(GPS, floor=None, location_source=LocationSource.CONFIGURED)
    line = alert((by_hand, sound())).notice().message.splitlines()[1]
    assert line == "Position: 48.100000, 11.500000 (as set on the satellite, within 8 m)."
    line = alert((KITCHEN, sound())).notice().message.splitlines()[1]
    assert line == "Position: 52.500000, 13.400000 (the home as set in Home Assistant)."
    assert "Position" not in alert((GPS, sound()), severity=Severity.NORMAL).notice().message


def test_the_emergency_text_can_be_sent_on_as_it_is() -> None:
    home = replace(HOME, address="Hauptstraße 1, 10827 Berlin")
    told = alert((GPS, sound(pattern=AlarmPattern.T3)), home=home, severity=Severity.HIGH)
    assert told.notice().emergency == (
        "Smoke alarm, heard on Friday, 20 November 2026 at 3:12 am at Hauptstraße 1, 10827 Berlin. Room: Kitchen. "
        "Floor: Ground floor. Position: 48.100000, 11.500000 (GPS of the satellite on Thursday, 19 November at "
        "11:12 pm, within 8 m). https://www.openstreetmap.org/"
        "?mlat=48.100000&mlon=11.500000#map=18/48.100000/11.500000 "
        "Recognised by its sound by EchoNet, a device in the house."
    )
    assert "at 52.500000, 13.400000. Room: Garden Pi." in alert((SHED, sound())).notice().emergency


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("telling", list(Telling))
@pytest.mark.parametrize(("sound_class", "pattern"), SOUNDS)
def test_every_class_can_be_told_in_every_way_in_every_language(
    sound_class: SoundClass, pattern: AlarmPattern | None, telling: Telling, language: Language
) -> None:
    texts = TEXTS[language]
    for severity in Severity:
        told = alert((GPS, sound(sound_class, pattern=pattern)), telling=telling, severity=severity)
        notice = told.notice(language, ["Anna"])
        name = texts.sounds[kind_of(sound_class, pattern)]
        assert name.casefold() in notice.title.casefold()
        assert notice.title[0].isupper()
        assert notice.message[0].isupper()
        assert notice.emergency.startswith(name)
        for text in (notice.title, notice.message, notice.emergency):
            assert not set("{}") & set(text)
            assert "  " not in text
            assert "None" not in text
        assert notice.message.endswith(".")


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in strings(item)]
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    return []


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", list(Language))
def test_no_text_is_missing_or_left_over_or_has_a_broken_placeholder(language: Language) -> None:
    texts = TEXTS[language]
    assert set(texts.sounds) == set(AlertKind)
    for item in fields(Texts):
        mine, english = strings(getattr(texts, item.name)), strings(getattr(ENGLISH, item.name))
        assert len(mine) == len(english), item.name
        assert all(text.strip() for text in mine), item.name
        assert [placeholders(text) for text in mine] == [placeholders(text) for text in english], item.name
        if language is not Language.ENGLISH and item.name not in ("lowercase", "near", "on_at", "test_title"):
            same = {a for a, b in zip(mine, english, strict=True) if a == b} - {
                "Alarm",
                "Position: {coordinates} ({source}).",
                "{count} minute",
                "{count} minutes",
            }
            assert not same, f"{item.name} is still English"


@given(names=st.lists(st.text(min_size=1), min_size=1, max_size=5), language=st.sampled_from(Language))
def test_no_name_breaks_a_sentence(names: list[str], language: Language) -> None:
    heard = [
        (Place(satellite_id=f"{number}", name=name, room=name.strip() or None, floor=name), sound())
        for number, name in enumerate(names)
    ]
    notice = alert(*heard).notice(language, names)
    assert notice.title
    assert len(notice.text) < 900


def test_the_nearest_language() -> None:
    assert nearest_language("de-CH") is Language.GERMAN
    assert nearest_language("FR") is Language.FRENCH
    assert nearest_language("pt-BR") is Language.ENGLISH
    assert nearest_language("") is Language.ENGLISH


def test_joining_words() -> None:
    assert join_words([], "and") == ""
    assert join_words(["a"], "and") == "a"
    assert join_words(["a", "b"], "and") == "a and b"
    assert join_words(["a", "b", "c"], "and") == "a, b and c"
