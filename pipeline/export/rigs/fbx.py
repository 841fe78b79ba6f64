"""`fbx`: the scene of `glb`, written by Blender, which runs in a process of its own."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import OutputError
from pipeline.export.base import Exporter
from pipeline.export.rigs.glb import write_glb
from pipeline.export.rigs.motion import rigid_people
from pipeline.results.result import Result

_SCRIPT = Path(__file__).with_name("in_blender.py")
_HOW_TO_GET = (
    "it needs Blender: install it so that `blender` is on PATH, or name a program by --blender: "
    "Blender, or the Python of an environment with `pip install bpy`"
)
_SHOWN_CHARACTERS = 300


class FbxExporter(Exporter):
    """Autodesk's exchange format, binary."""

    name = "fbx"
    about = "the scene of glb for Unreal, Unity and Maya; written by Blender, where there is one"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        command = _blender(self.options.blender)
        grid, people = rigid_people(result)
        self.note(grid.note)
        target = folder / f"{result.stem}.fbx"
        with TemporaryDirectory(dir=folder) as scratch:
            scene = Path(scratch) / "scene.glb"
            write_glb(scene, result.stem, grid, people, hide=False)  # no rest pose of scale 0
            words = ["--", scene, target, grid.rate, grid.count]
            done = subprocess.run(
                [*command, *map(str, words)], capture_output=True, text=True, errors="replace"
            )
        if done.returncode or not target.exists():
            said = " ".join((done.stderr or done.stdout).split())[-_SHOWN_CHARACTERS:]
            raise OutputError(f"{command[0]} did not write it ({said})")


def _blender(program: str | None) -> list[str]:
    """The command that runs our script in Blender, but for the script's arguments.

    Args:
        program: Blender, or a Python with `bpy`; None for what is at hand.

    Raises:
        OutputError: There is none.
    """
    if program is None:
        if find_spec("bpy"):
            return [sys.executable, str(_SCRIPT)]
        program = "blender"
    found = shutil.which(program)
    if found is None:
        raise OutputError(_HOW_TO_GET)
    if Path(found).name.startswith("python"):
        return [found, str(_SCRIPT)]
    return [found, "--background", "--factory-startup", "--python-exit-code", "1", "--python",
            str(_SCRIPT)]  # fmt: skip
