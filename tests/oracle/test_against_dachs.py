"""The cases of the dialect beside what DaCHS itself makes of them, where it is installed.

DaCHS is asked in a process of its own; what Python has it is said by ``GAVO_EXEC_DACHS_PYTHON`` (default: Debian's).
Where it makes something else of an RD, or refuses what is taken here, or takes what is refused here, the case is in one
of the tables, with the reason.
"""

import ast
import json
import os
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[1] / "data" / "dialect"
PYTHON = os.environ.get("GAVO_EXEC_DACHS_PYTHON", "/usr/bin/python3")
CHILD = Path(__file__).with_name("dachs.py")

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(900)]


@cache
def answers() -> Mapping[str, dict[str, Any]]:
    """What DaCHS makes of all RDs of the cases, by their paths below the folder of cases."""
    paths = [path for suffix in ("json", "txt") for path in DATA.rglob(f"*.{suffix}")]
    rds = sorted({path.with_suffix(".rd") for path in paths if path.with_suffix(".rd").exists()})
    tasks = []
    for rd in rds:
        case = DATA / rd.relative_to(DATA).parts[0]
        config_dir = str(case / "etc") if (case / "etc").is_dir() else ""
        tasks.append(json.dumps({"inputs_dir": str(case), "config_dir": config_dir, "path": str(rd)}))
    done = subprocess.run(
        [PYTHON, str(CHILD)], input="\n".join(tasks), capture_output=True, text=True, check=True, timeout=600
    )
    found = map(json.loads, done.stdout.splitlines())
    return {str(rd.relative_to(DATA)): answer for rd, answer in zip(rds, found, strict=True)}


