"""An hour exports in the memory of minutes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_LIMIT_MIB = 40
"""By which an hour may need more than three minutes; its rows take 90 MiB."""

SCRIPT = """
import resource, sys
from pathlib import Path
from pipeline.export.base import write_exports
from testkit.made.long_result import long_result
folder, minutes, name = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
result = long_result(folder, minutes)
written = write_exports(result, [name], folder)
assert written.failures == [], written
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mib(folder: Path, minutes: float, name: str) -> int:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), str(minutes), name],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."}, check=False,
        cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("name", ["csv", "parquet", "trc"])
def test_an_hour_needs_no_more_memory_than_three_minutes(name: str, tmp_path: Path) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="the extra export is not installed")
    short, long = (peak_mib(tmp_path / f"{minutes}", minutes, name) for minutes in (3, 60))
    assert long - short < _LIMIT_MIB
