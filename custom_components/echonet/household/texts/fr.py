"""Alerts in French."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ..kinds import AlertKind
from .shape import Texts, known_rooms, say_rooms

_ROOMS: Final = known_rooms(
    {
        "dans la": (
            "cuisine, chambre, chambre d'amis, chambre d'enfant, chambre de bébé, buanderie, cave, salle de bain, "
            "salle de bains, salle à manger, salle de jeux, véranda, cage d'escalier, cour"
        ),
        "dans le": "salon, couloir, garage, jardin, bureau, séjour, grenier, hall, cellier, dressing",
        "dans les": "toilettes, combles",
        "dans l'": "entrée, atelier, escalier, abri",
        "au": "sous-sol, rez-de-chaussée",
        "sur le": "balcon, palier",
        "sur la": "terrasse",
    }
)
_DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


def _in_rooms(rooms: Sequence[str]) -> str:
    return say_rooms(rooms, known=_ROOMS, and_word="et", colon=" : ")


def _at(moment: datetime) -> str:
    return f"à {moment.hour} h {moment.minute:02}"


def _on(moment: datetime, with_year: bool) -> str:
    number = "1er" if moment.day == 1 else str(moment.day)
    day = f"le {_DAYS[moment.weekday()]} {number} {_MONTHS[moment.month - 1]}"
    return f"{day} {moment.year}" if with_year else day


FRENCH: Final = Texts(
    sounds={
        AlertKind.GUNSHOT: "Coup de feu",
        AlertKind.GLASS_BREAK: "Bris de verre",
        AlertKind.BABY_CRY: "Pleurs de bébé",
        AlertKind.SMOKE_ALARM: "Alarme de fumée",
        AlertKind.CO_ALARM: "Alarme au monoxyde de carbone",
        AlertKind.SIREN: "Sirène",
        AlertKind.ALARM_CLOCK: "Réveil",
        AlertKind.ALARM: "Alarme",
        AlertKind.LOW_BATTERY: "Pile faible d'un détecteur",
        AlertKind.FIRE: "Bruit de feu",
        AlertKind.DOG: "Aboiements",
        AlertKind.PRESENCE: "Bruits de personnes",
        AlertKind.SCREAM: "Cri",
    },
    lowercase=True,
    and_word="et",
    in_rooms=_in_rooms,
    near=" (satellite {names})",
    at=_at,
    on=_on,
    on_at="{day} {time}",
    durations=(
        ("{count} seconde", "{count} secondes"),
        ("{count} minute", "{count} minutes"),
        ("{count} heure", "{count} heures"),
    ),
    confidences=(
        "une certitude élevée ({percent} %)",
        "une certitude moyenne ({percent} %)",
        "une certitude faible ({percent} %)",
    ),
    heard="Entendu {moment} avec {confidence}.",
    likely="Probablement{room} ({percent} %).",
    late="Cette alerte arrive tard, car la connexion au satellite était coupée.",
    acknowledged="Confirmé par {name}.",
    called_false="Signalé comme fausse alerte par {name}.",
    somebody="quelqu'un dans Home Assistant",
    unanswered="Personne n'a encore confirmé.",
    escalated="Transmis, car personne n'a encore confirmé.",
    instead="Transmis, faute de pouvoir joindre {names}.",
    test_title="Test : {title}",
    test="Ceci n'est qu'un test, envoyé {moment}. Rien n'a été entendu.",
    all_clear_title="On n'entend plus : {title}",
    all_clear="Entendu pendant {duration} ; début {moment}. Le silence ne prouve pas que tout va bien.",
    floor="Étage : {floor}.",
    position="Position : {coordinates} ({source}).",
    position_gps="GPS du satellite {moment}",
    position_configured="réglée sur le satellite",
    position_home="le domicile d'après Home Assistant",
    accuracy="à {metres} m près",
    emergency="{sound}, entendu {moment}, adresse : {address}.",
    emergency_room="Pièce : {rooms}.",
    emergency_closing="Reconnu à son bruit par EchoNet, un appareil de la maison.",
    acknowledge="Confirmer",
    false_alarm="Fausse alerte",
    mute="Muet 1 h",
    show_map="Voir sur la carte",
    forward="Transférer par SMS",
    lost="Le satellite n'est plus connecté : on ignore si cela continue.",
)
