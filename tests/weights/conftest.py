"""A store in a temporary folder, and a server on loopback to fetch from."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.weights.made_files import Server
from weights import fetch
from weights.store import Entry, Store


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Store]:
    def build(*entries: Entry) -> Store:
        return Store(
            {entry.name: entry for entry in entries}, tmp_path / "repository", tmp_path / "cache"
        )

    return build


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetch, "RETRY_PAUSE_S", 0.0)
    with Server() as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()
