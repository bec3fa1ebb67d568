"""Milliseconds of CPU that an idle daemon uses in SECONDS, and its peak memory in MB; COUNT executes are far off.

Usage: idle.py COUNT SECONDS.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start a daemon on a tree of RDs with a hundred executes each, let it settle, and look."""
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        inputs = Path(name, "inputs")
        for number in range(max(1, count // 100)):
            path = inputs / f"r{number}" / "q.rd"
            path.parent.mkdir(parents=True)
            executes = "".join(
                f'<execute id="e{index}" title="t" at="m{index % 28 + 1} 1:00"><job><code>pass</code></job></execute>\n'
                for index in range(min(count, 100))
            )
            path.write_text(f'<resource schema="x" resdir=".">\n{executes}</resource>\n')
        with subprocess.Popen(
            [sys.executable, "-m", "gavo_exec", "serve", str(inputs), "--state-dir", str(Path(name, "state"))],
            stderr=subprocess.PIPE,
            text=True,
        ) as daemon:
            assert daemon.stderr is not None
            for line in daemon.stderr:
                if "ready" in line:
                    break
            time.sleep(2)
            before = cpu_seconds(daemon.pid)
            time.sleep(seconds)
            used = cpu_seconds(daemon.pid) - before
            status = Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
            daemon.terminate()
            daemon.stderr.read()
        print(used * 1000, peak / 1024)


main()
