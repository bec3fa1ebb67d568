"""The dialect, case by case: small resource trees beside what the reader makes of each RD in them.

An RD with a ``.json`` beside it is good, and that is what comes of its executes; one with a ``.txt`` is refused or
warned of, and that is what operators see.  Run as a program, this file writes the expectations anew, of all cases or
of those named (not of RDs whose name has lib in it, or in the folders etc, system and __system__, as others refer to
these); they are to be looked through before they are kept.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gavo_exec.descriptor import read
from gavo_exec.errors import DescriptorError, Diagnostic
from gavo_exec.model import DEFAULT_POLICY, Code, Execute, HeldBack, ResourceDescriptor, Site
from gavo_exec.schedule import At, Every, Loaded

DATA = Path(__file__).parents[2] / "data" / "dialect"
CASES = sorted(DATA.glob("*/"))
SITE = Site(
    config={
        "general": {"maintaineraddress": "ops@example.org", "cachedir": "/var/gavo/cache"},
        "web": {"serverurl": "http://dc.example.org", "nevowroot": "/"},
        "ivoa": {"authority": "example.org"},
    },
    meta={"publisher": ("The Example Data Centre",), "contact.name": ("Jo Operator",)},
)
"""A data centre; its own definitions are in the folder ``etc`` of a case, DaCHS's in ``system``."""


def run_items(code: Code, names: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Run the body of a generator."""
    body = "\n".join(f"  {line}" for line in code.source.splitlines())
    namespace: dict[str, Any] = {}
    exec(f"def items({', '.join(names)}):\n{body}", namespace)
    return iter(namespace["items"](**names))


def rds() -> Iterator[Path]:
    """All RDs that something is expected of."""
    for case in CASES:
        for path in sorted(case.rglob("*.rd")):
            if path.with_suffix(".json").exists() or path.with_suffix(".txt").exists():
                yield path


def read_case(path: Path) -> ResourceDescriptor:
    case = DATA / path.relative_to(DATA).parts[0]
    site = Site(
        config=SITE.config,
        meta=SITE.meta,
        config_dir=str(case / "etc") if (case / "etc").is_dir() else "",
        system_dir=str(case / "system") if (case / "system").is_dir() else "",
    )
    return read(
        str(path),
        inputs_dir=str(case),
        today=date(2026, 3, 14),
        thorough=True,
        site=site,
        run_items=run_items if "code-allowed" in case.name else None,
    )


def further(execute: Execute) -> dict[str, Any]:
    """What only some executes have to show.

    Their jobs' names, where code from another file stands in that, what narrows their schedules, and their policies.
    """
    job = execute.job
    code_at = f"{job.position.path}:{job.first_line}" if job.position.path != execute.position.path else ""
    held = HeldBack.of(execute)
    is_narrowed = held != HeldBack(key=held.key, title=held.title, at=held.at, every=held.every, on=held.on)
    ordinary = msgspec.to_builtins(DEFAULT_POLICY)
    policy = {name: value for name, value in msgspec.to_builtins(execute.policy).items() if value != ordinary[name]}
    return {
        "name": job.name,
        "doc": job.doc,
        "code_at": code_at,
        "schedule": execute.schedule.describe() if is_narrowed else "",
        "policy": policy,
    }


def shown(rd: ResourceDescriptor) -> str:
    """The executes as they are shown to programs, paths relative to the folder of cases."""
    executes = [
        {
            "rd_id": rd.rd_id,
            "id": execute.id,
            "key": execute.key,
            "title": execute.title,
            "at": list(execute.schedule.items) if isinstance(execute.schedule, At) else [],
            "parsed_at": [
                [time.day_of_month, time.day_of_week, time.hour, time.minute]
                for time in (execute.schedule.times if isinstance(execute.schedule, At) else ())
            ],
            "every": execute.schedule.raw if isinstance(execute.schedule, Every) else None,
            "on": "loaded" if isinstance(execute.schedule, Loaded) else None,
            "debug": execute.debug,
            "properties": execute.properties,
            "schema": rd.schema,
            "resdir": rd.resdir,
            "setup_source": execute.job.setup_source,
            "function_source": execute.job.source,
            "path": execute.position.path,
            "line": execute.position.line,
            "sources": list(rd.sources),
            **{name: value for name, value in further(execute).items() if value},
        }
        for execute in rd.executes
    ]
    return json.dumps(executes, indent=1, ensure_ascii=False).replace(f"{DATA}/", "") + "\n"


def rendered(diagnostics: tuple[Diagnostic, ...]) -> str:
    """What operators see, paths relative to the folder of cases."""
    return "".join(f"{diagnostic.render()}\n" for diagnostic in diagnostics).replace(f"{DATA}/", "")


def results(path: Path) -> dict[str, str]:
    """What comes of an RD: its executes, and what there is to say about it."""
    try:
        rd = read_case(path)
    except DescriptorError as error:
        return {".txt": rendered(error.diagnostics)}
    found = {".json": shown(rd)}
    if rd.warnings:
        found[".txt"] = rendered(rd.warnings)
    return found


@pytest.mark.parametrize("path", list(rds()), ids=lambda path: str(path.relative_to(DATA)))
def test_the_rd_is_read_as_expected(path: Path) -> None:
    expected = {
        suffix: path.with_suffix(suffix).read_text(encoding="utf-8")
        for suffix in (".json", ".txt")
        if path.with_suffix(suffix).exists()
    }
    assert results(path) == expected


def test_the_table_of_rules_has_every_case_and_no_other() -> None:
    tables = "".join(path.read_text(encoding="utf-8") for path in DATA.glob("README*.md"))
    table = [line for line in tables.splitlines() if line.startswith("|")]
    assert {name for line in table for name in re.findall(r"`(s\d\d-[\w.-]+)`", line)} == {case.name for case in CASES}


def test_every_case_expects_something() -> None:
    assert {path.relative_to(DATA).parts[0] for path in rds()} == {case.name for case in CASES}


if __name__ == "__main__":
    wanted = sys.argv[1:]
    for case in CASES:
        if wanted and case.name not in wanted:
            continue
        for rd_path in sorted(case.rglob("*.rd")):
            folders = rd_path.relative_to(case).parts[:-1]
            if "lib" in rd_path.stem or not {"etc", "system", "__system__"}.isdisjoint(folders):
                continue
            found = results(rd_path)
            for suffix in (".json", ".txt"):
                rd_path.with_suffix(suffix).unlink(missing_ok=True)
                if suffix in found:
                    rd_path.with_suffix(suffix).write_text(found[suffix], encoding="utf-8")
