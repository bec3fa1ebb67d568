"""Simulate one night of photometry of a pulsating star and write it to data/NIGHT.csv."""

import csv
import math
import random
import time
from pathlib import Path

PERIOD_DAYS = 0.5668
AMPLITUDE_MAG = 0.45


def observe(start: float, *, exposures: int = 40) -> list[tuple[float, float, float]]:
    """Julian dates, magnitudes and their errors: an RR Lyrae star of magnitude 12 with steep rises."""
    rows = []
    for number in range(exposures):
        jd = start + number * 0.008
        phase = jd / PERIOD_DAYS % 1
        magnitude = 12 + AMPLITUDE_MAG * (math.sin(2 * math.pi * phase) + 0.35 * math.sin(4 * math.pi * phase))
        error = random.uniform(0.01, 0.03)
        rows.append((jd, random.gauss(magnitude, error), error))
    return rows


def main() -> None:
    """Write one night."""
    data = Path("data")
    data.mkdir(exist_ok=True)
    known = len(list(data.glob("*.csv")))
    if known >= 60:
        print(f"{known} nights are enough; the telescope is closed")
        return
    name = f"night-{time.time_ns() // 1_000_000}"
    rows = observe(2_461_000.25 + known)
    # Written aside and renamed, so that nobody ever ingests half a night.
    partial = data / f".{name}.partial"
    with partial.open("w", newline="") as file:
        csv.writer(file).writerows([("obs_time", "mag", "mag_err"), *rows])
    partial.rename(data / f"{name}.csv")
    print(f"{len(rows)} exposures in {name}.csv")


main()
