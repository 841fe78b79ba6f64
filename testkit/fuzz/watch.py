"""A process that reads files, watched from outside for crashes and hangs."""

import multiprocessing
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

HANGS_AFTER_S = 30.0
STARTS_WITHIN_S = 300.0


class Watched:
    """A process that reads one file after another; replaced when a file kills it or holds it up."""

    def __init__(self, out: Path) -> None:
        """Start nothing yet; `out` is the folder for results."""
        self.slowest_s = 0.0
        self._out = out
        self._process: multiprocessing.process.BaseProcess | None = None

    def read(self, name: str, path: Path) -> str:
        """Read a file.

        Args:
            name: A target, one of `testkit.fuzz.targets.TARGETS`.
            path: The file.

        Returns:
            "" or "refused: …" where all is well, else "traceback: …", "crash: …" or "hang".
        """
        if self._process is None:
            self._start()
        assert self._process is not None
        started = time.monotonic()
        self._connection.send((name, path, self._out))
        try:
            if self._connection.poll(HANGS_AFTER_S):
                outcome = str(self._connection.recv())
                self.slowest_s = max(self.slowest_s, time.monotonic() - started)
                return outcome
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

    connection.send("ready")
    while True:
        try:
            name, path, out = connection.recv()
        except EOFError:
            return
        try:
            reason = read(name, path, out)
            connection.send(f"refused: {reason}" if reason else "")
        except BaseException:
            connection.send(f"traceback: {traceback.format_exc()}")
