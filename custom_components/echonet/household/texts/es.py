"""Alerts in Spanish."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ..kinds import AlertKind
from .shape import Texts, known_rooms, say_rooms

_ROOMS: Final = known_rooms(
    {
        "en la": (
            "cocina, sala, sala de estar, sala de juegos, entrada, terraza, habitación, habitación de invitados, "
            "oficina, despensa, escalera, planta baja, galería, lavandería, azotea"
        ),
        "en el": (
            "salón, pasillo, dormitorio, dormitorio principal, cuarto de baño, cuarto de los niños, baño, aseo, "
            "garaje, jardín, sótano, despacho, comedor, lavadero, balcón, recibidor, "
            "desván, trastero, patio, taller, estudio"
        ),
    }
)
_DAYS: Final = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_MONTHS: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)


def _in_rooms(rooms: Sequence[str]) -> str:
    return say_rooms(rooms, known=_ROOMS, and_word="y", colon=": ")


def _at(moment: datetime) -> str:
    return f"{'a la' if moment.hour == 1 else 'a las'} {moment.hour}:{moment.minute:02}"


def _on(moment: datetime, with_year: bool) -> str:
    day = f"el {_DAYS[moment.weekday()]} {moment.day} de {_MONTHS[moment.month - 1]}"
    return f"{day} de {moment.year}" if with_year else day


SPANISH: Final = Texts(
    sounds={
        AlertKind.GUNSHOT: "Disparo",
        AlertKind.GLASS_BREAK: "Rotura de cristal",
        AlertKind.BABY_CRY: "Llanto de bebé",
        AlertKind.SMOKE_ALARM: "Alarma de humo",
        AlertKind.CO_ALARM: "Alarma de monóxido de carbono",
        AlertKind.SIREN: "Sirena",
        AlertKind.ALARM_CLOCK: "Despertador",
        AlertKind.ALARM: "Alarma",
        AlertKind.LOW_BATTERY: "Pila baja de un detector",
        AlertKind.FIRE: "Ruido de fuego",
        AlertKind.DOG: "Ladridos",
        AlertKind.PRESENCE: "Ruidos de personas",
        AlertKind.SCREAM: "Grito",
    },
    lowercase=True,
    and_word="y",
    in_rooms=_in_rooms,
    near=" cerca de {names}",
    at=_at,
    on=_on,
    on_at="{day} {time}",
    durations=(
        ("{count} segundo", "{count} segundos"),
        ("{count} minuto", "{count} minutos"),
        ("{count} hora", "{count} horas"),
    ),
    confidences=(
        "certeza alta ({percent} %)",
        "certeza media ({percent} %)",
        "certeza baja ({percent} %)",
    ),
    heard="Se oyó {moment} con {confidence}.",
    likely="Probablemente{room} ({percent} %).",
    late="Este aviso llega tarde porque se había perdido la conexión con el satélite.",
    acknowledged="Confirmado por {name}.",
    called_false="Marcado como falsa alarma por {name}.",
    somebody="alguien en Home Assistant",
    unanswered="Nadie lo ha confirmado aún.",
    escalated="Reenviado porque nadie lo ha confirmado aún.",
    instead="Reenviado porque no se pudo avisar a {names}.",
    test_title="Prueba: {title}",
    test="Esto es solo una prueba, enviada {moment}. No se oyó nada.",
    all_clear_title="Ya no se oye: {title}",
    all_clear="Se oyó durante {duration}; empezó {moment}. El silencio no prueba que todo esté bien.",
    floor="Planta: {floor}.",
    position="Posición: {coordinates} ({source}).",
    position_gps="GPS del satélite {moment}",
    position_configured="ajustada en el satélite",
    position_home="la casa según Home Assistant",
    accuracy="con {metres} m de precisión",
    emergency="{sound}, se oyó {moment}, dirección: {address}.",
    emergency_room="Habitación: {rooms}.",
    emergency_closing="Reconocido por su sonido por EchoNet, un aparato de la casa.",
    acknowledge="Confirmar",
    false_alarm="Falsa alarma",
    mute="Silenciar 1 h",
    show_map="Ver en el mapa",
    forward="Reenviar por SMS",
    lost="El satélite ya no está conectado: no se sabe si continúa.",
)
