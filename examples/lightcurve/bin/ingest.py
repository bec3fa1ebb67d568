"""Ingest the CSV files of a folder into an SQLite table, each file once.  Usage: ingest.py FOLDER DATABASE."""

import contextlib
import csv
import sqlite3
import sys
from pathlib import Path


def ingest(folder: Path, database: Path) -> tuple[int, int]:
    """Take in what is new; answers how many files and rows that was."""
    database.parent.mkdir(exist_ok=True)
    files = rows = 0
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS photometry (obs_time REAL, mag REAL, mag_err REAL, night TEXT)"
        )
        known = {night for (night,) in connection.execute("SELECT DISTINCT night FROM photometry")}
        for path in sorted(folder.glob("*.csv")):
            if path.stem in known:
                continue
            with path.open(newline="") as file, connection:
                found = [(row["obs_time"], row["mag"], row["mag_err"], path.stem) for row in csv.DictReader(file)]
                connection.executemany("INSERT INTO photometry VALUES (?, ?, ?, ?)", found)
            files += 1
            rows += len(found)
    return files, rows


print("{} new files, {} rows".format(*ingest(Path(sys.argv[1]), Path(sys.argv[2]))))
