"""Alerts in German."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ..kinds import AlertKind
from .shape import Texts, known_rooms, say_rooms

_ROOMS: Final = known_rooms(
    {
        "im": (
            "Flur, Hausflur, Gang, Wohnzimmer, Schlafzimmer, Kinderzimmer, Esszimmer, Arbeitszimmer, Gästezimmer, "
            "Spielzimmer, Badezimmer, Bad, Büro, Keller, Garten, Treppenhaus, Eingang, Windfang, Wintergarten, "
            "Abstellraum, Hauswirtschaftsraum, Heizungskeller, Schuppen, Carport, WC, Gäste-WC, Erdgeschoss, "
            "Obergeschoss"
        ),
        "in der": "Küche, Diele, Garage, Waschküche, Werkstatt, Speisekammer, Einliegerwohnung, Toilette, Stube",
        "auf dem": "Dachboden, Balkon, Hof",
        "auf der": "Terrasse",
    }
)
_DAYS: Final = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_MONTHS: Final = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)


def _in_rooms(rooms: Sequence[str]) -> str:
    return say_rooms(rooms, known=_ROOMS, and_word="und", colon=": ")


def _at(moment: datetime) -> str:
    return f"um {moment.hour}:{moment.minute:02} Uhr"


def _on(moment: datetime, with_year: bool) -> str:
    day = f"am {_DAYS[moment.weekday()]}, {moment.day}. {_MONTHS[moment.month - 1]}"
    return f"{day} {moment.year}" if with_year else day


GERMAN: Final = Texts(
    sounds={
        AlertKind.GUNSHOT: "Schuss",
        AlertKind.GLASS_BREAK: "Glasbruch",
        AlertKind.BABY_CRY: "Weinendes Baby",
        AlertKind.SMOKE_ALARM: "Rauchalarm",
        AlertKind.CO_ALARM: "Kohlenmonoxid-Alarm",
        AlertKind.SIREN: "Sirene",
        AlertKind.ALARM_CLOCK: "Wecker",
        AlertKind.ALARM: "Alarm",
        AlertKind.LOW_BATTERY: "Leere Batterie eines Melders",
        AlertKind.FIRE: "Geräusch von Feuer",
        AlertKind.DOG: "Bellender Hund",
        AlertKind.PRESENCE: "Geräusche von Menschen",
        AlertKind.SCREAM: "Schrei",
    },
    lowercase=False,
    and_word="und",
    in_rooms=_in_rooms,
    near=" bei {names}",
    at=_at,
    on=_on,
    on_at="{day}, {time}",
    durations=(
        ("{count} Sekunde", "{count} Sekunden"),
        ("{count} Minute", "{count} Minuten"),
        ("{count} Stunde", "{count} Stunden"),
    ),
    confidences=(
        "hoher Sicherheit ({percent} %)",
        "mittlerer Sicherheit ({percent} %)",
        "geringer Sicherheit ({percent} %)",
    ),
    heard="Gehört {moment} mit {confidence}.",
    likely="Wahrscheinlich{room} ({percent} %).",
    late="Die Meldung kommt spät, weil die Verbindung zum Satelliten unterbrochen war.",
    acknowledged="Bestätigt von {name}.",
    called_false="Als Fehlalarm gemeldet von {name}.",
    somebody="jemandem in Home Assistant",
    unanswered="Noch hat niemand bestätigt.",
    escalated="Weitergegeben, weil noch niemand bestätigt hat.",
    instead="Weitergegeben, weil nicht erreichbar: {names}.",
    test_title="Test: {title}",
    test="Dies ist nur ein Test, gesendet {moment}. Es wurde nichts gehört.",
    all_clear_title="Nicht mehr zu hören: {title}",
    all_clear="Zu hören {duration} lang, Beginn {moment}. Stille beweist nicht, dass alles in Ordnung ist.",
    floor="Stockwerk: {floor}.",
    position="Position: {coordinates} ({source}).",
    position_gps="GPS des Satelliten {moment}",
    position_configured="am Satelliten eingestellt",
    position_home="das Zuhause, wie in Home Assistant eingestellt",
    accuracy="auf {metres} m genau",
    emergency="{sound}, gehört {moment}, Adresse: {address}.",
    emergency_room="Raum: {rooms}.",
    emergency_closing="Am Geräusch erkannt von EchoNet, einem Gerät im Haus.",
    acknowledge="Bestätigen",
    false_alarm="Fehlalarm",
    mute="1 Std. stumm",
    show_map="Auf der Karte zeigen",
    forward="Als SMS weiterleiten",
    lost="Der Satellit ist nicht mehr verbunden; ob es andauert, ist nicht bekannt.",
)
