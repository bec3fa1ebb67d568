"""Milliseconds until a command has ended, the median of TIMES.  Usage: starting.py CONTENDER TIMES."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "gavo-exec": [str(Path(sys.executable).with_name("gavo-exec")), "--version"],
}

if __name__ == "__main__":
    times = []
    for _ in range(int(sys.argv[2])):
        begin = time.perf_counter()
        subprocess.run(COMMANDS[sys.argv[1]], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begin)
    print(statistics.median(times) * 1000)
