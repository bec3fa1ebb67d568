"""The examples are what they say: sound RDs, whose jobs come to what they promise, with the real command."""

import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any, NamedTuple

import pytest

from gavo_exec.settings import load
from tests.acceptance.conftest import text_of

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
RDS = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.rd"))


class Promise(NamedTuple):
    """What a job needs to be run before it, its exit code, and what it says (a regular expression)."""

    first: tuple[str, ...]
    code: int
    says: str


PROMISES = {
    "lightcurve/q#observe": Promise((), 0, r"\A40 exposures in night-\d+\.csv\n"),
    "lightcurve/q#ingest": Promise(("lightcurve/q#observe",), 0, r"\A1 new files, 40 rows\n"),
    "lightcurve/q#plot": Promise(
        ("lightcurve/q#observe", "lightcurve/q#ingest"),
        0,
        r"\A40 points of lightcurve/q plotted to out/lightcurve\.svg\n",
    ),
    "lightcurve/q#compact-the-database": Promise(
        ("lightcurve/q#observe", "lightcurve/q#ingest"), 0, r"\A0 of \d+ bytes were to spare\n"
    ),
    "places/q#coverage": Promise((), 0, r"\A\d{3} places plotted\n"),
    "places/q#report": Promise((), 0, r"\AINFO job: \d+ places are south of the equator\n"),
    "demo/failing#fetch": Promise((), 1, r"looking for m31\.fits in archive/\narchive/: the archive is not mounted\n"),
}


@pytest.fixture
def tree(site: Any) -> Any:
    """A site with the examples as they are in the repository."""
    ignore = ignore_patterns("data", "out", "__pycache__")
    copytree(EXAMPLES, site.inputs, ignore=ignore, dirs_exist_ok=True)
    return site


@pytest.mark.parametrize("name", RDS)
def test_an_rd_is_read_without_a_word(tree: Any, name: str) -> None:
    assert tree.json("check", str(tree.inputs / name)) == []
    assert re.search(r"^1 RD, [1-9]\d* executes?: 0 errors, 0 warnings$", tree.run("check", str(tree.inputs / name)))


def test_every_job_promises_something(tree: Any) -> None:
    assert {job["key"] for job in tree.json("list")} == set(PROMISES)


@pytest.mark.parametrize("key", PROMISES)
def test_a_job_comes_to_what_it_promises(tree: Any, key: str) -> None:
    promise = PROMISES[key]
    for earlier in promise.first:
        tree.run("execute", earlier)
    said = tree.run("execute", key, code=promise.code)
    assert re.search(promise.says, said), said
    run = tree.json("history", key)[0]
    assert run["outcome"] == ("failed" if promise.code else "succeeded")
    mails = tree.mails()
    if promise.code:
        [mail] = mails
        assert mail["Subject"] == f"[vo] FAILED {key}: exit 3: archive/: the archive is not mounted"
        assert f"To run it again:  gavo-exec execute {key}" in text_of(mail)
    else:
        assert mails == []


@pytest.mark.parametrize("key", [key for key, promise in PROMISES.items() if not promise.code])
def test_no_good_job_fails_for_being_run_first(tree: Any, key: str) -> None:
    tree.run("execute", key)


def dots(path: Path) -> int:
    """How many points there are in a plot."""
    return sum(1 for _ in ET.parse(path).iter("{http://www.w3.org/2000/svg}circle"))


def stored(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM photometry")
    return int(count)


def test_nights_are_observed_ingested_once_and_plotted(tree: Any) -> None:
    for key in ("observe", "ingest", "observe", "ingest", "ingest", "plot"):
        tree.run("execute", f"lightcurve/q#{key}")
    out = tree.inputs / "lightcurve" / "out"
    assert stored(out / "photometry.sqlite") == 80
    assert dots(out / "lightcurve.svg") == 80


def test_the_map_has_the_places_of_the_time_zone_database(tree: Any) -> None:
    tree.run("execute", "places/q#coverage")
    text = (tree.inputs / "places" / "out" / "coverage.svg").read_text(encoding="utf-8")
    assert "Europe/Berlin" in text
    assert dots(tree.inputs / "places" / "out" / "coverage.svg") > 300


def test_the_settings_lead_from_the_checkout_to_the_tree_and_to_the_state_of_make_run() -> None:
    settings = load(flags={}, environ={}, path=str(EXAMPLES / "gavo-exec.toml"))
    assert settings.inputs_dir == str(EXAMPLES)
    assert settings.state_dir == str(ROOT / "var")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\n\t$(BIN)/gavo-exec serve examples --state-dir var\n" in makefile


SHAPES: dict[str, Callable[[str], bool]] = {
    "a time each night": lambda text: re.search(r'at="\d+:\d\d"', text) is not None,
    "a program of its own": lambda text: "execDef.spawnPython(" in text,
    "a module in the daemon's process": lambda text: "utils.loadPythonModule(" in text,
    "any command": lambda text: "execDef.spawn([" in text,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_examples_show_each_shape_of_a_job(shape: str) -> None:
    assert any(SHAPES[shape]((EXAMPLES / name).read_text(encoding="utf-8")) for name in RDS)


def test_the_page_about_the_examples_has_every_job() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([^`]+#[^`]+)` \|", page, flags=re.MULTILINE)) == set(PROMISES)
