"""What the comparison keeps in its folder: results, each with the key of what it depends on, and mixtures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
import hashlib
import json
from pathlib import Path
import shutil
from typing import Any

import numpy as np

from ..datasets import Split
from ..errors import ModelsError
from ..material import Material
from ..pools import KeptPools, Pool, PoolMaker, load_pool, store_pool
from ..training import TUNE_POOL
from .amounts import Amounts
from .scoring import Logits
from .variants import VARIANTS, Sampling, Variant, shares

# All variants hear the same mixtures, whatever their own seed.
POOL_SEED = 1
PROBED = 2


class Results:
    """The results of the variants in a folder, each with the key of what it depends on, and what they learn from."""

    def __init__(self, folder: Path, material: Material, amounts: Amounts) -> None:
        """Open the folder."""
        self.folder, self.amounts = folder, amounts
        clips = material.of(Split.TRAIN)
        self.shares = {each: shares(each, material.recipe.class_shares, clips) for each in Sampling}
        self._material, self._digest = material, _digest(material)
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, variant: Variant) -> dict[str, Any] | None:
        """Return the result of a variant, if it is there and depends on nothing that has changed."""
        path = self._path(variant)
        if not path.is_file() or not self._logits_path(variant).is_file():
            return None
        try:
            result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise ModelsError(f"{path} is damaged: delete it, and the same command makes it anew") from None
        return result if result["key"] == self._key(variant) else None

    def logits(self, variant: Variant) -> Logits:
        """Return what the variant's network made of the common mixtures."""
        logits: Logits = np.load(self._logits_path(variant))
        return logits

    def write(self, variant: Variant, logits: Logits, found: Mapping[str, Any]) -> None:
        """Store a result, the scores first: a result without them counts as none."""
        np.save(self._logits_path(variant), logits, allow_pickle=False)
        unfinished = self.folder / f"{variant.name}.unfinished"
        text = json.dumps({"key": self._key(variant), **found}, indent=1)
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(self._path(variant))

    def forget(self) -> None:
        """Delete all results, and trainings that were stopped."""
        for variant in VARIANTS:
            self._path(variant).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "trainings", ignore_errors=True)

    def training(self, variant: Variant) -> Path:
        """Return the folder in which the variant is trained."""
        return self.folder / "trainings" / f"{variant.name}-{_name(self._key(variant))}"

    def pools(self, sampling: Sampling) -> KeptPools:
        """Return the mixtures to learn from."""
        material = self._material
        recipe = replace(material.recipe, class_shares=self.shares[sampling])
        sampled = replace(material, recipe=recipe)
        return KeptPools(
            self.folder / "pools" / self._pools_name(sampling),
            PoolMaker(sampled.maker(Split.TRAIN, taught=True), seed=POOL_SEED, size=self.amounts.pool_size),
            self.amounts.pools,
        )

    def keep_pools(self, wanted: Sequence[Variant]) -> None:
        """Delete the mixtures that none of these learns from."""
        names = {self._pools_name(variant.sampling) for variant in wanted}
        for pools in (self.folder / "pools").glob("*"):
            if pools.name not in names:
                shutil.rmtree(pools)

    def tune(self) -> Pool:
        """Return the common mixtures of the tune split that all are scored on, made at the first time."""
        size = self.amounts.tune
        path = self.folder / f"tune-{_name([self._digest, size])}.npz"
        if not path.is_file():
            for other in self.folder.glob("tune-*"):
                other.unlink()
            print(f"making the {size} mixtures that all are scored on", flush=True)
            store_pool(
                path, PoolMaker(self._material.maker(Split.TUNE), seed=POOL_SEED, size=size).make(TUNE_POOL)
            )
        return load_pool(path)

    def _key(self, variant: Variant) -> Any:
        key = {
            "material": self._digest,
            "shape": self.amounts.shape.to_json(),
            "schedule": asdict(self.amounts.schedule(variant)),
            "shares": self.shares[variant.sampling],
            "tune": self.amounts.tune,
        }
        # As it is read back: tuples are lists there.
        return json.loads(json.dumps(key))

    def _pools_name(self, sampling: Sampling) -> str:
        wanted = [self._digest, self.shares[sampling], self.amounts.pools, self.amounts.pool_size]
        return f"{sampling}-{_name(wanted)}"

    def _path(self, variant: Variant) -> Path:
        return self.folder / f"{variant.name}.json"

    def _logits_path(self, variant: Variant) -> Path:
        return self.folder / f"{variant.name}.npy"


def _digest(material: Material) -> str:
    """Return a name for the recordings, their splits and what cleaning says of them, and for how they are mixed."""
    known = hashlib.sha256(repr(material.recipe).encode())
    for clip in material.clips:
        known.update(f"{clip.path} {clip.label} {clip.origin} {material.split[clip.origin]}\n".encode())
        if (verdicts := material.verdicts.get(clip.path)) is not None:
            known.update(verdicts.tobytes())
    # A few mixtures: they change with the code that makes them and with what the teachers hear.
    for split in (Split.TRAIN, Split.TUNE):
        maker = material.maker(split, taught=split is Split.TRAIN)
        for number in range(PROBED):
            mixture = maker.mix(np.random.default_rng((POOL_SEED, number)))
            for part in mixture:
                known.update(b"" if part is None else part.tobytes())
    return known.hexdigest()[:16]


def _name(wanted: object) -> str:
    """Return a short name for something that can be written as JSON."""
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
