"""The table of the dialect's rows about macros and active tags beside the cases that show them."""

import re
from pathlib import Path

DATA = Path(__file__).parents[2] / "data" / "dialect"
TABLE = DATA / "README-macros-and-active-tags.md"
PARTS = ("s08-", "s13-", "s14-", "s16-")


def named() -> list[str]:
    """The cases that the last columns of the table name."""
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if re.match(r"\| (?!---)", line)]
    return [name for row in rows for name in re.findall(r"\bs\d\d-[\w-]+", row.rsplit("|", 2)[1])]


def test_the_table_names_each_case_once() -> None:
    assert sorted(named()) == sorted(case.name for case in DATA.glob("*/") if case.name.startswith(PARTS))


def test_each_row_has_a_case() -> None:
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    titles = ("| What | Cases |", "| DaCHS | Cases |", "| --- | --- |")
    assert [row for row in rows if row not in titles and "`s" not in row.rsplit("|", 2)[1]] == []
