"""A user's first minute with the app: seconds from the command to the page of the sample clip.

    python -m benchmarks.app              # the sample; or a clip's path

Networks and the sample are fetched before the clock starts, as `make app` does.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.options import Parser
from testkit.command_lines import existing, run_benchmark
from weights.store import resolve

ROOT = Path(__file__).parents[1]
EDIT = {"kind": "point", "person": 1, "frame": 60, "joint": "left_wrist", "position_px": [400, 300]}


class Page:
    """A browser's part: the cookie, and requests."""

    def __init__(self, address: str) -> None:
        port, self._token = re.findall(r"127\.0\.0\.1:(\d+)/\?token=(\S+)", address)[0]
        self._port = int(port)

    def ask(self, path: str, method: str = "GET", body: bytes = b"") -> bytes:
        connection = HTTPConnection("127.0.0.1", self._port)
        cookie = f"video3d_{self._port}={self._token}"
        connection.request(method, path, body, {"Cookie": cookie})
        return connection.getresponse().read()

    def clip(self) -> dict[str, Any]:
        return dict(json.loads(self.ask("/api/clips"))[0])

    def until_done(self, tell: Any = lambda stage: None) -> dict[str, Any]:
        """Wait until the clip is done; `tell` is called with every stage once."""
        stages = []
        while (clip := self.clip())["status"] in ("waiting", "running"):
            stage = (clip["progress"] or {"stage": "waiting"})["stage"]
            if stage not in stages:
                stages.append(stage)
                tell(stage)
            time.sleep(0.05)
        assert clip["status"] == "done", clip["reason"]
        return clip


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=existing, help="a video; the sample without")
    clip = parser.parse_args().clip or resolve("demo-clip")
    if not clip.is_file():
        parser.error(f"{clip}: is no file")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()

        def tell(what: str) -> None:
            print(f"{time.perf_counter() - start:6.1f} s  {what}", flush=True)

        command = [sys.executable, str(ROOT / "infer_video.py"), "--app", "-o", folder]
        app = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert app.stdout is not None
            page = Page(app.stdout.readline())
            tell("the address is printed")
            page.ask(f"/api/clips?name={quote(clip.name)}", "POST", clip.read_bytes())
            tell("the clip is copied")
            done = page.until_done(tell)
            tell(f"done: {done['people']} people in {done['frames']} frames")
            size = len(page.ask(f"/clips/{done['id']}/"))
            tell(f"the page with the turning figures is sent, {size / 1e3:.0f} kB")
            start = time.perf_counter()
            edits = json.dumps({"format_version": 1, "edits": [EDIT]}).encode()
            page.ask(f"/api/clips/{done['id']}/corrections", "PUT", edits)
            page.until_done()
            tell("after a corrected point: lifted again")
        finally:
            app.terminate()
            app.wait()


if __name__ == "__main__":
    run_benchmark(main)
