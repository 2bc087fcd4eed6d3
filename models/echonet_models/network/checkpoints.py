"""Reads the tensors of a PyTorch checkpoint without PyTorch, and nothing else: no code of the file is run.

Such a file is a zip archive of one pickle and one file of raw numbers for each tensor:
https://docs.pytorch.org/docs/stable/notes/serialization.html
"""

from collections import OrderedDict
import io
from pathlib import Path
import pickle
from typing import Any
import zipfile

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelsError

State = dict[str, NDArray[np.float32]]

STORAGE_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def read_state(path: Path) -> State:
    """Return the float32 tensors of a checkpoint by name; counters are left out.

    Raises:
        ModelsError: the file is missing, or it holds anything but tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            state = _TensorsOnly(archive).load()
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise ModelsError(
            f"cannot read {path}: {error}; set ECHONET_TEACHERS to a folder that holds it"
        ) from None
    except (pickle.UnpicklingError, ValueError, TypeError, EOFError, IndexError, AttributeError) as error:
        raise ModelsError(
            f"{path} is no checkpoint of plain tensors: {error}; take the file that SHA256SUMS pins"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(tensor, np.ndarray) for tensor in state.values()):
        raise ModelsError(
            f"{path} holds something else than named tensors; take the file that SHA256SUMS pins"
        )
    return {str(name): tensor for name, tensor in state.items() if tensor.dtype == np.float32}


class _TensorsOnly(pickle.Unpickler):
    """An unpickler that knows how to rebuild a tensor, and refuses every other name."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise pickle.UnpicklingError(f"{len(pickles)} pickles in it")
        super().__init__(io.BytesIO(archive.read(pickles[0])))
        self._archive = archive
        self._folder = pickles[0].removesuffix("data.pkl")

    def find_class(self, module_name: str, global_name: str) -> Any:
        match module_name, global_name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _tensor
            case "torch", storage if storage in STORAGE_TYPES:
                return STORAGE_TYPES[storage]
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        match pid:
            case ("storage", str(number_type), str(key), str(), int()) if (
                number_type in STORAGE_TYPES.values()
            ):
                return np.frombuffer(self._archive.read(f"{self._folder}data/{key}"), number_type)
        raise pickle.UnpicklingError("it has a storage of an unknown kind")


def _tensor(
    storage: NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> NDArray[Any]:
    """Return a view of a storage; offset and strides count numbers, not bytes."""
    if not isinstance(storage, np.ndarray):
        raise pickle.UnpicklingError("it has a tensor without a storage")
    reach = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True)) + 1
    if offset < 0 or min((*size, *stride, 1)) < 0 or reach > len(storage):
        raise pickle.UnpicklingError("it has a tensor that reaches beyond its storage")
    return np.lib.stride_tricks.as_strided(
        storage[offset:], size, [step * storage.itemsize for step in stride], writeable=False
    )
