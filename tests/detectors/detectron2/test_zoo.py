from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pytest

from core.errors import WeightsError
from detectors.detectron2 import zoo as model_zoo
from tests.detectors.detectron2.small_network import library_warns, needs_library


@needs_library
def test_the_short_names_are_those_of_the_librarys_own_table() -> None:
    spec = find_spec("detectron2")
    assert spec is not None
    assert spec.origin is not None
    table = Path(spec.origin).parent.joinpath("model_zoo", "model_zoo.py").read_text()
    for config, weights in model_zoo.MODELS.values():
        assert f'"COCO-Keypoints/{config}": "{weights}"' in table
    for model in model_zoo.MODELS:
        assert model_zoo.zoo_config(model).is_file()


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """A model zoo on this machine, and an empty cache."""
    file = tmp_path.joinpath(
        "served", "detectron2", model_zoo.ZOO_FOLDER, *model_zoo.MODELS["R-50-FPN"]
    )
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(model_zoo, "ZOO_URL", f"http://127.0.0.1:{server.server_port}/detectron2")
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path / "cache"))
    yield server
    server.shutdown()
    server.server_close()


@needs_library
@library_warns
def test_the_zoos_weights_are_fetched_once(zoo: ThreadingHTTPServer, tmp_path: Path) -> None:
    assert not model_zoo.zoo_file("R-50-FPN").exists()
    assert model_zoo.fetch_weights("R-50-FPN") == model_zoo.zoo_file("R-50-FPN")
    assert model_zoo.zoo_file("R-50-FPN").read_bytes() == b"weights"
    (tmp_path / "served").rename(tmp_path / "gone")
    assert model_zoo.fetch_weights("R-50-FPN").read_bytes() == b"weights"


@needs_library
@library_warns
def test_weights_that_cannot_be_fetched_are_named_with_the_folder_to_put_them_in(
    zoo: ThreadingHTTPServer,
) -> None:
    zoo.shutdown()
    zoo.server_close()
    with pytest.raises(WeightsError, match="--d2-weights") as caught:
        model_zoo.fetch_weights("X-101-FPN")
    assert "model_final_5ad38f.pkl" in str(caught.value)
    assert str(model_zoo.zoo_file("X-101-FPN")) in str(caught.value)
    assert not model_zoo.zoo_file("X-101-FPN").exists()
