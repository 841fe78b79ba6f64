"""The page of `--app` as a program of its own, and a browser's part in it."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LONG_S = 600  # a machine may be busy


class App:
    """A running program; requests carry the cookie unless headers say otherwise."""

    def __init__(self, output: Path, *words: str) -> None:
        pytest.importorskip("starlette", reason="no Starlette here: make test-all installs it")
        pytest.importorskip("uvicorn", reason="no uvicorn here: make test-all installs it")
        self.output = output
        command = [sys.executable, str(ROOT / "infer_video.py"), "--app", "-o", str(output), *words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        said = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", self.process.stdout.readline())
        if not said:
            raise AssertionError(self.process.communicate()[1])
        self.port, self.token = int(said[1]), said[2]
        self.cookie = f"video3d_{self.port}={self.token}"

    def ask(
        self, path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LONG_S)
        try:
            given = {"Cookie": self.cookie, **{k.replace("_", "-"): v for k, v in headers.items()}}
            connection.request(method, path, body, {k: v for k, v in given.items() if v})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def upload(self, path: Path, name: str = "", options: str = "%7B%7D") -> dict[str, Any]:
        address = f"/api/clips?name={name or path.name}&options={options}"
        status, said, _ = self.ask(address, "POST", path.read_bytes())
        assert status == 201, said
        return dict(json.loads(said))

    def clips(self) -> list[dict[str, Any]]:
        return list(json.loads(self.ask("/api/clips")[1]))

    def clip(self, clip_id: str) -> dict[str, Any]:
        return next(clip for clip in self.clips() if clip["id"] == clip_id)

    def until(self, clip_id: str, *wanted: str) -> dict[str, Any]:
        """Wait until a clip has one of some statuses, or its stage is one."""
        for _ in range(LONG_S * 20):
            clip = self.clip(clip_id)
            stage = (clip["progress"] or {}).get("stage")
            if clip["status"] in wanted or stage in wanted:
                return clip
            time.sleep(0.05)
        raise AssertionError(clip)

    def memory_mb(self) -> float:
        """The most that the program has held so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s*(\d+)", status)[0]) / 1024

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    started = App(tmp_path_factory.mktemp("app"))
    yield started
    started.close()
