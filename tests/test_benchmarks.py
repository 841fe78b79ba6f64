"""A benchmark that is asked for something wrong says so in one line, and at once."""

import runpy
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
NAMES = [
    ".".join(("benchmarks", *path.relative_to(BENCHMARKS).with_suffix("").parts))
    for path in sorted(BENCHMARKS.rglob("*.py"))
    if "run_benchmark(main)" in path.read_text()
]
MISSING = {
    "app": "no.mp4",
    "compare_mediapipe": "no.mp4",
    "contacts": "no.bvh",
    "framing": "no.mp4",
    "hard_shots": "--mocap no --makehuman no",
    "hostile": "no",
    "multiview": "no no.trc no.toml",
    "several.cost": "no.mp4",
    "several.pairs": "no no.trc no.toml --singles no",
    "speed": "--portrait no.mp4",
    "train": "--videopose3d no",
    "views": "no no.png",
}
WRONG = {
    "contacts": "--lifter no --no-sample",
    "live": "-1",
    "memory": "--minutes nan",
    "several.scenes": "--seeds 0",
    "tracking": "nonsense",
    "train": "-d no",
}


def said_by(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit status of `python -m name words`."""
    monkeypatch.setattr(sys, "argv", [name, *words.split()])
    monkeypatch.delitem(sys.modules, name, raising=False)  # imported by another one
    with pytest.raises(SystemExit) as end:
        runpy.run_module(name.removesuffix(".__main__"), run_name="__main__")
    return int(end.value.code or 0)


@pytest.mark.parametrize("name", NAMES)
def test_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said_by(name, "--help", monkeypatch) == 0
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "words"), [*MISSING.items(), *WRONG.items(), *((n, "--no-such") for n in NAMES)]
)
def test_what_is_wrong_is_one_line(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"benchmarks.{name.removeprefix('benchmarks.')}"
    assert said_by(name, words, monkeypatch) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "error: " in said
