"""Bad files end in one line, never in a traceback, a crash or a wait.

`python -m benchmarks.fuzz` tries thousands.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.fuzz.mutate import mutated
from testkit.fuzz.targets import TARGETS
from testkit.fuzz.watch import Watched

CORPUS = Path(__file__).parent / "corpus"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    reader = Watched(tmp_path_factory.mktemp("out"))
    yield reader
    reader.close()


@pytest.mark.parametrize(
    "found", sorted(path for path in CORPUS.glob("*/*") if path.is_file()), ids=lambda p: p.name
)
def test_what_once_did_harm_does_none(watched: Watched, found: Path) -> None:
    outcome = watched.read(found.parent.name, found)
    assert not outcome or outcome.startswith("refused: "), outcome


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_at_random(watched: Watched, name: str, tmp_path: Path) -> None:
    chance, target = random.Random(name), TARGETS[name]
    for seed in target.seeds(tmp_path):
        outcome = watched.read(name, seed)
        assert outcome.startswith("refused: ") if target.is_refused else not outcome, outcome
        path = tmp_path / f"mutated{seed.suffix}"
        path.write_bytes(mutated(seed.read_bytes(), chance, target.text))
        outcome = watched.read(name, path)
        assert not outcome or outcome.startswith("refused: "), outcome


HOSTILE = Path(__file__).parents[3] / "shared" / "data" / "field" / "hostile"
LARGE = {
    "mj_deep.npz": "keypoints",
    "overlap_dup200.npz": "npz",
    "t_manydot.toml": "toml",
    "neighbour.bin": "checkpoint",
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_to_keep_here_does_no_harm(watched: Watched, name: str) -> None:
    path = HOSTILE / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    assert watched.read(LARGE[name], path).startswith("refused: ")
