"""The page about what job code sees has every name in scope, with its arguments, and no others."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gavo_exec.model import Site
from gavo_exec.runtime.active import ActiveRun
from gavo_exec.runtime.executing import Execute, JobLoader
from gavo_exec.runtime.names import own_names
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.testing import ScriptedRunner, make_execute, make_request

PAGE = (Path(__file__).parent.parent / "docs" / "reference" / "job-code.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([\w.]+)(\(.*?\))?` \| (.+) \|$", PAGE, flags=re.MULTILINE)
OF_THE_MACHINERY = {"of", "for_run", "accumulated", "name_", "attrSeq", "managedAttrs", "completedCallbacks"} | {
    "completeElement",
    "onElementComplete",
}
"""What elements have for those who make them, not for job code."""


def exec_def() -> Execute:
    loader = JobLoader(ScriptedRunner(), choice="own")
    exec_def = loader.prepare(ActiveRun(make_request(make_execute()), BoundedOutput(1000)))[1]
    assert isinstance(exec_def, Execute)
    return exec_def


def names_of(thing: Any) -> set[str]:
    found = {name for name in dir(thing) if not name.startswith("_")}
    return found - OF_THE_MACHINERY


def in_scope() -> Iterator[tuple[str, Any]]:
    """All names in scope and what they are; not what the values have that are in base and utils as well."""
    names = own_names(site=Site(), inputs_dir="/")
    yield from names.items()
    for part in ("base", "utils"):
        for name, value in vars(names[part]).items():
            if name[0] != "_" and name not in ("ui", "caches") and (name not in names or name == "utils"):
                yield f"{part}.{name}", value
    base: Any = names["base"]
    for name in names_of(base.ui):
        yield f"base.ui.{name}", getattr(base.ui, name)
    yield "base.caches.getRD", base.caches.getRD
    run = exec_def()
    for called, thing in (("rd", run.rd), ("execDef", run)):
        yield called, thing
        for name in names_of(thing):
            yield f"{called}.{name}", getattr(thing, name)
    for name in ("code", "setups", "getSetupCode", "name", "doc"):
        yield f"execDef.job.{name}", getattr(run.job, name)
    yield "parent", run
    yield "numpy", None  # where it is installed


SCOPE = dict(in_scope())


def test_the_page_has_every_name_in_scope_once() -> None:
    assert sorted(name for name, _, _ in ROWS) == sorted(SCOPE)


@pytest.mark.parametrize(("name", "arguments"), [(name, arguments) for name, arguments, _ in ROWS if arguments])
def test_arguments_are_as_the_page_says(name: str, arguments: str) -> None:
    parameters = inspect.signature(SCOPE[name]).parameters.values()
    shown = []
    for parameter in parameters:
        plain = parameter.replace(annotation=parameter.empty)
        if isinstance(plain.default, object) and type(plain.default) is object:  # stands for nothing
            plain = plain.replace(default=plain.empty)
        shown.append(str(plain).replace("'", '"'))
    assert arguments == f"({', '.join(shown)})"


def test_functions_are_written_with_their_arguments() -> None:
    bare = {name for name, arguments, _ in ROWS if not arguments}
    assert not [name for name in bare if inspect.isroutine(SCOPE[name]) and name != "execDef.callable"]
