"""A short soak: nothing grows, and nothing is left behind.  ``make soak`` is the long one."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import Sample, faults_of

ROOT = Path(__file__).parent.parent.parent


def samples(**ends: int) -> list[Sample]:
    """Forty looks at a process; each field rises evenly to what it is said to be in the end."""
    begin = Sample(
        seconds=0, runs=0, memory_kilobytes=100_000, objects=100_000, threads=16, files=20, state_megabytes=1
    )
    now: dict[str, Any] = begin._asdict()
    return [
        Sample(**now | {name: now[name] + (end - now[name]) * step // 39 for name, end in ends.items()})
        for step in range(40)
    ]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ({}, []),
        ({"memory_kilobytes": 103_000, "objects": 102_000, "files": 22}, []),
        ({"memory_kilobytes": 120_000}, ["memory kilobytes grew from 107,692 to 117,948"]),
        ({"objects": 140_000}, ["objects grew from 115,384 to 135,897"]),
        ({"threads": 40}, ["threads grew from 25 to 37"]),
        ({"files": 60}, ["files grew from 35 to 55"]),
    ],
)
def test_growth_is_noticed(ends: dict[str, int], said: list[str]) -> None:
    assert faults_of(samples(**ends), most_growth=1.05) == said


@pytest.mark.timeout(180)
def test_a_daemon_with_failing_jobs_and_edited_rds_keeps_its_size() -> None:
    # So few runs do not make it warm; that memory stays within five percent is for the long soak to show.
    command = [sys.executable, "-m", "benchmarks.soak", "--runs", "8000", "--keep", "1000", "--most-growth", "1.25"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    failed = re.search(r"failed ([\d,]+)", done.stdout)
    assert failed is not None
    assert int(failed[1].replace(",", "")) > 2000
    assert done.stdout.endswith("nothing grew\n")
