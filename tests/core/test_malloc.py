"""What threads allocate from."""

import subprocess
import sys

import pytest

COUNTED = """
import ctypes, re, sys, tempfile, threading
from core.limits import share_arenas

if sys.argv[1] == "shared":
    share_arenas()
all_there = threading.Barrier(6)

def work():
    block = bytearray(10_000)
    all_there.wait()

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
c = ctypes.CDLL(None)
c.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    file = ctypes.c_void_p(c.fopen(told.name.encode(), b"w"))
    c.malloc_info(0, file)
    c.fclose(file)
    print(len(re.findall("<heap ", open(told.name).read())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="arenas are glibc's")
def test_threads_share_two_arenas() -> None:
    def arenas(how: str) -> int:
        command = [sys.executable, "-c", COUNTED, how]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert arenas("each its own") > 2
    assert arenas("shared") <= 2
