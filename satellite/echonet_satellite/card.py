"""The model card: what a model is, what it takes and gives, and how its probabilities become detections."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
import json
import math
from pathlib import Path
from typing import Any, Final, TypeVar

from .decision import Decision, Lasting
from .errors import EchonetError
from .frontend import FrontendParameters
from .presence import Scene
from .protocol import Sensitivity, SoundClass

CARD_FILE: Final = "model.json"
MODEL_FILE: Final = "model.tflite"
SECOND_LOOK_FILE: Final = "second_look.tflite"
_LEVELS: Final = (Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH)

T = TypeVar("T")


class ModelError(EchonetError):
    """A model or its card is missing, damaged, or the two do not belong together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensors:
    """What the .tflite file calls what goes in and comes out, in its tensors or in its signature."""

    input: str
    probabilities: str
    audioset: str
    embedding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLookCard:
    """A second network, which is asked where the first holds something likely.

    Attributes:
        sha256: of its .tflite file, in lower-case hexadecimal.
        window_frames: frames that it sees at once.
        input: what the file calls what goes in,
        logits: and what comes out: logits of the card's classes.
        shares: how much of a class's logit is its own, for each class that it knows better.
        likely: from which probability on the first network's answer needs it, for each of these.
    """

    sha256: str
    window_frames: int
    input: str
    logits: str
    shares: Mapping[SoundClass, float]
    likely: Mapping[SoundClass, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What `model.json` says.

    Attributes:
        name: of the model.
        version: of the model.
        sha256: of the .tflite file, in lower-case hexadecimal.
        classes: in the order of the probabilities.
        frontend: how samples become frames.
        window_frames: frames that the network sees at once.
        step_frames: frames after which it is asked anew.
        embedding_size: how many numbers tell one sound from another.
        tensors: what goes in and comes out.
        decisions: for each class, how probabilities become detections.
        second_look: a second network; without one, the first decides alone.
    """

    name: str
    version: str
    sha256: str
    classes: tuple[SoundClass, ...]
    frontend: FrontendParameters
    window_frames: int
    step_frames: int
    embedding_size: int
    tensors: Tensors
    decisions: Mapping[SoundClass, Decision]
    second_look: SecondLookCard | None = None

    @property
    def step_samples(self) -> int:
        """Samples from the start of one step to the start of the next."""
        return self.step_frames * self.frontend.hop_length

    @property
    def frame_s(self) -> float:
        """Seconds from one frame to the next."""
        return self.frontend.hop_length / self.frontend.sample_rate

    @property
    def step_s(self) -> float:
        """Seconds from one row of probabilities to the next."""
        return self.step_frames * self.frame_s


def read_card(directory: Path) -> ModelCard:
    """Read and check the card of the model in a directory.

    Raises:
        ModelError: it is missing or damaged; the text names the file and the field.
    """
    path = directory / CARD_FILE
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelError(
            f"no model in {directory}: {CARD_FILE} is missing; choose another with --model"
        ) from None
    except OSError as err:
        raise ModelError(f"cannot read {path}: {err.strerror}") from None
    except (ValueError, RecursionError):
        raise ModelError(f"{path} is damaged: it is not JSON; install the model again") from None
    return _card(_Object(path, "", data))


class _Object:
    """A JSON object of the card, read field by field, so that an error can name the field."""

    def __init__(self, path: Path, where: str, data: object) -> None:
        self._path = path
        self._where = where
        if not isinstance(data, dict):
            raise self.wrong("", "is not an object")
        self._data: dict[str, Any] = data

    def wrong(self, name: str, what: str) -> ModelError:
        field = ".".join(part for part in (self._where, name) if part) or "the file"
        return ModelError(f"{self._path} is damaged: {field} {what}; install the model again")

    def get(self, name: str, kind: type[T]) -> T:
        if name not in self._data:
            raise self.wrong(name, "is missing")
        value = self._data[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(name, f"is no {_KINDS[kind]}")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(name, "is not finite")
        return value

    def has(self, name: str) -> bool:
        return name in self._data

    def number(self, name: str, low: float, high: float = math.inf) -> float:
        value = self.get(name, float)
        if not low <= value <= high:
            raise self.wrong(name, "is out of range")
        return value

    def count(self, name: str) -> int:
        value = self.get(name, int)
        if not 1 <= value <= 10_000:
            raise self.wrong(name, "is out of range")
        return value

    def counts(self, name: str) -> tuple[int, ...]:
        values = self.get(name, list)
        if not values or not all(type(item) is int and 1 <= item <= 1_000_000 for item in values):
            raise self.wrong(name, "is no list of whole numbers above 0")
        return tuple(values)

    def object(self, name: str) -> "_Object":
        return _Object(self._path, f"{self._where}.{name}".lstrip("."), self.get(name, dict))

    def objects(self, name: str) -> "list[_Object]":
        items = self.get(name, list)
        return [
            _Object(self._path, f"{self._where}.{name}[{i}]".lstrip("."), item)
            for i, item in enumerate(items)
        ]


_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    list: "list",
    dict: "object",
}


def _card(card: _Object) -> ModelCard:
    window_frames, step_frames = card.count("window_frames"), card.count("step_frames")
    if step_frames > window_frames:
        raise card.wrong("step_frames", "is more than window_frames")
    classes = _classes(card)
    tensors = card.object("tensors")
    decisions = card.object("decision")
    return ModelCard(
        name=card.get("name", str),
        version=card.get("version", str),
        sha256=_sha256(card),
        classes=classes,
        frontend=_frontend(card),
        window_frames=window_frames,
        step_frames=step_frames,
        embedding_size=card.count("embedding_size"),
        tensors=Tensors(**{item.name: tensors.get(item.name, str) for item in fields(Tensors)}),
        decisions={name: _decision(decisions.object(name)) for name in classes},
        second_look=_second_look(card.object("second_look"), classes) if card.has("second_look") else None,
    )


def _sha256(owner: _Object) -> str:
    value = owner.get("sha256", str)
    if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise owner.wrong("sha256", "is no SHA-256 in lower-case hexadecimal")
    return value


def _second_look(look: _Object, classes: tuple[SoundClass, ...]) -> SecondLookCard:
    shares, likely = look.object("shares"), look.object("likely")
    own = [name for name in classes if shares.has(name)]
    return SecondLookCard(
        sha256=_sha256(look),
        window_frames=look.count("window_frames"),
        input=look.get("input", str),
        logits=look.get("logits", str),
        shares={name: shares.number(name, 0.0, 1.0) for name in own},
        likely={name: likely.number(name, 0.0, 1.0) for name in own},
    )


def _classes(card: _Object) -> tuple[SoundClass, ...]:
    try:
        classes = tuple(SoundClass(name) for name in card.get("classes", list))
    except ValueError as err:
        raise card.wrong("classes", f"holds an unknown class ({err})") from None
    if not classes or len(set(classes)) < len(classes):
        raise card.wrong("classes", "is empty or names a class twice")
    return classes


def _frontend(card: _Object) -> FrontendParameters:
    frontend = card.object("frontend")
    values: dict[str, Any] = {
        item.name: frontend.get(item.name, item.type if isinstance(item.type, type) else float)
        for item in fields(FrontendParameters)
    }
    try:
        return FrontendParameters(**values)
    except ValueError as err:
        raise card.wrong("frontend", f"cannot be ({err})") from None


def _decision(decision: _Object) -> Decision:
    thresholds = decision.object("thresholds")
    levels = {level: thresholds.number(level, 0.0, 1.0) for level in _LEVELS}
    confirm = decision.counts("confirm")
    if len(confirm) != 2 or confirm[0] > confirm[1]:
        raise decision.wrong("confirm", "is no pair [k, n] with k at most n")
    scene = _scene(decision.object("scene")) if decision.has("scene") else None
    return Decision(
        thresholds=levels,
        leave_ratio=decision.number("leave_ratio", 0.0, 1.0),
        confirm=(confirm[0], confirm[1]),
        # How the evidence of a scene adds up, and how long it lasts, says the scene.
        smoothing_steps=1 if scene else decision.count("smoothing_steps"),
        hold_s=0.0 if scene else decision.number("hold_s", 0.0, 3600.0),
        refractory_s=decision.number("refractory_s", 0.0, 3600.0),
        rise_db=decision.number("rise_db", 0.0, 100.0),
        lasting=_lasting(decision.object("lasting")) if decision.has("lasting") else None,
        at_once=decision.number("at_once", 1.0, 1000.0) if decision.has("at_once") else None,
        insistence=decision.number("insistence", 1.0, 1000.0) if decision.has("insistence") else 1.0,
        beeps=decision.number("beeps", 1.0, 1000.0) if decision.has("beeps") else 1.0,
        scene=scene,
    )


def _lasting(lasting: _Object) -> Lasting:
    return Lasting(steps=lasting.count("steps"), odds=lasting.number("odds", 1.0, 1000.0))


def _scene(scene: _Object) -> Scene:
    return Scene(
        build_up_s=scene.number("build_up_s", 0.1, 600.0), linger_s=scene.number("linger_s", 0.0, 3600.0)
    )
