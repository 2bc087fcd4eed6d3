"""Splits share no recording and no held-out source, licences are respected, shortcuts are closed."""

from collections import defaultdict
import hashlib
from pathlib import Path
import re

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from echonet_models.activity import label_clip
from echonet_models.datasets import (
    CLASSES,
    TWINS,
    Clip,
    Licences,
    Protocol,
    Split,
    choose_held_out,
    data_directory,
    read_manifest,
    split_by,
    split_by_recording,
    split_by_source,
)
from echonet_models.errors import ModelsError
from echonet_models.events import Events
from echonet_models.mixtures import MixtureMaker
from echonet_models.recipe import Recipe
from echonet_models.recordings import SAMPLE_RATE, open_recordings
from echonet_satellite.protocol import SoundClass

NOT_VALIDATION = (Split.TRAIN, Split.TUNE)


def clip(label: str, source: str, origin: str, quality: str = "") -> Clip:
    return Clip(
        path=f"{label}/{source}/{origin}",
        label=label,
        source=source,
        origin=origin,
        licence_class="open",
        duration_s=1.0,
        quality=quality,
    )


CLIPS = st.lists(
    st.builds(
        clip,
        st.sampled_from([*map(str, CLASSES), "other", "background"]),
        st.sampled_from(["a", "b", "c"]),
        st.one_of(st.integers(0, 60).map(str), st.sampled_from([name for group in TWINS for name in group])),
    ),
    max_size=200,
)


def sides(clips: list[Clip], split: dict[str, Split]) -> dict[str, dict[str, set[Split]]]:
    """Return on which sides each source of each label is."""
    found: dict[str, dict[str, set[Split]]] = defaultdict(lambda: defaultdict(set))
    for item in clips:
        found[item.label][item.source].add(split[item.origin])
    return found


@given(CLIPS)
def test_every_recording_is_in_one_split(clips: list[Clip]) -> None:
    split = split_by_recording(clips)
    assert set(split) == {clip.origin for clip in clips}
    assert split == split_by_recording(clips[::-1])


@given(CLIPS, st.sampled_from(Protocol))
def test_one_recording_under_two_names_is_on_one_side(clips: list[Clip], protocol: Protocol) -> None:
    split = split_by(protocol, clips)
    for group in TWINS:
        assert len({split[name] is Split.VALIDATION for name in group if name in split}) <= 1


@given(CLIPS)
def test_a_held_out_source_is_heard_only_in_validation(clips: list[Clip]) -> None:
    held_out = choose_held_out(clips)
    split = split_by_source(clips)
    assert set(split) == {item.origin for item in clips}
    for label, sources in sides(clips, split).items():
        for source in held_out.get(label, ()):
            assert sources[source] == {Split.VALIDATION}
        # What is in validation besides shares its recording with something that was held out.
        for item in clips:
            if item.label == label and split[item.origin] is Split.VALIDATION:
                together = {item.origin, *(name for group in TWINS if item.origin in group for name in group)}
                assert any(
                    other.origin in together and other.source in held_out.get(other.label, ())
                    for other in clips
                )


@given(CLIPS)
def test_no_label_leaves_altogether(clips: list[Clip]) -> None:
    split = split_by_source(clips)
    for label in {item.label for item in clips}:
        assert any(split[item.origin] in NOT_VALIDATION for item in clips if item.label == label)


@given(CLIPS)
def test_the_split_by_source_does_not_depend_on_the_order(clips: list[Clip]) -> None:
    assert split_by_source(clips) == split_by_source(clips[::-1])


@settings(max_examples=50)
@given(st.integers(2, 9), st.integers(2, 30))
def test_a_label_with_sources_of_its_own_loses_one(sources: int, recordings: int) -> None:
    clips = [
        clip("dog", f"s{source}", f"{source}-{number}")
        for source in range(sources)
        for number in range(recordings)
    ]
    held_out = choose_held_out(clips)["dog"]
    assert held_out
    # Equal sources: as near to a fifth to a quarter of the recordings as whole sources come.
    best = min(range(1, sources), key=lambda n: max(0.2 - n / sources, n / sources - 0.25, 0))
    assert abs(len(held_out) - best) <= 1


def test_a_label_of_one_source_keeps_it() -> None:
    clips = [clip("dog", "only", str(number)) for number in range(20)]
    assert choose_held_out(clips) == {}
    assert Split.VALIDATION not in split_by_source(clips).values()


def test_real_recordings_are_split_in_three(recordings: Path) -> None:
    clips = read_manifest(recordings)
    split = split_by_recording(clips)
    for label in {item.label for item in clips}:
        origins = {item.origin for item in clips if item.label == label}
        shares = {part: sum(split[origin] is part for origin in origins) / len(origins) for part in Split}
        assert 0.1 < shares[Split.VALIDATION] < 0.35, label
        assert shares[Split.TUNE] > 0.05, label
        assert shares[Split.TRAIN] > 0.5, label


