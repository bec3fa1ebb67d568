"""The project beside its peers and the bare floor: each contender in its own process, in turns; medians and ratios.

Usage: run.py [--quick] [FIGURE ...]

``--quick`` shows that everything runs, with counts too small to mean anything.  cronstable is a daemon that runs
commands, without an interface for programs: it can be compared as a whole, and in how it finds the next instant, but
not in what runs within the process.
"""

import argparse
import importlib.util
import operator
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import FIGURES, Figure, Found, Goal, sized

ROOT = Path(__file__).parent.parent


def start(command: Sequence[str]) -> "subprocess.Popen[str]":
    """Start one run of a contender."""
    argv = [sys.executable, "-m", f"benchmarks.{command[0]}", *command[1:]]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: "subprocess.Popen[str]", *, columns: int) -> list[float]:
    """What it printed; raises RuntimeError where it failed, or printed something else."""
    said, complaint = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args!r} failed:\n{complaint}")
    values = [float(word) for word in said.split()]
    if len(values) != columns:
        raise RuntimeError(f"{process.args!r} printed {len(values)} values, not {columns}:\n{said}")
    return values


def measure(figure: Figure) -> Found:
    """The medians of each contender's values; the contenders take turns, so that a noisy machine is fair."""
    found: dict[str, list[list[float]]] = {name: [] for name in figure.contenders}
    if figure.at_once:  # what they wait for, they can wait for together
        every = [(name, start(command)) for name, command in figure.contenders.items() for _ in range(figure.repeats)]
        for name, process in every:
            found[name].append(end(process, columns=len(figure.columns)))
    else:
        for _ in range(figure.repeats):
            for name, command in figure.contenders.items():
                found[name].append(end(start(command), columns=len(figure.columns)))
    return {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}


def rows_of(figure: Figure, found: Found) -> Iterator[str]:
    """The table of a figure: medians, and ratios to one of the contenders."""
    width = max(map(len, found))
    ratio_to = f", x {figure.against}" if figure.against else ""
    yield f"\n{figure.title} (medians of {figure.repeats}{ratio_to})"
    yield "  ".join((f"  {'':{width}}", *(f"{column:>20}" for column in figure.columns)))
    for name, values in found.items():
        cells = []
        for value, base in zip(values, found.get(figure.against, values), strict=True):
            ratio = f" {value / base:7.2f}x" if figure.against and base else ""
            cells.append(f"{shown(value) + ratio:>20}")
        yield "  ".join((f"  {name:{width}}", *cells))


def shown(value: float) -> str:
    """A value with as many digits as mean something."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


class Verdict(NamedTuple):
    """A goal, and what was measured."""

    goal: Goal
    value: float

    @property
    def is_reached(self) -> bool:
        """Whether it is reached."""
        return bool({"<=": operator.le, ">=": operator.ge}[self.goal.compare](self.value, self.goal.bound))

    def __str__(self) -> str:
        goal = self.goal
        word = "reached" if self.is_reached else "MISSED "
        return f"  goal {goal.number:>2} {word}  {shown(self.value):>9} {goal.compare} {goal.bound:<6g} {goal.what}"


def verdicts(figure: Figure, results: Mapping[str, Found]) -> Iterator[Verdict]:
    """What can be said of a figure's goals: all that they need has been measured."""
    for goal in figure.goals:
        if {goal.other, figure.name} - {""} <= results.keys():
            yield Verdict(goal, goal.value(results[figure.name], results.get(goal.other, {})))


def without_absent(figure: Figure) -> Figure:
    """The figure without contenders that are not installed here; says so."""
    absent = [name for name in figure.contenders if name == "cronstable" and importlib.util.find_spec(name) is None]
    if not absent:
        return figure
    print(f"\n{figure.title}: without cronstable, which is not installed (make bench does that)")
    return figure._replace(contenders={name: c for name, c in figure.contenders.items() if name not in absent})


def main(arguments: Sequence[str] | None = None, *, say: Callable[..., object] = print) -> int:
    """Measure and print; answers how many figures could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description="The project beside its peers and the bare floor.")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"one of: {', '.join(FIGURES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny counts, one run each: shows that it all runs")
    asked = parser.parse_args(arguments)
    begin = time.monotonic()
    figures = sized(is_quick=asked.quick)
    if unknown := set(asked.figures) - {figure.name for figure in figures}:
        parser.error(f"there is no figure {', '.join(sorted(unknown))}")
    results: dict[str, Found] = {}
    reached: list[Verdict] = []
    failed: list[str] = []
    for figure in map(without_absent, figures):
        if not asked.figures or figure.name in asked.figures:
            try:
                results[figure.name] = measure(figure)
            except RuntimeError as fault:  # the others can be measured all the same
                say(f"\n{figure.title}: {fault}")
                failed.append(figure.name)
                continue
            for line in rows_of(figure, results[figure.name]):
                say(line)
            for verdict in verdicts(figure, results):
                say(verdict)
                reached.append(verdict)
            sys.stdout.flush()
    missed = [verdict for verdict in reached if not verdict.is_reached]
    say(f"\n{len(reached) - len(missed)} goals reached, {len(missed)} missed, in {time.monotonic() - begin:.0f} s")
    for verdict in missed:
        say(verdict)
    if failed:
        say(f"could not be measured: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
