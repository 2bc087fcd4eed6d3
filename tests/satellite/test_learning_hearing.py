"""Lessons at work: the same sound tells nothing again, and smoke and CO alarms are told whatever was learned."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from echonet_satellite.classifier import Classifier, load_classifier
from echonet_satellite.decision import StreamEvent
from echonet_satellite.frontend import Floats
from echonet_satellite.hearing import Hearing
from echonet_satellite.learning.examples import listen
from echonet_satellite.learning.learned import Learned
from echonet_satellite.learning.learner import STORE_FILE, Learner
from echonet_satellite.learning.lessons import Lesson, Quiet, learn
from echonet_satellite.learning.reference import Reference, read_reference
from echonet_satellite.learning.sounds import TaughtEvent
from echonet_satellite.learning.store import LearningStore
from echonet_satellite.learning.traces import MOMENTS
from echonet_satellite.protocol import AlarmPattern, Phase, Sensitivity, SoundClass, TeachOutcome
from echonet_satellite.synthesis import co_alarm, smoke_alarm
from tests.support.hearing import CLASSES, RATE, model_directory, silence

CAT = "other/giulbia__baby_cry_detection/esc50_cat__1-56380-A_70bc22.opus"  # which cries like a baby
DOORBELL = "other/AntumMT__mod-sounds/doorbell_03__sounds_doorbell_03_fd9dd5.opus"
TALK = "background/Mavaluz__Mavaluz.github.io/speech__assembled_stimmen_p000.opus"
FIREWORKS = "other/AntumMT__mod-sounds/fireworks_01__sounds_fireworks_01_0ee7eb.opus"
MEDIUM = dict.fromkeys(CLASSES, Sensitivity.MEDIUM)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(model_directory())


@pytest.fixture(scope="module")
def reference(classifier: Classifier) -> Reference:
    return read_reference(model_directory(), classifier.card)


def read(path: Path) -> Floats:
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    heard: Floats = samples
    return heard


def hear(classifier: Classifier, sound: Floats, learned: Learned | None = None) -> list[StreamEvent]:
    hearing = Hearing(classifier, MEDIUM, learned=learned)
    padded = np.concatenate((silence(1.0), sound, silence(2.0)))
    return hearing.push(padded) + hearing.finish()


def ends(events: Sequence[StreamEvent], name: SoundClass) -> list[StreamEvent]:
    return [event for event in events if event.phase is Phase.END and event.sound_class is name]


def everything_silenced(reference: Reference) -> Learned:
    """The worst that could be learned, if nothing held it back: every class knows every sound as no alarm."""
    all_of_it = [
        Lesson(
            detection_id=name,
            sound_class=name,
            weights=np.zeros(len(reference.usual), np.float32),
            least=-1.0,
            directions=reference.smoke,
            similarity=-1.0,
        )
        for name in CLASSES
    ]
    return Learned(Quiet(reference, CLASSES, all_of_it))


@pytest.mark.parametrize(("alarm", "pattern"), [(smoke_alarm, AlarmPattern.T3), (co_alarm, AlarmPattern.T4)])
def test_smoke_and_co_alarms_are_told_whatever_was_learned(
    classifier: Classifier,
    reference: Reference,
    alarm: Callable[[np.random.Generator, float], Floats],
    pattern: AlarmPattern,
) -> None:
    sound = 0.3 * alarm(np.random.default_rng(4), 30.0)
    told = ends(hear(classifier, sound, everything_silenced(reference)), SoundClass.ALARM)
    assert [event.pattern for event in told] == [pattern]
    plain = ends(hear(classifier, sound), SoundClass.ALARM)
    # It lasts as long as without any lesson at least, and began when it was first suspected.
    assert told[0].heard_s >= plain[0].heard_s - 0.5
    assert told[0].onset_s == pytest.approx(plain[0].onset_s, abs=2.0)


@pytest.fixture
def bang(recording: Callable[[str], Path]) -> Floats:
    """Fireworks, which the network takes for a shot."""
    return read(recording(FIREWORKS))


def test_what_has_no_such_rhythm_is_silenced(
    classifier: Classifier, reference: Reference, bang: Floats
) -> None:
    assert ends(hear(classifier, bang), SoundClass.GUNSHOT)
    assert not hear(classifier, bang, everything_silenced(reference))


def test_lessons_may_change_while_it_hears(
    classifier: Classifier, reference: Reference, bang: Floats
) -> None:
    learned = everything_silenced(reference)
    hearing = Hearing(classifier, MEDIUM, learned=learned)
    sound = np.concatenate((silence(1.0), bang, silence(2.0)))
    assert hearing.push(sound) == []
    learned.replace(None)
    assert [event.sound_class for event in hearing.push(sound) if event.phase is Phase.START]


def test_starts_and_ends_carry_what_they_sounded_like(classifier: Classifier, bang: Floats) -> None:
    events = hear(classifier, bang)
    for event in events:
        if event.phase is Phase.UPDATE:
            assert event.embeddings is None
        else:
            assert event.embeddings is not None
            assert 1 <= len(event.embeddings) <= MOMENTS
            assert event.embeddings.shape[1] == classifier.card.embedding_size
    assert {event.phase for event in events} >= {Phase.START, Phase.END}


@pytest.mark.parametrize("name", [CAT, FIREWORKS])
def test_the_same_recording_that_was_no_alarm_makes_none_again(
    classifier: Classifier, reference: Reference, recording: Callable[[str], Path], name: str
) -> None:
    samples = read(recording(name))
    hearing = Hearing(classifier, MEDIUM)
    first = [event for event in hearing.push(samples) + hearing.finish() if event.phase is Phase.END]
    assert first
    lessons: list[Lesson] = []
    for event in first:
        assert event.embeddings is not None
        found = learn(reference, lessons, "1", event.sound_class, event.pattern, event.embeddings)
        assert isinstance(found, Lesson), found
        lessons.append(found)
    learned = Learned(Quiet(reference, CLASSES, lessons))
    for again in (
        samples,
        samples * np.float32(0.5),
        # Later in the window, and with a noise of its own.
        np.concatenate((silence(0.37), samples + silence(len(samples) / RATE))),
    ):
        hearing = Hearing(classifier, MEDIUM, learned=learned)
        assert not hearing.push(again) + hearing.finish()


def test_a_taught_doorbell_is_recognised_over_talk_and_nothing_else_is(
    classifier: Classifier, reference: Reference, recording: Callable[[str], Path], tmp_path: Path
) -> None:
    """From recordings to the hearing, with the network that is released."""
    bell, talk, cat = read(recording(DOORBELL)), read(recording(TALK)), read(recording(CAT))
    learner = Learner(
        LearningStore(tmp_path / STORE_FILE),
        classifier.card,
        reference,
        lambda samples: listen(load_classifier(model_directory()), samples),
    )
    for gain in (1.0, 0.5, 0.25):
        quiet = np.concatenate((silence(1.0), bell * np.float32(gain), silence(1.0)))
        assert learner.school.teach("Doorbell", quiet).outcome is TeachOutcome.LEARNED
    (sound,) = learner.school.sounds
    assert sound.ready

    def recognised(samples: Floats) -> list[Phase]:
        events: list[TaughtEvent] = []
        hearing = Hearing(classifier, MEDIUM, learned=learner.learned, on_sound=events.append)
        hearing.push(samples)
        hearing.finish()
        assert {event.sound_id for event in events} <= {sound.id}
        return [event.phase for event in events]

    ringing = talk[: 8 * RATE].copy()
    level = np.sqrt(np.square(ringing).mean() / np.square(bell).mean())
    ringing[2 * RATE :][: len(bell)] += (bell * 10 ** (15 / 20) * level)[: 6 * RATE]
    assert recognised(ringing) == [Phase.START, Phase.END]
    assert recognised(talk[: 20 * RATE]) == []
    assert recognised(cat) == []
    learner.close()
