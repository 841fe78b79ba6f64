"""A process that reads files, watched from outside for crashes, hangs and memory."""

import multiprocessing
import re
import resource
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from pipeline.media.opencv import mute_opencv

HANGS_AFTER_S = 180.0
MAX_CPU_S = 20.0
"""Of the process and the programs that it starts, so that a busy machine makes nothing slow."""
STARTS_WITHIN_S = 300.0
MAX_MEMORY_MIB = 1024
"""Of the process, its libraries among it, and of each program that it starts."""


class Watched:
    """A process that reads one file after another; replaced when a file kills it or holds it up."""

    def __init__(self, out: Path) -> None:
        """Start nothing yet; `out` is the folder for results."""
        self.slowest_s = 0.0
        """The most processor time that any file has taken."""
        self.most_mib = 0
        """The most memory that any file has taken."""
        self._out = out
        self._process: multiprocessing.process.BaseProcess | None = None

    def read(self, name: str, path: Path) -> str:
        """Read a file.

        Args:
            name: A target, one of `testkit.fuzz.targets.TARGETS`.
            path: The file.

        Returns:
            "" or "refused: …" where all is well, else "traceback: …", "crash: …", "memory: …",
            "slow: …" or "hang".
        """
        if self._process is None:
            self._start()
        assert self._process is not None
        self._connection.send((name, path, self._out))
        try:
            if self._connection.poll(HANGS_AFTER_S):
                outcome, used_mib, cpu_s = self._connection.recv()
                self.slowest_s = max(self.slowest_s, cpu_s)
                self.most_mib = max(self.most_mib, used_mib)
                if used_mib > MAX_MEMORY_MIB:
                    self.close()  # the next file is not to answer for this one's
                    return f"memory: {used_mib} MiB; {outcome}"
                return f"slow: {cpu_s:.0f} s; {outcome}" if cpu_s > MAX_CPU_S else str(outcome)
            outcome = "hang"
        except (EOFError, OSError):
            self._process.join(5)
            outcome = f"crash: {self._process.exitcode}"
        self.close()
        return outcome

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        assert self._connection.poll(STARTS_WITHIN_S), "the reading process does not start"
        self._connection.recv()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(connection: Connection) -> None:
    from testkit.fuzz.targets import read

    mute_opencv()
    connection.send("ready")
    while True:
        try:
            name, path, out = connection.recv()
        except EOFError:
            return
        _forget_peak()
        before_s = _cpu_s()
        try:
            reason = read(name, path, out)
            outcome = f"refused: {reason}" if reason else ""
        except BaseException:
            outcome = f"traceback: {traceback.format_exc()}"
        connection.send((outcome, _peak_mib(), _cpu_s() - before_s))


def _cpu_s() -> float:
    """Processor time of this process, and of the programs it started that have ended."""
    used = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _forget_peak() -> None:
    """Let this process's peak of memory begin anew; that of programs that it starts stays."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> int:
    """The most memory that this process took, or any program that it started."""
    own = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    programs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(int(own[1]) if own else 0, programs) >> 10
