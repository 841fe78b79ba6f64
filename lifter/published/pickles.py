"""Checkpoints of VideoPose3D's kind, `.bin`: what `torch.save` wrote, old or new.

They are pickles, which can name anything. Before one is opened its names are compared with a closed
list. numpy's part of it, a random generator, is built as stand-ins: numpy's own types believe a
pickle, and then read memory that is not theirs.
"""

import pickle
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from core.archives import NUMPY_STAND_INS, StoredArray
from core.errors import InputError, WeightsError, one_line
from core.files import open_input

_PICKLES = 5
"""In a file that is no zip archive: a mark, torch's version, the machine, the content, its keys."""
_STORAGE = re.compile(
    r"torch\.(cuda\.)?(Bool|Byte|Char|Short|Int|Long|Half|BFloat16|Float|Double)Storage"
)
_STATE_WORDS = 624  # of a Mersenne Twister


class StoredRandomState:
    """Stands in for `RandomState` and its `MT19937`, with the state that a pickle gives it."""

    def __init__(self, *_arguments: Any) -> None:
        self._state: Any = None

    def __setstate__(self, state: Any) -> None:
        self._state = state

    def restored(self) -> np.random.RandomState:
        """numpy's generator of that state.

        Raises:
            ValueError: It is no state of a Mersenne Twister.
        """
        if isinstance(self._state, dict):
            words, gauss = self._state["state"], self._state
            key, position = words["key"], words["pos"]
            has_gauss, cached = gauss["has_gauss"], gauss["gauss"]
        else:
            _, key, position, has_gauss, cached = self._state
        if not isinstance(key, StoredArray) or not 0 <= position <= _STATE_WORDS:
            raise ValueError("no state of a random generator")
        if key.array.shape != (_STATE_WORDS,) or key.array.dtype.kind != "u":
            raise ValueError("no state of a random generator")
        random = np.random.RandomState(0)  # seeded, for it to be written as simply as it was read
        random.set_state(("MT19937", key.array, int(position), int(has_gauss), float(cached)))
        return random


_STAND_INS: dict[str, Any] = {
    **{f"{module}.{name}": made for (module, name), made in NUMPY_STAND_INS.items()},
    "numpy.core.multiarray._reconstruct": StoredArray,
    "numpy.random._mt19937.MT19937": "MT19937",  # named as an argument only
    "numpy.random._pickle.__bit_generator_ctor": StoredRandomState,
    "numpy.random._pickle.__randomstate_ctor": StoredRandomState,
    "numpy.random.__RandomState_ctor": StoredRandomState,
}
_NAMES = {
    *_STAND_INS,
    "_codecs.encode",
    "collections.OrderedDict",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_tensor_v2",
}


def read_published(path: Path) -> dict[str, Any]:
    """Read all of a checkpoint that VideoPose3D wrote.

    Only tensors, plain containers and the state of numpy's random generator are admitted. A pickle
    that names anything else is refused before any of it runs.

    Returns:
        `epoch`, `lr`, `optimizer`, `random_state`, `model_pos` and what else the file holds.

    Raises:
        WeightsError: The file is no such checkpoint, or asks for more than tensors and numbers.
    """
    try:
        _check_kind(path)
        _check_names(path)
        with torch.serialization.safe_globals([(made, name) for name, made in _STAND_INS.items()]):
            content = torch.load(path, map_location="cpu", weights_only=True)
        _check_size(path, content)
        if not isinstance(content, dict) or not isinstance(content.get("model_pos"), dict):
            raise WeightsError(f"{path}: not a VideoPose3D checkpoint, it has no model_pos")
        for network in ("model_pos", "model_traj"):
            _check_tensors(path, content.get(network))
        for name, value in content.items():
            if isinstance(value, StoredRandomState):
                content[name] = value.restored()
    except WeightsError:
        raise
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused unopened, its pickle asks for more than tensors and numbers"
        ) from error
    except Exception as error:  # torch raises anything at damaged files
        raise WeightsError(f"{path}: not a readable checkpoint ({one_line(error)})") from error
    return content


def _check_kind(path: Path) -> None:
    """`WeightsError` where a file is none of torch's: an archive, or a pickle of protocol 2 on."""
    try:
        with open_input(path) as file:
            start = file.read(2)
    except InputError as error:
        raise WeightsError(str(error)) from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    if start != b"PK" and not start.startswith(b"\x80"):
        raise WeightsError(
            f"{path}: is no lifter, neither a .safetensors file nor a checkpoint of VideoPose3D"
        )


def _check_names(path: Path) -> None:
    """`UnpicklingError` where a pickle in a file names more than checkpoints need."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > path.stat().st_size:  # torch stores members as they are
                raise WeightsError(
                    f"{path}: not a readable checkpoint (it unpacks to {unpacked} bytes)"
                )
            for member in archive.namelist():
                if member.endswith(".pkl"):
                    with archive.open(member) as file:
                        _check_pickle(file)
    else:
        with path.open("rb") as file:
            for _ in range(_PICKLES):
                _check_pickle(file)


def _check_pickle(file: IO[bytes]) -> None:
    for name in _names(file):
        if name not in _NAMES and not _STORAGE.fullmatch(name):
            raise pickle.UnpicklingError(f"it names {name}")


def _names(file: IO[bytes]) -> Iterator[str]:
    """What the next pickle of a file names, read without building anything.

    torch's reader knows no other operation that names something.
    """
    for operation, argument, _ in pickletools.genops(file):
        if operation.name == "GLOBAL":
            yield str(argument).replace(" ", ".")


def _check_size(path: Path, content: Any) -> None:
    """`WeightsError` where a file's entries or its tensors are more than the file has room for.

    A tensor may claim any shape over a few bytes by repeating them (stride 0), and a list may hold
    another any number of times.
    """
    entries = size = 0
    stack = [content]
    while stack:
        value = stack.pop()
        parts: Any = ()
        if isinstance(value, Tensor):
            size += value.numel() * value.element_size()
        elif isinstance(value, dict):
            parts = value.values()
        elif isinstance(value, list | tuple):
            parts = value
        entries += len(parts)
        if max(size, entries) > path.stat().st_size:
            raise WeightsError(f"{path}: claims to hold more than the file has room for")
        stack += parts


def _check_tensors(path: Path, state: Any) -> None:
    """`WeightsError` unless a network's entries are tensors."""
    if state is None:
        return
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise WeightsError(f"{path}: a network in it has entries that are no tensors")
