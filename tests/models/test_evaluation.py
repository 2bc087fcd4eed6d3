"""An evaluation from the sound to the page, on small data, with listeners that hear pitches."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echonet_models.activity import STEP, label_clip
from echonet_models.datasets import BACKGROUND, CLASSES, Split
from echonet_models.evaluation.audio import QUICK, Audio, gather
from echonet_models.evaluation.brief import write
from echonet_models.evaluation.latency import latency, onsets
from echonet_models.evaluation.listeners import Released, hold, step_after, to_int16
from echonet_models.evaluation.onsets import first_onset, loudest_event
from echonet_models.evaluation.page import write_page
from echonet_models.evaluation.rare_events import LENGTH, RARE_CLASSES, RareEvents
from echonet_models.evaluation.run import evaluate
from echonet_models.evaluation.store import Sound, Store
from echonet_models.evaluation.subject import Subject
from echonet_models.evaluation.systems import at_once, fixed
from echonet_models.material import Material
from echonet_models.recordings import SAMPLE_RATE
from echonet_satellite.protocol import SoundClass

from .conftest import tone

RELEASED = Path(__file__).parents[2] / "models" / "released" / "echonet"


class TuningForks:
    """Hears the pitch that each class of the small data has; `delay` steps late, as a listener in windows does."""

    batch = 3
    reach = (0, 12)

    def __init__(self, name: str, *, delay: int = 0) -> None:
        self.name, self.title = name, name.upper()
        self.fingerprint = hashlib.sha256(name.encode()).hexdigest()
        self._delay = delay
        self.asked = 0
        time = np.arange(STEP) / SAMPLE_RATE
        self._forks = np.exp(2j * np.pi * np.outer(time, 300 * 1.45 ** np.arange(len(CLASSES))))

    def hear(self, sounds: Sequence[np.ndarray]) -> list[np.ndarray]:
        self.asked += len(sounds)
        return [self._hear(sound) for sound in sounds]

    def known_s(self, step: int) -> float:
        return (step + 1) * 0.08

    def _hear(self, sound: np.ndarray) -> np.ndarray:
        steps = -(-len(sound) // STEP) + self._delay + 2
        padded = np.pad(sound, (self._delay * STEP, steps * STEP - self._delay * STEP - len(sound)))
        heard = np.abs(padded.reshape(steps, STEP) @ self._forks) / STEP
        probabilities: np.ndarray = np.clip(heard / 0.05, 0, 0.99).astype(np.float32)
        return probabilities


@pytest.fixture(scope="module")
def audio(small_material: Material) -> Audio:
    return gather(small_material, QUICK)


@pytest.fixture(scope="module")
def figures(audio: Audio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("evaluation")
    subject = Subject(TuningForks("forks"), {"kind": "trained", "sha256": "0" * 64})
    found = evaluate(subject, [TuningForks("yamnet", delay=12)], audio, folder, folder)
    return {**found, "quick": True}


def test_what_hears_every_pitch_has_no_errors(figures: dict[str, Any]) -> None:
    own = figures["systems"]["echonet"]
    for name in map(str, CLASSES):
        assert own["sensitivity"]["medium"]["recall"][name]["value"] == 1
        assert own["curves"][name]["area"] > 0.99
        assert own["confusion"][name][name] == 1
    assert own["sensitivity"]["medium"]["safety_per_day"]["all"]["count"] == 0
    assert own["events"]["every"]["mean"]["+6 dB"]["value"] == 0
    assert own["latency"]["gunshot"]["median_s"]["value"] <= 0.16


def test_what_hears_late_is_late_and_its_onsets_are_moved_back(figures: dict[str, Any]) -> None:
    late = figures["systems"]["yamnet_tuned"]
    own = figures["systems"]["echonet"]
    difference = (
        late["latency"]["gunshot"]["median_s"]["value"] - own["latency"]["gunshot"]["median_s"]["value"]
    )
    assert difference == pytest.approx(12 * 0.08, abs=0.09)
    shifts = {name: rule["shift_s"] for name, rule in late["events"]["every"]["rules"].items()}
    assert all(-1.2 <= shift <= -0.4 for shift in shifts.values())
    assert late["events"]["every"]["mean"]["+6 dB"]["value"] == 0


def test_the_peer_runs_under_each_of_its_rules(figures: dict[str, Any]) -> None:
    assert list(figures["systems"]) == ["echonet", "yamnet_80", "yamnet_50", "yamnet_tuned"]
    for system in figures["systems"].values():
        assert set(system["windows"]["classes"]) == set(map(str, CLASSES))


def test_the_page_says_it_all(figures: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "evaluation.json", figures)
    # Figures come back from the file as null where they are unknown.
    stored = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    path = write_page(stored, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "echonet-models evaluate" in text.splitlines()[0]
    assert "0" * 64 in text
    assert "None" not in text
    assert "nan" not in text
    pictures = [line.split("(")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(pictures) == 6
    for picture in pictures:
        assert 2_000 < (tmp_path / picture).stat().st_size < 120_000


def test_a_store_hears_each_sound_once_and_survives_a_torn_file(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    samples = {str(number): tone(300.0, 1.0, generator) for number in range(5)}
    sounds = [Sound(key, partial(samples.__getitem__, key)) for key in samples]
    first = TuningForks("forks")
    before = Store(first, tmp_path).hear(sounds, "clips")
    again = TuningForks("forks")
    after = Store(again, tmp_path).hear(sounds, "clips")
    assert (first.asked, again.asked) == (5, 0)
    parts = sorted(tmp_path.rglob("*.npz"))
    assert len(parts) == 2
    parts[0].write_bytes(parts[0].read_bytes()[:50])
    mended = TuningForks("forks")
    healed = Store(mended, tmp_path).hear(sounds, "clips")
    assert 0 < mended.asked < 5
    for key in samples:
        assert np.array_equal(before[key], after[key])
        assert np.array_equal(before[key], healed[key])
    other = replace_fingerprint(TuningForks("forks"))
    Store(other, tmp_path).hear(sounds, "clips")
    assert other.asked == 5


def replace_fingerprint(listener: TuningForks) -> TuningForks:
    listener.fingerprint = "f" * 64
    return listener


def test_mixtures_hold_their_event_at_their_ratio(small_material: Material) -> None:
    clips = small_material.of(Split.VALIDATION)
    maker = RareEvents(clips, small_material.recordings, small_material.taught, seed=1)
    mixtures = maker.mixtures(4)
    assert len(mixtures) == 4 * 3 * (len(RARE_CLASSES) + 1)
    assert {mixture.onset_s is None for mixture in mixtures if len(mixture.classes) > 1} == {True}
    for mixture in mixtures:
        samples = maker.render(mixture)
        assert len(samples) == LENGTH
        assert np.array_equal(samples, maker.render(mixture))
        if mixture.event is None:
            continue
        assert mixture.onset_s is not None
        # The same background without the event.
        alone = maker.render(replace(mixture, event=None))
        event = (samples - alone)[
            mixture.place : mixture.place + mixture.event_extent.stop - mixture.event_extent.start
        ]
        beneath = alone[mixture.place : mixture.place + len(event)]
        ratio = 10 * np.log10(np.square(event).mean() / np.square(beneath).mean())
        assert ratio == pytest.approx(mixture.ebr_db, abs=0.2)
        onset = round(mixture.onset_s * SAMPLE_RATE)
        after, before = ((samples - alone)[onset + start : onset + start + 800] for start in (160, -960))
        assert np.square(after).mean() > 30 * np.square(before).mean()


def test_another_seed_gives_other_mixtures(small_material: Material) -> None:
    clips = small_material.of(Split.VALIDATION)
    one, other = (
        RareEvents(clips, small_material.recordings, small_material.taught, seed=seed).mixtures(2)
        for seed in (1, 2)
    )
    assert {mixture.place for mixture in one} != {mixture.place for mixture in other}


def test_the_onset_of_a_beep_is_where_it_begins(small_material: Material) -> None:
    clip = next(clip for clip in small_material.clips if clip.sound_class is SoundClass.DOG)
    samples = small_material.recordings[clip.path]
    labels = label_clip(clip, samples, small_material.taught[clip.path])
    found = loudest_event(clip, samples, labels)
    assert found is not None
    # The beep is the second and third quarter of two seconds.
    assert found.start / SAMPLE_RATE == pytest.approx(0.5, abs=0.011)
    assert found.stop / SAMPLE_RATE == pytest.approx(1.5, abs=0.081)
    assert first_onset(clip, samples, labels) == found.start


def test_an_event_is_the_loudest_of_its_clip_and_begins_where_it_is_loud(small_material: Material) -> None:
    clip = next(clip for clip in small_material.clips if clip.sound_class is SoundClass.DOG)
    generator = np.random.default_rng(0)
    samples = generator.normal(0, 1e-4, 6 * SAMPLE_RATE).astype(np.float32)
    labels = np.zeros((-(-len(samples) // STEP), len(CLASSES)), np.int8)
    # A bark; later a growl, 18 dB below the louder bark that follows it at once.
    for start, stop, loudness in ((1.0, 1.4, 0.1), (3.0, 3.4, 0.025), (3.4, 3.8, 0.2)):
        span = slice(int(start * SAMPLE_RATE), int(stop * SAMPLE_RATE))
        samples[span] += generator.normal(0, loudness, span.stop - span.start)
        labels[span.start // STEP : -(-span.stop // STEP), CLASSES.index(SoundClass.DOG)] = 1
    found = loudest_event(clip, samples, labels)
    assert found is not None
    assert found.start / SAMPLE_RATE == pytest.approx(3.4, abs=0.011)
    assert found.stop / SAMPLE_RATE == pytest.approx(3.8, abs=0.081)
    # Half a second of which nobody knows whether it still sounds is its decay.
    end = -(-int(3.8 * SAMPLE_RATE) // STEP)
    labels[end : end + 6, CLASSES.index(SoundClass.DOG)] = -1
    longer = loudest_event(clip, samples, labels)
    assert longer is not None
    assert longer.start == found.start
    assert longer.stop == found.stop + 6 * STEP
    onset = first_onset(clip, samples, labels)
    assert onset is not None
    assert onset / SAMPLE_RATE == pytest.approx(1.0, abs=0.011)
    labels[:] = 0
    assert loudest_event(clip, samples, labels) is None
    assert first_onset(clip, samples, labels) is None


def test_latency_counts_from_the_onset_to_the_end_of_what_was_needed(small_material: Material) -> None:
    clips = small_material.of(Split.VALIDATION)
    sounds = onsets(clips, small_material.recordings, small_material.taught)
    assert {sound.clip.sound_class for sound in sounds} == set(CLASSES)
    listener = TuningForks("forks")
    heard: dict[str, np.ndarray] = {}
    for sound in sounds:
        assert sound.onset_s >= 1.0
        rows = np.zeros((100, len(CLASSES)), np.float32)
        rows[step_after(sound.onset_s + 0.4) :] = 0.9
        heard[sound.key] = rows
    for found in latency(sounds, heard, fixed(listener, 0.5).decisions, listener).values():
        assert found["missed"] == found["early"] == 0
        assert 0.4 <= found["median_s"]["value"] <= 0.48
    silent = {key: np.zeros_like(rows) for key, rows in heard.items()}
    for found in latency(sounds, silent, at_once(), listener).values():
        assert found["missed"] == found["sounds"]
        assert "median_s" not in found


def test_windows_are_held_until_the_next_and_known_at_their_end() -> None:
    scores = np.arange(1, 4, dtype=np.float32)[:, None]
    rows = hold(scores, step_after(0.975), 6)
    assert step_after(0.975) == 12
    assert rows[:, 0].tolist() == [0] * 12 + [1] * 6 + [2] * 6 + [3] * 6


def test_a_released_model_hears_the_same_from_a_sound_card() -> None:
    listener = Released(RELEASED)
    sound = tone(3000.0, 2.0, np.random.default_rng(0))
    rows, again = (listener.hear([sound])[0] for _ in range(2))
    assert np.array_equal(rows, again), "nothing is left of the sound before"
    assert rows.shape[1] == len(CLASSES)
    assert len(rows) * STEP >= len(sound)
    rounded = to_int16(sound).astype(np.float32) / np.float32(32768)
    assert np.abs(listener.hear([rounded])[0] - rows).max() < 0.05
    # A block of two steps and what its last frame looks ahead.
    assert listener.known_s(0) == listener.known_s(1) == pytest.approx(0.182)


def test_backgrounds_are_in_both_splits(audio: Audio) -> None:
    for part in (audio.tune, audio.validation):
        assert any(clip.label == BACKGROUND for clip in part.clips)
    keys = {mixture.key for mixture in audio.tune.mixtures} & {
        mixture.key for mixture in audio.validation.mixtures
    }
    assert not keys
