"""Programs that read what this one writes, each in an environment of its own: `.ci/consumers`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

VARIABLE = "VIDEO3D_CONSUMERS"
"""The folder of environments, where it is not in the one that tests run in."""


def environment(name: str) -> Path:
    """The Python of an environment; the test is skipped where it was not built."""
    python = _environments() / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment {name}: `make test-consumers` builds it")
    return python


def node_modules() -> Path:
    """What node finds its packages in; the test is skipped where it or node is not there."""
    folder = _environments() / "web" / "node_modules"
    if not folder.exists() or shutil.which("node") is None:
        pytest.skip("no environment web: `make test-consumers` builds it where node is")
    return folder


def _environments() -> Path:
    return Path(os.environ.get(VARIABLE, Path(sys.prefix) / "consumers")).absolute()


def ask(name: str, script: str, *arguments: str | Path, timeout_s: float = 900) -> Any:
    """Run a script in an environment; what it says last, as JSON, is the answer.

    Args:
        name: Of the environment.
        script: Python, which finds `arguments` in `sys.argv` and prints a line of JSON at its end.
        arguments: What it is given.
        timeout_s: How long it may take.
    """
    command = [str(environment(name)), "-c", script, *map(str, arguments)]
    with TemporaryDirectory() as folder:  # some leave logs where they run
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=folder
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])