def test_every_real_class_loses_a_source_and_keeps_most(recordings: Path) -> None:
    clips = read_manifest(recordings)
    held_out = choose_held_out(clips)
    split = split_by(Protocol.SOURCE, clips)
    for label in {item.label for item in clips}:
        origins = {item.origin for item in clips if item.label == label}
        shares = {part: sum(split[origin] is part for origin in origins) / len(origins) for part in Split}
        assert held_out[label], label
        # One collection has nearly all glass and one nearly all cries: little else can be left out of them.
        assert 0.05 < shares[Split.VALIDATION] <= 0.3, label
        assert shares[Split.TUNE] > 0.05, label


@pytest.mark.parametrize("protocol", Protocol)
def test_a_freesound_recording_is_on_one_side_in_whichever_collection(
    recordings: Path, protocol: Protocol
) -> None:
    """ESC-50 and UrbanSound8K took from the same uploads: their file names begin with (or hold) Freesound's number."""
    clips = read_manifest(recordings)
    split = split_by(protocol, clips)
    numbers: dict[str, set[Split]] = defaultdict(set)
    collections: dict[str, set[str]] = defaultdict(set)
    for item in clips:
        stem = Path(item.path).stem
        for number in re.findall(r"__(\d{3,7})-\d+-\d+-\d+_|__[1-5]-(\d{3,7})-[A-H]_", stem):
            name = "".join(number)
            numbers[name].add(split[item.origin])
            collections[name].add(item.source)
    assert sum(len(sources) > 1 for sources in collections.values()) > 20
    assert not [name for name, found in numbers.items() if len(found) > 1]


def test_permissive_leaves_out_other_licences(small_data: Path) -> None:
    permissive = read_manifest(small_data, Licences.PERMISSIVE)
    assert {item.licence_class for item in permissive} == {"open"}
    assert len(permissive) < len(read_manifest(small_data))


def test_permissive_keeps_every_real_class(recordings: Path) -> None:
    permissive = read_manifest(recordings, Licences.PERMISSIVE)
    assert {item.licence_class for item in permissive} == {"open", "share-alike"}
    assert {item.label for item in permissive} >= {*map(str, CLASSES), "other", "background"}


def test_quality_notes_tell_what_is_suspect() -> None:
    assert clip("alarm", "a", "1", "faint_or_masked;very_quiet").suspect
    assert clip("dog", "a", "1", "label_suspect(other)").suspect
    assert not clip("gunshot", "a", "1", "weak_impulse").suspect
    assert clip("gunshot", "a", "1", "weak_impulse").unsure
    assert not clip("baby_cry", "a", "1", "narrowband_8000Hz").unsure


def treble(samples: np.ndarray) -> float:
    """Return how much of a sound's energy is over 4.5 kHz, in dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.linspace(0, SAMPLE_RATE / 2, len(power))
    return float(10 * np.log10(power[frequency > 4500].sum() / (power.sum() + 1e-12) + 1e-12))


def level(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.square(samples).mean() + 1e-12))


def told_apart(cries: list[float], others: list[float]) -> float:
    """Return how often a cry and another sound are told apart by one number: 0.5 is by chance, 1 always."""
    area = roc_auc_score([1] * len(cries) + [0] * len(others), [*cries, *others])
    return float(max(area, 1 - area))


def test_neither_missing_treble_nor_loudness_tells_a_cry(
    recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Most baby cries are from the telephone: as clips they are known by that, as mixtures they must not be."""
    clips = sorted(read_manifest(recordings), key=lambda item: hashlib.sha256(item.path.encode()).digest())
    cries = [item for item in clips if item.label == "baby_cry" and "narrowband" in item.quality][:30]
    labels = [*set(map(str, CLASSES)) - {"baby_cry"}, "other", "background"]
    rest = [item for label in sorted(labels) for item in [i for i in clips if i.label == label][:8]]
    sound = open_recordings(recordings, [*cries, *rest], tmp_path_factory.mktemp("narrow"))
    as_clips = told_apart(*([treble(sound[item.path]) for item in group] for group in (cries, rest)))

    def label(item: Clip) -> np.ndarray:
        return label_clip(item, sound[item.path], np.zeros((1, 2, len(CLASSES)), np.float32))

    maker = MixtureMaker(Events([*cries, *rest], sound, label, [], Recipe()), Recipe())
    mixtures = [maker.mix(np.random.default_rng(number)) for number in range(64)]
    holds = [(mixture.labels[:, CLASSES.index(SoundClass.BABY_CRY)] == 1).any() for mixture in mixtures]
    for measure in (treble, level):
        values = [measure(mixture.samples) for mixture in mixtures]
        as_mixtures = told_apart(
            [value for value, cry in zip(values, holds, strict=True) if cry],
            [value for value, cry in zip(values, holds, strict=True) if not cry],
        )
        assert as_mixtures < 0.7 < as_clips, measure.__name__


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match="ECHONET_DATA"):
        data_directory(tmp_path)
