"""What a file that means harm must not do, for tests and for `python -m benchmarks.hostile`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from testkit.watched_program import Watched

ROOT = Path(__file__).parents[1]
MAX_MIB, MAX_S = 1024, 20.0
OPENED = [
    ROOT,
    Path.home() / ".cache" / "matplotlib",
    *(Path(folder) for folder in (sys.prefix, sys.base_prefix)),
    *(Path(folder) for folder in ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")),
]
"""Where Python, its libraries and this program lie, and what the system tells them of itself."""
WRITTEN = [Path("/dev/null"), Path("/dev/shm")]
"""Nowhere, and what the processes of a batch share."""


def words_for(path: Path, clip: Path, out: Path) -> list[str | Path]:
    """The command line that reads a file as what it is, or claims to be."""
    infer: list[str | Path] = [sys.executable, "-B", "infer_video.py", "-o", out]
    match path.suffix:
        case ".toml":
            return [sys.executable, "-B", "-m", "train", "--config", path]
        case ".npz" | ".json" | ".trc":
            return [*infer, clip, "--keypoints", path]
        case ".bin" | ".safetensors":
            return [*infer, clip, "--lifter", path]
    return [*infer, path]


def harm(done: Watched, out: Path, *inputs: Path) -> Iterator[str]:
    """What a run did that no file may make it do.

    Args:
        done: The run.
        out: The folder of its results and temporary files.
        inputs: What it was to read.
    """
    lines = [line for line in done.said.splitlines() if line.startswith(("failed: ", "error: "))]
    if "Traceback" in done.said or done.status not in (0, 1, 2):  # 2: a configuration is wrong
        yield f"status {done.status}"
    if done.status and not lines:
        yield "not a line"
    if any(ord(sign) < 32 and sign not in "\n\r\t" for sign in done.said):
        yield "control characters"
    if done.peak_mib > MAX_MIB:
        yield f"more than {MAX_MIB} MiB"
    if done.cpu_s > MAX_S:
        yield f"more than {MAX_S:.0f} s"
    if done.sockets:
        yield f"sockets: {done.sockets[0]}"
    if other := done.opened_outside(*OPENED, out, *inputs):
        yield f"opened {', '.join(map(str, other))}"
    if other := done.written_outside(*WRITTEN, out):
        yield f"wrote {', '.join(map(str, other))}"
