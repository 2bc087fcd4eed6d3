"""What became of a verdict, as the activity says it; the name of the satellite stands before."""

from collections.abc import Mapping
from typing import Final

from .household.texts import Language
from .protocol import LessonOutcome

LESSON_TEXTS: Final[Mapping[Language, Mapping[LessonOutcome, str]]] = {
    Language.ENGLISH: {
        LessonOutcome.LEARNED: "rings no more for this sound: it is learned as a false alarm",
        LessonOutcome.FORGOTTEN: "hears this sound as before: it is no false alarm any more",
        LessonOutcome.NOTED: "has noted that the alarm was right",
        LessonOutcome.REFUSED_SMOKE: "will ring for it again: no verdict unlearns a smoke or carbon monoxide alarm",
        LessonOutcome.REFUSED_SIMILAR: "will ring for it again: it is too much like sounds that must be heard",
        LessonOutcome.NOT_KEPT: "has learned nothing: it no longer knows what that sounded like",
    },
    Language.GERMAN: {
        LessonOutcome.LEARNED: "klingelt bei diesem Geräusch nicht mehr: Es ist als Fehlalarm gelernt",
        LessonOutcome.FORGOTTEN: "hört dieses Geräusch wie zuvor: Es gilt nicht mehr als Fehlalarm",
        LessonOutcome.NOTED: "hat vermerkt, dass der Alarm stimmte",
        LessonOutcome.REFUSED_SMOKE: "wird wieder klingeln: Kein Urteil verlernt einen Rauch- oder Kohlenmonoxidalarm",
        LessonOutcome.REFUSED_SIMILAR: "wird wieder klingeln: Es ähnelt zu sehr Geräuschen, die gehört werden müssen",
        LessonOutcome.NOT_KEPT: "hat nichts gelernt: Wie das klang, ist nicht mehr bekannt",
    },
    Language.FRENCH: {
        LessonOutcome.LEARNED: "ne sonnera plus pour ce son : c'est appris comme fausse alerte",
        LessonOutcome.FORGOTTEN: "entend ce son comme avant : ce n'est plus une fausse alerte",
        LessonOutcome.NOTED: "a noté que l'alerte était juste",
        LessonOutcome.REFUSED_SMOKE: "sonnera encore : une alarme de fumée ou de monoxyde ne s'oublie jamais",
        LessonOutcome.REFUSED_SIMILAR: "sonnera encore : ce son ressemble trop à ceux qui doivent être entendus",
        LessonOutcome.NOT_KEPT: "n'a rien appris : le son n'est plus connu",
    },
    Language.SPANISH: {
        LessonOutcome.LEARNED: "no volverá a sonar por este sonido: lo ha aprendido como falsa alarma",
        LessonOutcome.FORGOTTEN: "oye este sonido como antes: ya no es una falsa alarma",
        LessonOutcome.NOTED: "ha anotado que la alerta era correcta",
        LessonOutcome.REFUSED_SMOKE: "volverá a sonar: una alarma de humo o monóxido nunca se olvida",
        LessonOutcome.REFUSED_SIMILAR: "volverá a sonar: se parece demasiado a sonidos que deben oírse",
        LessonOutcome.NOT_KEPT: "no ha aprendido nada: ya no sabe cómo sonaba",
    },
}