@pytest.fixture(scope="module", autouse=True)
def _dachs() -> None:
    try:
        subprocess.run([PYTHON, "-c", "import gavo"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("DaCHS is not installed")


def body(source: str, *, is_function: bool) -> list[str]:
    """The statements of code, without regard to how it is laid out; ``pass`` is nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    statements = tree.body[0].body if is_function else tree.body  # type: ignore[attr-defined]
    return [ast.dump(node) for node in statements if not isinstance(node, ast.Pass)]


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """What differs in an execute."""
    for field in ("id", "title", "at", "every", "debug", "properties"):
        if ours.get(field) != theirs.get(field):
            yield field
    if body(ours.get("function_source", ""), is_function=False) != body(theirs["function"], is_function=True):
        yield "function"
    if body(ours.get("setup_source", ""), is_function=False) != body(theirs["setup"], is_function=False):
        yield "setup"


def is_same(path: str, answer: Mapping[str, Any]) -> bool:
    """Whether all executes of an RD are here what they are there."""
    ours = json.loads((DATA / path).with_suffix(".json").read_text(encoding="utf-8"))
    pairs = zip_longest(ours, answer["executes"], fillvalue={"function": "def f(): pass", "setup": "", "at": None})
    return not any(list(differences(one, other)) for one, other in pairs)


def good() -> list[str]:
    """The RDs that are good here."""
    return sorted(path for path in answers() if (DATA / path).with_suffix(".json").exists())


TAKEN_OTHERWISE = {
    "repeated at elements add up here": [
        "s03-at-adds-up/q.rd",
        "s13-within-execute/q.rd",
        "s16-misread-times/repeated.rd",
    ],
    "DaCHS forgets that a parameter is late where its setup is copied": [
        "s07-original-procdef/q.rd",
        "s07-original-too-late/any-order.rd",
    ],
    "DaCHS is asked after the whole RD was read, with the last definition of the macro": [
        "s08-macdef-redefined/night/q.rd"
    ],
    "the cases have a date of their own": [
        "s08-today-empty-test/q.rd",
        "s13-expanded-on-replay/q.rd",
        "s13-standard-macros-on-replay/q.rd",
    ],
}
"""What is good in both, and not the same."""

REFUSED_THERE = {
    "it is newer than DaCHS 2.7": ["s03-blank-elements/q.rd", "s15-on-loaded-among-others/q.rd", "s15-on-loaded/q.rd"],
    "the site of the cases is not that of the DaCHS which is asked": [
        "s01-system/in-full.rd",
        "s01-system/q.rd",
        "s01-user-config-built-in/q.rd",
        "s01-user-config/q.rd",
        "s07-procdef/q.rd",
        "s08-meta-string/q.rd",
        "s13-not-needed/q.rd",
        "s13-system-rds/q.rd",
        "s14-what-the-site-says/q.rd",
    ],
    "only what concerns executes is read": [
        "s01-prefixes-and-ids-elsewhere/q.rd",
        "s02-text/resource.rd",
        "s03-case/execute.rd",
        "s04-execute-elsewhere/q.rd",
        "s04-other-elements/q.rd",
        "s07-name-and-doc/procdef.rd",
        "s07-unused-procdefs/q.rd",
        "s08-macdef-expanded-once/night/unused.rd",
        "s08-macdef-names/q.rd",
        "s08-macdef-takes-no-arguments/missing.rd",
        "s11-sources/q.rd",
        "s13-broken-other-rd/top.rd",
        "s13-code-items-refused/notneeded.rd",
        "s13-feed-in-a-stream/q.rd",
        "s13-only-what-concerns-executes/q.rd",
        "s14-metadata-stops-nothing/q.rd",
        "s16-errors-elsewhere-stop-nothing/q.rd",
    ],
    "namespaces are for editors": ["s02-namespaces/q.rd", "s16-namespaces/q.rd"],
    "a schema, or the last of two values, may be missing or bad": [
        "s03-last-wins-even-over-faults/q.rd",
        "s03-null/q.rd",
        "s04-no-schema/obs/below.rd",
        "s04-no-schema/obs/misspelt.rd",
        "s04-no-schema/obs/null.rd",
        "s04-no-schema/obs/q.rd",
        "s16-crashes-are-diagnostics/noschema.rd",
    ],
    "code may be laid out as in Python": [
        "s07-margin/q.rd",
        "s07-only-comments/q.rd",
        "s08-backslash-at-line-end/q.rd",
        "s16-comments-and-margins/q.rd",
    ],
    "setup code is not run while RDs are read": [
        "s07-order/q.rd",
        "s07-original-setup/q.rd",
        "s16-crashes-are-diagnostics/setup.rd",
    ],
    "across files there is no order": ["s01-each-other/b.rd"],
    "replays know the macros of the RD, and comments may have unknown ones": [
        "s08-unknown-macros/comment.rd",
        "s13-comments-in-streams/q.rd",
        "s13-macdefs-beat-nothing-in-replays/q.rd",
        "s13-the-rd-unescaped/deep/q.rd",
        "s16-the-rd-in-replays/sub/q.rd",
    ],
    "what is empty, or a number, or has other letters, is taken for what it is": [
        "s03-empty-attributes/q.rd",
        "s03-lists/q.rd",
        "s07-null-and-empty/q.rd",
        "s07-parameters/q.rd",
        "s07-unbound/null.rd",
        "s13-defaults-and-doc-twice/q.rd",
        "s13-empty-defaults/q.rd",
        "s16-items-that-crash/defaults.rd",
        "s16-numbers-from-code-allowed/q.rd",
    ],
    "ids with dots can be had": ["s01-dots-in-ids/q.rd", "s01-dots-in-ids/whole.rd"],
    "arguments of macros may have other backslashes, names of jobs anything, and licences are on one line": [
        "s08-blanks-before-a-macro-in-an-argument/q.rd",
        "s08-links/q.rd",
        "s08-not-expanded/q.rd",
        "s08-re-sub/q.rd",
    ],
}
"""What is good here, and refused by DaCHS."""

TAKEN_THERE = {
    "DaCHS takes external entities for nothing": [
        "s01-encoding-of-another-rd/refused.rd",
        "s02-external-entities/dtd.rd",
        "s02-external-entities/entity.rd",
        "s02-external-entities/parameter.rd",
    ],
    "titles and ids have to be good for keys": [
        "s03-empty-attributes/title-stays.rd",
        "s03-empty-attributes/title.rd",
        "s03-ids/hash.rd",
        "s03-like-ids/q.rd",
        "s03-null/title.rd",
        "s05-title/blank.rd",
        "s13-like-ids-in-loops/q.rd",
        "s13-passivate-and-reexpand/without.rd",
    ],
    "DaCHS misreads it silently": [
        "s05-at-trailing/q.rd",
        "s05-at-week-and-month/q.rd",
        "s05-every/zero.rd",
        "s07-generator/expression.rd",
        "s07-generator/q.rd",
        "s08-resdir/a/outside.rd",
        "s13-feed-faulty-macros/defaults.rd",
        "s13-loop-csv-faults/quote.rd",
        "s13-code-items-code-allowed/keys.rd",
        "s16-a-folder-that-begins-alike/q.rd",
        "s16-every-zero/q.rd",
        "s16-items-that-crash/attribute.rd",
    ],
    "properties that are settings are read strictly": ["s06-settings-refused/q.rd"],
    "code runs while RDs are read only where that is allowed, and is held to XML": [
        "s13-code-items-refused/q.rd",
        "s13-explosions/q.rd",
        "s13-lost-characters-code-allowed/q.rd",
    ],
}
"""What is refused here, and taken by DaCHS."""


def listed(table: Mapping[str, list[str]]) -> set[str]:
    """All RDs of a table."""
    return {path for paths in table.values() for path in paths}


def test_what_dachs_takes_otherwise_is_known() -> None:
    taken = [path for path in good() if "error" not in answers()[path]]
    assert len(taken) > 150
    assert {path for path in taken if not is_same(path, answers()[path])} == listed(TAKEN_OTHERWISE)


def test_what_dachs_refuses_is_known() -> None:
    assert {path for path in good() if "error" in answers()[path]} == listed(REFUSED_THERE)


def test_what_dachs_takes_though_it_is_refused_here_is_known() -> None:
    refused = answers().keys() - set(good())
    assert len(refused) > 200
    assert {path for path in refused if "error" not in answers()[path]} == listed(TAKEN_THERE)
