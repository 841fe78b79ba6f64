"""What the pages say is there: files, and command lines that are understood."""

import re
import shlex
from pathlib import Path

import pytest

from infer_video import make_parser
from train.__main__ import COMMANDS
from train.reproduce.options import parse as parse_train

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "weights" / "lifter.md"]
ROOMS = "core|detectors|lifter|pipeline|train|weights|tests|testkit|benchmarks"
FILES = [*ROOT.glob("*.py"), *(file for r in ROOMS.split("|") for file in (ROOT / r).rglob("*.py"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    named = set(re.findall(rf"`((?:{ROOMS})/[\w/.-]*)`", text))
    assert {name for name in named if not (ROOT / name).exists()} == set()
    modules = set(re.findall(r"`([\w/]+\.py)`", text))
    assert {name for name in modules if not any(file.match(name) for file in FILES)} == set()
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    assert {link for link in links if not (page.parent / link).exists()} == set()


def command_lines(program: str) -> list[str]:
    """The indented lines of all pages that call a program, from its name on."""
    lines = [line for page in PAGES for line in page.read_text().splitlines()]
    pattern = re.compile(rf"^    .*?{re.escape(program)} ([^|#]*)")
    return [found[1].strip() for line in lines if (found := pattern.match(line))]


@pytest.mark.parametrize("line", command_lines("infer_video.py"))
def test_the_command_line_is_understood(line: str) -> None:
    make_parser().parse_intermixed_args(shlex.split(line))


REPRODUCE = [line for line in command_lines("-m train") if line.split()[0] not in COMMANDS]
"""Those of VideoPose3D's flags; the others' are read when they run."""


@pytest.mark.parametrize("line", REPRODUCE)
def test_the_training_line_is_understood(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line.removesuffix("\\"))
    monkeypatch.chdir(ROOT)
    parse_train([word for word in words if word != "--render"])  # which goes on in the next line
