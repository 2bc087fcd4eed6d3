"""What a person reads after a walk test, in the languages of the household. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..plain import plain_name
from .texts import Language
from .walk import Broken, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkTexts:
    """The texts of one language; `{names}` stands for recipients."""

    passed: str
    failed: str
    fine: str
    no_satellite: str
    found: Mapping[Broken, str]


ENGLISH: Final = WalkTexts(
    passed="Walk test: everything works",
    failed="Walk test: something is broken",
    fine="the test went all the way to the phone.",
    no_satellite="There is no satellite yet. Add one, then walk again.",
    found={
        Broken.AWAY: "the satellite did not answer. Check that it has power and is on the network.",
        Broken.NOT_LISTENING: "the satellite does not listen. Switch *Listening* on.",
        Broken.MICROPHONE_MISSING: "the satellite has no microphone. Check its plug.",
        Broken.MICROPHONE_SILENT: "the microphone hears nothing at all. Check whether it is muted or covered.",
        Broken.NO_ANSWER: "the satellite is connected, but the test did not arrive. Restart the satellite.",
        Broken.NO_RECIPIENT: "nobody is told of anything. Add a recipient to the household alerts.",
        Broken.UNREACHED: "the test did not reach {names}. *Repairs* says why.",
        Broken.NO_PHONE: "the test was sent, but nobody can confirm it: add a phone with the companion app.",
        Broken.UNCONFIRMED: (
            "the test was sent, but nobody confirmed it. If no phone showed it, check its notification settings."
        ),
    },
)

GERMAN: Final = WalkTexts(
    passed="Probegang: alles funktioniert",
    failed="Probegang: etwas ist gestört",
    fine="die Probe kam bis aufs Telefon.",
    no_satellite="Es gibt noch keinen Satelliten. Füge einen hinzu und geh dann noch einmal.",
    found={
        Broken.AWAY: "der Satellit hat nicht geantwortet. Prüfe, ob er Strom hat und im Netzwerk ist.",
        Broken.NOT_LISTENING: "der Satellit hört nicht zu. Schalte *Zuhören* ein.",
        Broken.MICROPHONE_MISSING: "der Satellit hat kein Mikrofon. Prüfe den Stecker.",
        Broken.MICROPHONE_SILENT: (
            "das Mikrofon hört gar nichts. Prüfe, ob es stumm geschaltet oder zugedeckt ist."
        ),
        Broken.NO_ANSWER: (
            "der Satellit ist verbunden, aber die Probe kam nicht an. Starte den Satelliten neu."
        ),
        Broken.NO_RECIPIENT: "niemand erfährt etwas. Füge den Alarmen des Haushalts einen Empfänger hinzu.",
        Broken.UNREACHED: "die Probe hat {names} nicht erreicht. Unter *Reparaturen* steht, warum.",
        Broken.NO_PHONE: (
            "die Probe wurde gesendet, aber niemand kann sie bestätigen: "
            "Füge ein Telefon mit der Companion-App hinzu."
        ),
        Broken.UNCONFIRMED: (
            "die Probe wurde gesendet, aber niemand hat sie bestätigt. "
            "Wenn kein Telefon sie zeigte, prüfe dessen Einstellungen für Mitteilungen."
        ),
    },
)

FRENCH: Final = WalkTexts(
    passed="Tour d'essai : tout fonctionne",
    failed="Tour d'essai : quelque chose est en panne",
    fine="l'essai est arrivé jusqu'au téléphone.",
    no_satellite="Il n'y a pas encore de satellite. Ajoutez-en un, puis recommencez.",
    found={
        Broken.AWAY: "le satellite n'a pas répondu. Vérifiez qu'il est alimenté et connecté au réseau.",
        Broken.NOT_LISTENING: "le satellite n'écoute pas. Activez *Écoute*.",
        Broken.MICROPHONE_MISSING: "le satellite n'a pas de microphone. Vérifiez la prise.",
        Broken.MICROPHONE_SILENT: (
            "le microphone n'entend rien du tout. Vérifiez s'il est coupé ou couvert."
        ),
        Broken.NO_ANSWER: (
            "le satellite est connecté, mais l'essai n'est pas arrivé. Redémarrez le satellite."
        ),
        Broken.NO_RECIPIENT: "personne n'est prévenu. Ajoutez un destinataire aux alertes du foyer.",
        Broken.UNREACHED: "l'essai n'a pas atteint {names}. *Réparations* en dit la raison.",
        Broken.NO_PHONE: (
            "l'essai a été envoyé, mais personne ne peut le confirmer : "
            "ajoutez un téléphone avec l'application Companion."
        ),
        Broken.UNCONFIRMED: (
            "l'essai a été envoyé, mais personne ne l'a confirmé. "
            "Si aucun téléphone ne l'a montré, vérifiez ses réglages de notification."
        ),
    },
)

SPANISH: Final = WalkTexts(
    passed="Prueba por habitaciones: todo funciona",
    failed="Prueba por habitaciones: algo falla",
    fine="la prueba llegó hasta el teléfono.",
    no_satellite="Todavía no hay ningún satélite. Añada uno y repita la prueba.",
    found={
        Broken.AWAY: "el satélite no respondió. Compruebe que tiene corriente y que está en la red.",
        Broken.NOT_LISTENING: "el satélite no escucha. Active *Escucha*.",
        Broken.MICROPHONE_MISSING: "el satélite no tiene micrófono. Compruebe el enchufe.",
        Broken.MICROPHONE_SILENT: ("el micrófono no oye nada. Compruebe si está silenciado o tapado."),
        Broken.NO_ANSWER: "el satélite está conectado, pero la prueba no llegó. Reinicie el satélite.",
        Broken.NO_RECIPIENT: "no se avisa a nadie. Añada un destinatario a las alertas del hogar.",
        Broken.UNREACHED: "la prueba no llegó a {names}. En *Reparaciones* está el motivo.",
        Broken.NO_PHONE: (
            "la prueba se envió, pero nadie puede confirmarla: añada un teléfono con la aplicación Companion."
        ),
        Broken.UNCONFIRMED: (
            "la prueba se envió, pero nadie la confirmó. "
            "Si ningún teléfono la mostró, revise sus ajustes de notificaciones."
        ),
    },
)

WALK_TEXTS: Final[Mapping[Language, WalkTexts]] = {
    Language.ENGLISH: ENGLISH,
    Language.GERMAN: GERMAN,
    Language.FRENCH: FRENCH,
    Language.SPANISH: SPANISH,
}


def report(visits: Sequence[Visit], language: Language) -> tuple[str, str]:
    """Return the title and the text (Markdown) of what a person reads after a walk."""
    texts = WALK_TEXTS[language]
    if not visits:
        return texts.failed, texts.no_satellite
    title = texts.failed if any(visit.broken for visit in visits) else texts.passed
    return title, "\n".join(f"- {plain_name(visit.room)}: {_sentence(visit, texts)}" for visit in visits)


def _sentence(visit: Visit, texts: WalkTexts) -> str:
    if visit.broken is None:
        return texts.fine
    return texts.found[visit.broken].format(names=", ".join(map(plain_name, visit.unreached)))
