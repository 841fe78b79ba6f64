"""glTF 2.0 as one binary file (.glb): the container, and arrays as accessors.

https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

import json
import struct
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.types import Array

_COMPONENTS = {"f4": 5126, "u2": 5123, "u4": 5125, "u1": 5121}
_TYPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_MAGIC, _VERSION, _JSON, _BIN = 0x46546C67, 2, 0x4E4F534A, 0x004E4942


class GlbWriter:
    """Collects a scene's objects; arrays go to a file at once.

    content is the JSON part, lists of objects by kind ("nodes", "meshes", …), to which callers add.

    Args:
        arrays: A file for the binary part, empty, open for reading and writing.
        generator: What wrote it.
    """

    def __init__(self, arrays: IO[bytes], generator: str) -> None:
        self._arrays = arrays
        self.content: dict[str, Any] = {"asset": {"version": "2.0", "generator": generator}}

    def add(self, kind: str, **thing: Any) -> int:
        """Add an object to the list of its kind; its index is returned."""
        things: list[Any] = self.content.setdefault(kind, [])
        things.append(thing)
        return len(things) - 1

    def add_array(self, values: Array, target: int | None = None, bounds: bool = False) -> int:
        """Add an array (N, …) of 32 bit floats or unsigned integers.

        Args:
            values: The array.
            target: What a mesh uses it for: 34962 vertices, 34963 indices.
            bounds: Whether least and greatest values are said, as positions and times need.

        Returns:
            The index of its accessor.
        """
        kind, shape = values.dtype.str[1:], values.shape[1:]
        offset = self._arrays.tell()
        size = self._arrays.write(np.ascontiguousarray(values).tobytes())
        self._arrays.write(bytes(-size % 4))
        view = {"buffer": 0, "byteOffset": offset, "byteLength": size}
        accessor: dict[str, Any] = {
            "bufferView": self.add("bufferViews", **view, **({"target": target} if target else {})),
            "componentType": _COMPONENTS[kind],
            "count": len(values),
            "type": _TYPES[shape],
        }
        if bounds:
            columns = values.reshape(len(values), -1)
            accessor |= {"min": columns.min(0).tolist(), "max": columns.max(0).tolist()}
        return self.add("accessors", **accessor)

    def write(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: The disk refuses.
        """
        length = self._arrays.tell()
        self.content["buffers"] = [{"byteLength": length}]
        text = json.dumps(self.content, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        whole = 12 + 8 + len(text) + 8 + length
        with path.open("wb") as file:
            file.write(struct.pack("<III", _MAGIC, _VERSION, whole))
            file.write(struct.pack("<II", len(text), _JSON) + text)
            file.write(struct.pack("<II", length, _BIN))
            self._arrays.seek(0)
            while part := self._arrays.read(1 << 20):
                file.write(part)
