"""The project beside its peers and the bare floor: each contender in its own process, in turns; medians and ratios.

Usage: run.py [--quick]
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPEATS = 2 if "--quick" in sys.argv else 5


def figures(*command: str) -> list[float]:
    """What one run of a contender prints."""
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return [float(word) for word in done.stdout.split()]


def medians(commands: dict[str, tuple[str, ...]], repeats: int = REPEATS) -> dict[str, list[float]]:
    """The medians of each contender's figures; the contenders take turns, so that a noisy machine is fair."""
    found: dict[str, list[list[float]]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            found[name].append(figures(*command))
    return {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}


def table(title: str, rows: dict[str, list[float]], *, against: str, unit: str) -> None:
    """Print medians, and ratios to one of the contenders."""
    print(f"\n{title} (medians of {REPEATS}; ratio to {against})")
    for name, values in rows.items():
        shown = "  ".join(f"{value:10.2f}" for value in values)
        ratios = "  ".join(f"{value / base:8.2f}x" for value, base in zip(values, rows[against], strict=True) if base)
        print(f"  {name:34} {shown} {unit}   {ratios}")
    sys.stdout.flush()


def dispatch(count: int) -> None:
    """Goals 1 to 3."""
    seconds = medians(
        {
            "floor": ("-m", "benchmarks.dispatch", "floor", str(count)),
            "gavo-exec, nothing kept": ("-m", "benchmarks.dispatch", "null", str(count)),
            "gavo-exec, everything on": ("-m", "benchmarks.dispatch", "durable", str(count)),
            "APScheduler 3.11": ("-m", "benchmarks.dispatch", "apscheduler", str(count)),
        }
    )
    rates = {name: [count / value[0]] for name, value in seconds.items()}
    table(f"{count} no-op executes due at one instant: starts a second", rates, against="APScheduler 3.11", unit="/s")


def lateness(count: int, seconds: int) -> None:
    """Goal 4."""
    arguments = (str(count), str(seconds))
    rows = medians(
        {name: ("-m", "benchmarks.lateness", name, *arguments) for name in ("floor", "durable", "apscheduler")}
    )
    table(f"{count} executes over {seconds} s: lateness p50, p99, max", rows, against="apscheduler", unit="ms")


def reading(count: int, size: int, *kind: str) -> None:
    """Goals 9 and 10."""
    arguments = (str(count), str(size), *kind)
    rows = medians({name: ("-m", "benchmarks.reading", name, *arguments) for name in ("lxml", "gavo-exec")})
    what = "without anything that concerns executes" if kind else "with executes"
    table(f"reading {count} RDs of {size} bytes {what}", rows, against="lxml", unit="ms")


def tree(count: int, size: int) -> None:
    """Goal 11, and the memory that a large tree takes."""
    rows = medians({"gavo-exec": ("-m", "benchmarks.tree", str(count), str(size))}, repeats=3)
    seconds, memory, reading_ms, renewal_ms, users_ms = rows["gavo-exec"]
    print(f"\na tree of {count} RDs of {size} bytes: taken up in {seconds:.1f} s, memory {memory:.0f} MB more")
    print(f"  one edited file: {renewal_ms:.2f} ms, {renewal_ms / reading_ms:.2f}x reading it")
    print(f"  an edited stream with ten users: {users_ms:.2f} ms, {users_ms / reading_ms / 11:.2f}x reading these")


STARTED = """
import subprocess, sys, time
times = []
for _ in range(10):
    begin = time.perf_counter()
    subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
    times.append(time.perf_counter() - begin)
print(1000 * sorted(times)[5])
"""


def start_up() -> None:
    """Goal 15."""
    command = str(Path(sys.executable).with_name("gavo-exec"))
    rows = medians(
        {
            "python -c pass": ("-c", STARTED, sys.executable, "-c", "pass"),
            "gavo-exec --version": ("-c", STARTED, command, "--version"),
        }
    )
    table("start of the command", rows, against="python -c pass", unit="ms")


def idle() -> None:
    """Goals 7 and 8."""
    rows = medians({"gavo-exec": ("-m", "benchmarks.idle", "10000", "20")}, repeats=1)
    used, peak = rows["gavo-exec"]
    print(f"\nan idle daemon with 10000 executes: {used:.0f} ms of CPU in 20 s, peak memory {peak:.1f} MB")


if __name__ == "__main__":
    start_up()
    reading(1000, 3000)
    reading(1000, 60_000)
    reading(1000, 60_000, "without")
    tree(5000, 60_000)
    dispatch(10_000)
    lateness(1000, 10)
    idle()
