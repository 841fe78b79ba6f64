"""SIGTERM, whenever it comes."""

import subprocess
import sys

DELETING = """
import os, signal, time
from pipeline.runtime.signals import end_on_sigterm

class Slow:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

end_on_sigterm()
slow = Slow()
try:
    del slow
    time.sleep(20)
finally:
    print("cleared away")
"""


def test_sigterm_while_an_object_is_deleted_still_ends_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DELETING], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "cleared away\n", "")
