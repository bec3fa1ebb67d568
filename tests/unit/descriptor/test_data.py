"""Whole RDs beside what the reader makes of them.

Run as a program, this file writes the expectations anew; they are to be looked through before they are kept.
"""

import json
import re
from datetime import date
from pathlib import Path

import msgspec
import pytest

from gavo_exec.descriptor import read
from gavo_exec.errors import CODES, DescriptorError
from gavo_exec.model import ResourceDescriptor

DATA = Path(__file__).parents[2] / "data"
GOOD = sorted(DATA.glob("good/*/*.rd"))
BAD = sorted(DATA.glob("bad/*.rd"))


def read_good(path: Path) -> ResourceDescriptor:
    return read(str(path), inputs_dir=str(DATA / "good"), today=date(2026, 3, 14), thorough=True)


def shown_good(path: Path) -> str:
    """The RD as JSON, with paths below the folder of data."""
    text = json.dumps(msgspec.to_builtins(read_good(path), str_keys=True), indent=1, ensure_ascii=False)
    return text.replace(f"{DATA}/", "") + "\n"


def shown_bad(path: Path) -> str:
    """What operators see of the RD's diagnostics."""
    try:
        diagnostics = read(str(path), inputs_dir=str(DATA / "bad"), thorough=True).warnings
    except DescriptorError as error:
        diagnostics = error.diagnostics
    return "".join(f"{diagnostic.render()}\n" for diagnostic in diagnostics).replace(f"{DATA}/", "")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.parent.name)
def test_a_good_rd_is_read_as_expected(path: Path) -> None:
    assert shown_good(path) == path.with_suffix(".json").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_rd_is_told_as_expected(path: Path) -> None:
    assert shown_bad(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_rd_is_named_after_a_code_it_has(path: Path) -> None:
    code = path.stem.partition("-")[0]
    assert code == "many" or f" {code} " in path.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_code_has_a_bad_rd() -> None:
    of_files_that_cannot_be_kept_here = {"E101", "E103", "E110", "W101"}
    of_cases = {
        code
        for path in (DATA / "dialect").rglob("*.txt")
        for code in re.findall(r"^\S+: ([EW]\d{3}) ", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    codes = {path.stem.partition("-")[0] for path in BAD} - {"many"} | of_cases
    of_what_looks_at_rds = {code for code in CODES if code.startswith(("W6", "N7"))}
    assert codes == CODES.keys() - of_files_that_cannot_be_kept_here - of_what_looks_at_rds


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.parent.name)
def test_each_line_of_a_job_is_found_in_its_line_of_the_file(path: Path) -> None:
    encoding = "iso-8859-1" if path.parent.name == "maintenance" else "utf-8"
    lines = path.read_text(encoding=encoding).split("\n")
    for execute in read_good(path).executes:
        job = execute.job
        source = job.source.splitlines()
        where = job.lines or range(job.first_line, job.first_line + len(source))
        assert len(where) >= len(source)
        for text, line in zip(source, where, strict=False):
            first = re.match(r"\w+|\W*", text.strip())
            there = lines[line - 1]
            # What comes from an entity stands elsewhere.
            assert (first and first[0] in there) or "&" in there, f"{text!r} is not in line {line}: {there!r}"


if __name__ == "__main__":
    for rd in GOOD:
        rd.with_suffix(".json").write_text(shown_good(rd), encoding="utf-8")
    for rd in BAD:
        rd.with_suffix(".txt").write_text(shown_bad(rd), encoding="utf-8")
