"""A program run under strace: what it opens and starts, what memory and time it takes."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CALLS = "openat,open,creat,socket,connect,bind,execve,rename,renameat,renameat2,unlink,unlinkat"
_OPENED = re.compile(
    r"^\d+ +(?:openat|open|creat)\(.*?(O_\w+(?:\|\w+)*)?(?:, 0\d+)?\) = \d+<(.*)>$"
)
_SOCKET = re.compile(r"^\d+ +((?:socket|connect|bind)\(.*)$")
_CHANGED = re.compile(r"^\d+ +(?:rename|unlink)(?:at2?)?\((.*)\) = 0$")
_NAME = re.compile(r'(?:<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_STARTED = re.compile(r'^\d+ +execve\("((?:[^"\\]|\\.)*)".* = 0$')
_PEAK_OF_CHILDREN = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
"""
"""A program between: of a process' own memory, the system counts what its parent had when it
started it, and a parent of tests has much."""
_WITHIN_S = "300"  # after which a program is killed, with status 124
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")


@dataclass(frozen=True)
class Watched:
    """What a program did.

    status: Its exit status. said: What it wrote to stderr. seconds, cpu_s: How long it ran, and how
    long its processes computed. peak_mib: The most memory that one of its processes took. opened,
    written: The files that were opened at all, and those for writing, as the system resolved their
    names, renamed or deleted; pipes and memory have none. sockets: Calls that make or use one.
    started: Programs.
    """

    status: int
    said: str
    seconds: float
    cpu_s: float
    peak_mib: int
    opened: frozenset[Path]
    written: frozenset[Path]
    sockets: tuple[str, ...]
    started: frozenset[Path]

    def opened_outside(self, *folders: Path) -> list[Path]:
        """The files that were opened and lie neither in one of some folders nor are one of them."""
        return _outside(self.opened, folders)

    def written_outside(self, *folders: Path) -> list[Path]:
        """The same of the files that were opened for writing."""
        return _outside(self.written, folders)


def _outside(paths: frozenset[Path], folders: Sequence[Path]) -> list[Path]:
    allowed = [folder.resolve() for folder in folders]
    return sorted(
        path for path in paths if not any(path.is_relative_to(folder) for folder in allowed)
    )


def can_watch() -> bool:
    """Whether there is an strace that may trace here; containers may forbid it."""
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode == 0
    except FileNotFoundError:
        return False


def watch(words: Sequence[str | Path], cwd: Path) -> Watched:
    """Run a program to its end under strace, its children too.

    Args:
        words: The program and its arguments.
        cwd: The folder that it runs in.
    """
    with tempfile.TemporaryDirectory() as folder:
        calls, said, peak = (Path(folder, name) for name in ("calls", "said", "peak"))
        tracer = ["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-e", f"trace={_CALLS}"]
        tracer += ["-e", "signal=none", "-o", str(calls), "--"]
        started_s = time.monotonic()
        with said.open("wb") as stderr:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-c", _PEAK_OF_CHILDREN, str(peak)),
                    *("timeout", "--kill-after=1", _WITHIN_S, *tracer, *map(str, words)),
                ],
                cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
            )  # fmt: skip
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        lines = calls.read_text(errors="surrogateescape").splitlines()
        opened = [found for line in lines if (found := _OPENED.match(line))]
        return Watched(
            process.returncode,
            said.read_text(errors="replace"),
            time.monotonic() - started_s,
            used.ru_utime + used.ru_stime,
            int(peak.read_text()) >> 10,
            frozenset(_paths(opened)),
            frozenset(_paths([found for found in opened if _WRITING.search(found[1] or "")]))
            | _changed(lines, cwd),
            tuple(found[1] for line in lines if (found := _SOCKET.match(line))),
            frozenset(Path(found[1]) for line in lines if (found := _STARTED.match(line))),
        )


def _paths(opened: Sequence[re.Match[str]]) -> list[Path]:
    return [Path(found[2].removesuffix(" (deleted)")) for found in opened if found[2][0] == "/"]


def _changed(lines: Sequence[str], cwd: Path) -> frozenset[Path]:
    """The files that were renamed or deleted, by both names."""
    calls = [found[1] for line in lines if (found := _CHANGED.match(line))]
    names = [found.groups("") for call in calls for found in _NAME.finditer(call)]
    return frozenset(cwd / folder / name for folder, name in names)
