"""What the activity says of a sound, in the languages of the household. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .household.kinds import AlertKind
from .household.texts import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityTexts:
    """The texts of one language, each of which follows the name of a satellite.

    `{sound}` is one of `sounds`, `{details}` how sure it is and, of an alarm, its rhythm.
    """

    heard: str
    late: str
    test: str
    sounds: Mapping[AlertKind, str]


ENGLISH: Final = ActivityTexts(
    heard="heard {sound} ({details})",
    late="heard {sound} {moment} ({details}), and could tell only now",
    test="sent a test alert; nothing was heard",
    sounds={
        AlertKind.GUNSHOT: "a gunshot",
        AlertKind.GLASS_BREAK: "glass breaking",
        AlertKind.BABY_CRY: "a baby crying",
        AlertKind.SMOKE_ALARM: "a smoke alarm",
        AlertKind.CO_ALARM: "a carbon monoxide alarm",
        AlertKind.SIREN: "a siren",
        AlertKind.ALARM_CLOCK: "an alarm clock",
        AlertKind.ALARM: "an alarm",
        AlertKind.LOW_BATTERY: "the low battery of a detector",
        AlertKind.FIRE: "the sound of fire",
        AlertKind.DOG: "a dog barking",
        AlertKind.PRESENCE: "somebody",
        AlertKind.SCREAM: "a scream",
    },
)

GERMAN: Final = ActivityTexts(
    heard="hat {sound} gehört ({details})",
    late="hat {moment} {sound} gehört ({details}) und konnte es erst jetzt melden",
    test="hat einen Testalarm gesendet; zu hören war nichts",
    sounds={
        AlertKind.GUNSHOT: "einen Schuss",
        AlertKind.GLASS_BREAK: "Glas brechen",
        AlertKind.BABY_CRY: "ein Baby weinen",
        AlertKind.SMOKE_ALARM: "einen Rauchmelder",
        AlertKind.CO_ALARM: "einen Kohlenmonoxid-Melder",
        AlertKind.SIREN: "eine Sirene",
        AlertKind.ALARM_CLOCK: "einen Wecker",
        AlertKind.ALARM: "einen Alarm",
        AlertKind.LOW_BATTERY: "die leere Batterie eines Melders",
        AlertKind.FIRE: "das Geräusch von Feuer",
        AlertKind.DOG: "einen Hund bellen",
        AlertKind.PRESENCE: "jemanden",
        AlertKind.SCREAM: "einen Schrei",
    },
)

FRENCH: Final = ActivityTexts(
    heard="a entendu {sound} ({details})",
    late="a entendu {sound} {moment} ({details}) et n'a pu le dire que maintenant",
    test="a envoyé une alerte d'essai ; rien n'a été entendu",
    sounds={
        AlertKind.GUNSHOT: "un coup de feu",
        AlertKind.GLASS_BREAK: "du verre se briser",
        AlertKind.BABY_CRY: "un bébé pleurer",
        AlertKind.SMOKE_ALARM: "un détecteur de fumée",
        AlertKind.CO_ALARM: "un détecteur de monoxyde de carbone",
        AlertKind.SIREN: "une sirène",
        AlertKind.ALARM_CLOCK: "un réveil",
        AlertKind.ALARM: "une alarme",
        AlertKind.LOW_BATTERY: "la pile faible d'un détecteur",
        AlertKind.FIRE: "un bruit de feu",
        AlertKind.DOG: "un chien aboyer",
        AlertKind.PRESENCE: "quelqu'un",
        AlertKind.SCREAM: "un cri",
    },
)

SPANISH: Final = ActivityTexts(
    heard="oyó {sound} ({details})",
    late="oyó {sound} {moment} ({details}) y no pudo avisar hasta ahora",
    test="envió una alerta de prueba; no se oyó nada",
    sounds={
        AlertKind.GUNSHOT: "un disparo",
        AlertKind.GLASS_BREAK: "romperse un cristal",
        AlertKind.BABY_CRY: "llorar a un bebé",
        AlertKind.SMOKE_ALARM: "un detector de humo",
        AlertKind.CO_ALARM: "un detector de monóxido de carbono",
        AlertKind.SIREN: "una sirena",
        AlertKind.ALARM_CLOCK: "un despertador",
        AlertKind.ALARM: "una alarma",
        AlertKind.LOW_BATTERY: "la pila baja de un detector",
        AlertKind.FIRE: "un ruido de fuego",
        AlertKind.DOG: "ladrar a un perro",
        AlertKind.PRESENCE: "a alguien",
        AlertKind.SCREAM: "un grito",
    },
)

ACTIVITY_TEXTS: Final[Mapping[Language, ActivityTexts]] = {
    Language.ENGLISH: ENGLISH,
    Language.GERMAN: GERMAN,
    Language.FRENCH: FRENCH,
    Language.SPANISH: SPANISH,
}


def say_heard(kind: AlertKind, confidence: float, rhythm: str | None, texts: ActivityTexts) -> str:
    """Say what was heard: "heard a smoke alarm (T3, 93 %)"."""
    return texts.heard.format(sound=texts.sounds[kind], details=_details(confidence, rhythm))


def say_late(
    kind: AlertKind, confidence: float, rhythm: str | None, moment: str, texts: ActivityTexts
) -> str:
    """Say what was heard at a moment that is over."""
    return texts.late.format(sound=texts.sounds[kind], moment=moment, details=_details(confidence, rhythm))


def _details(confidence: float, rhythm: str | None) -> str:
    # A model's estimate is never a certainty.
    sure = f"{min(round(confidence * 100), 99)} %"
    return sure if rhythm is None else f"{rhythm}, {sure}"
