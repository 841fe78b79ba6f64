import subprocess
import sys

import pytest

from core.limits import usable_cores

LIMITED = """
import threading, time
import numpy as np
from pipeline.runtime.threads import limit_numpy
limit_numpy({count})
a = np.ones((2000, 2000))
a @ a
wall, cpu = time.perf_counter(), time.process_time()
own = time.thread_time()
for _ in range(5):
    a @ a
print((time.process_time() - cpu) - (time.thread_time() - own))
"""


@pytest.mark.skipif(usable_cores() < 2, reason="on one core there are no other threads")
@pytest.mark.parametrize(("count", "works_alone"), [(1, True), (2, False)])
def test_numpy_multiplies_by_as_many_threads_as_it_may(count: int, works_alone: bool) -> None:
    command = [sys.executable, "-c", LIMITED.format(count=count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (float(done.stdout) < 0.05) == works_alone, "core-seconds of other threads"
